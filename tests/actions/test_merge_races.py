"""Merges at the same time as purchases, claims, imports and other merges."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import ProtectedError

from campaigns import actions, members, progress, settlement
from campaigns.members import merges
from campaigns.models import Campaign, Checkout, Gift, Member, Membership, Payment, Tally
from campaigns.models.member import MemberManager
from newsroom.sandbox.control import SandboxControl
from tests.support.factories import at, make_gift, make_member, make_payment
from tests.support.sales import place_order
from tests.support.threads import race

pytestmark = [pytest.mark.long, pytest.mark.both_databases]

CARD = "4242424242424242"
only_with_many_writers = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite has one writer at a time"
)


def make_two(number: int) -> tuple[Member, Member]:
    return make_member(f"ada{number}@example.org"), make_member(f"adele{number}@example.net")


def assert_all_is_of(kept: Member, gone: Member) -> None:
    assert not Member.objects.filter(pk=gone.pk).exists()
    for relation in Member._meta.related_objects:
        rows = relation.related_model._default_manager.filter(**{relation.field.name: gone.pk})
        assert not rows.exists(), relation
    assert Member.objects.filter(email=gone.email).count() == 0
    assert Member.objects.get_or_create_by_email(gone.email) == kept


def assert_tallies_are_correct() -> None:
    """Check that a recount of everyone changes nothing."""
    before = sorted(Tally.objects.values_list("member", "gift", "payment", "counted_from"), key=str)
    with transaction.atomic():
        for gift in Gift.objects.all():
            progress.tally_gift(gift)
        progress.tally_members(Member.objects.all())
    after = sorted(Tally.objects.values_list("member", "gift", "payment", "counted_from"), key=str)
    assert before == after


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["year", "once", "gift"])
@pytest.mark.parametrize("is_known", [True, False], ids=["settled before", "new"])
def test_a_simultaneous_settlement_belongs_to_the_member_who_is_kept(
    campaign: Campaign, sandbox: SandboxControl, kind: str, is_known: bool
) -> None:
    for number in range(5):
        kept, gone = make_two(number)
        make_payment(kept, campaign, "2026-11-09 12:00")
        checkout = place_order(campaign, kind, gone.email)
        sandbox.pay(str(checkout.session_id), card=CARD)
        settle = partial(settlement.settle_checkout, checkout.pk)
        if is_known:
            settle()
        outcomes = race(settle, partial(members.merge_members, kept=kept, gone=gone), settle)
        assert not [each for each in outcomes if isinstance(each, Exception)], outcomes
        settle()
        assert_all_is_of(kept, gone)
        checkout.refresh_from_db()
        assert checkout.member == kept
        assert Payment.objects.filter(checkout=checkout, member=kept).count() == 1
        assert Tally.objects.filter(member=kept).count() == 1
        assert Tally.objects.filter(gift__buyer=kept).count() == (1 if kind == "gift" else 0)
        assert_tallies_are_correct()


def test_a_simultaneous_claim_belongs_to_the_member_who_is_kept(campaign: Campaign) -> None:
    buyer = make_member("buyer@example.org")
    for number in range(10):
        kept, gone = make_two(number)
        gift = make_gift(buyer, campaign, "2026-11-10 12:00", expires_at=at("2099-01-01 00:00"))
        claim = partial(actions.claim_gift, gift.code, email=gone.email, name="Ada", language="en")
        progress.tally_gift(gift)
        outcomes = race(claim, partial(members.merge_members, kept=kept, gone=gone), claim)
        assert not [each for each in outcomes if isinstance(each, Exception)], outcomes
        assert_all_is_of(kept, gone)
        gift.refresh_from_db()
        assert gift.claimed_by == kept
        assert gift.membership == Membership.objects.get(member=kept)
        assert_tallies_are_correct()


def test_only_one_of_two_opposite_merges_succeeds(campaign: Campaign) -> None:
    for number in range(20):
        both = make_two(number)
        for who in both:
            make_payment(who, campaign, "2026-11-10 12:00")
            make_gift(who, campaign, "2026-11-10 12:00")
        with transaction.atomic():
            progress.tally_members(both)
        outcomes = race(
            partial(members.merge_members, kept=both[0], gone=both[1]),
            partial(members.merge_members, kept=both[1], gone=both[0]),
        )
        assert {type(outcome) for outcome in outcomes} == {members.MergeRefused, type(None)}
        left = Member.objects.get(pk__in=[who.pk for who in both])
        assert left == both[outcomes.index(None)]
        assert left.payments.count() == 4
        assert left.tallies.count() == 1


def test_three_duplicates_are_merged_in_a_circle(campaign: Campaign) -> None:
    """Each into the next, in any order, without a deadlock or lost rows."""
    for number in range(10):
        three = [make_member(f"{name}{number}@example.org") for name in ("ada", "adele", "ada.r")]
        for who in three:
            make_payment(who, campaign, "2026-11-10 12:00")
        ring = zip(three, [*three[1:], three[0]], strict=True)
        outcomes = race(
            *(partial(members.merge_members, kept=kept, gone=gone) for kept, gone in ring)
        )
        assert {type(outcome) for outcome in outcomes} <= {members.MergeRefused, type(None)}
        left = Member.objects.filter(pk__in=[who.pk for who in three])
        assert left.count() == 3 - outcomes.count(None)
        assert sum(who.payments.count() for who in left) == 3


def test_a_simultaneous_import_belongs_to_the_member_who_is_kept(
    transactional_db: None, tmp_path: Path
) -> None:
    for number in range(10):
        kept, gone = make_two(number)
        path = tmp_path / f"{number}.csv"
        path.write_text(f"email,since\n{gone.email},2020-01-01\n{kept.email},2021-01-01\n")
        outcomes = race(
            partial(call_command, "import_members", path),
            partial(members.merge_members, kept=kept, gone=gone),
        )
        assert not [each for each in outcomes if isinstance(each, Exception)], outcomes
        assert_all_is_of(kept, gone)
        assert kept.memberships.count() == 2


def test_a_merge_without_locks_loses_rows_of_a_settlement(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    """Control: rows are moved one kind after the other, with a settlement in between."""
    kept, gone = make_two(0)
    checkout = place_order(campaign, "once", gone.email)
    sandbox.pay(str(checkout.session_id), card=CARD)
    settlement.settle_checkout(checkout.pk)
    has_moved, has_settled = threading.Event(), threading.Event()

    def merge_naively() -> None:
        Payment.objects.filter(member=gone).update(member=kept)
        has_moved.set()
        assert has_settled.wait(60)
        Checkout.objects.filter(member=gone).update(member=kept)
        Membership.objects.filter(member=gone).update(member=kept)
        Tally.objects.filter(member=gone).delete()
        gone.delete()

    def settle() -> None:
        assert has_moved.wait(60)
        settlement.settle_checkout(checkout.pk)
        has_settled.set()

    outcomes = race(merge_naively, settle)
    assert isinstance(outcomes[0], ProtectedError), outcomes


# Forced interleavings


class Pause:
    """Stops the first caller that looks for a member, until another one has finished."""

    def __init__(self, wrapped: Callable[..., Member], who: Member) -> None:
        self.wrapped, self.who = wrapped, who
        self.has_found, self.may_go_on = threading.Event(), threading.Event()

    def install(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        def find(manager: MemberManager, *args: Any, **kwargs: Any) -> Member:
            found = self.wrapped(manager, *args, **kwargs)
            if found == self.who and not self.has_found.is_set():
                self.has_found.set()
                assert self.may_go_on.wait(60)
            return found

        monkeypatch.setattr(MemberManager, name, find)


def claim_while_merged(
    campaign: Campaign, pause: Pause, kept: Member, gone: Member, *, wait_for_merge: float | None
) -> tuple[Gift, list[object]]:
    """Start a claim that finds the duplicate, merge, then let the claim finish."""
    buyer = make_member("buyer@example.org")
    gift = make_gift(buyer, campaign, "2026-11-10 12:00", expires_at=at("2099-01-01 00:00"))
    is_merged = threading.Event()

    def merge_meanwhile() -> None:
        assert pause.has_found.wait(60)
        members.merge_members(kept=kept, gone=gone)
        is_merged.set()

    def go_on() -> None:
        assert pause.has_found.wait(60)
        is_merged.wait(wait_for_merge)
        pause.may_go_on.set()

    claim = partial(actions.claim_gift, gift.code, email=gone.email, name="Ada", language="en")
    outcomes = race(claim, merge_meanwhile, go_on)
    gift.refresh_from_db()
    return gift, outcomes


@only_with_many_writers
def test_a_claim_that_found_the_duplicate_goes_to_the_other_member(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, gone = make_two(0)
    pause = Pause(MemberManager.get_or_create_by_email, gone)
    pause.install(monkeypatch, "get_or_create_by_email")
    gift, outcomes = claim_while_merged(campaign, pause, kept, gone, wait_for_merge=60)
    assert outcomes[1:] == [None, None]
    assert outcomes[0] == gift
    assert gift.claimed_by == kept


@only_with_many_writers
def test_a_claim_without_a_lock_fails(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: without the lock, the member who claims no longer exists."""
    kept, gone = make_two(0)
    pause = Pause(MemberManager.get_or_create_by_email, gone)
    pause.install(monkeypatch, "get_or_create_by_email")
    monkeypatch.setattr(MemberManager, "lock_by_email", MemberManager.get_or_create_by_email)
    gift, outcomes = claim_while_merged(campaign, pause, kept, gone, wait_for_merge=60)
    assert isinstance(outcomes[0], Member.DoesNotExist), outcomes
    assert gift.claimed_by is None


@only_with_many_writers
def test_a_merge_retries_if_rows_were_added_before_it_had_all_locks(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim locks the gift and the member after the merge has read the gifts."""
    kept, gone = make_two(0)
    pause = Pause(MemberManager.lock_by_email, gone)
    pause.install(monkeypatch, "lock_by_email")
    tries: list[int] = []
    lock_both = merges._lock_both

    def lock(kept_id: int, gone_id: int) -> tuple[Member, Member]:
        tries.append(kept_id)
        return lock_both(kept_id, gone_id)

    monkeypatch.setattr(merges, "_lock_both", lock)
    gift, outcomes = claim_while_merged(campaign, pause, kept, gone, wait_for_merge=1)
    assert outcomes == [gift, None, None]
    assert gift.claimed_by == kept
    assert len(tries) == 2
    assert_all_is_of(kept, gone)
