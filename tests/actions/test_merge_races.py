"""Two people are made one while each of them buys, claims or is merged the other way."""

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
from campaigns.members import merging
from campaigns.models import Campaign, Checkout, Gift, Member, Membership, Payment, Tally
from campaigns.models.member import MemberManager
from newsroom.sandbox.control import SandboxControl
from tests.settlement.test_settlement import order_gift, order_membership
from tests.support.factories import at, make_gift, make_member, make_payment
from tests.support.threads import race

pytestmark = pytest.mark.long

CARD = "4242424242424242"
only_with_many_writers = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite has one writer at a time"
)


def make_two(number: int) -> tuple[Member, Member]:
    return make_member(f"ada{number}@example.org"), make_member(f"adele{number}@example.net")


def merge(kept: Member, gone: Member) -> None:
    members.merge_members(kept=kept, gone=gone)


def assert_all_is_of(kept: Member, gone: Member) -> None:
    assert not Member.objects.filter(pk=gone.pk).exists()
    for relation in Member._meta.related_objects:
        rows = relation.related_model._default_manager.filter(**{relation.field.name: gone.pk})
        assert not rows.exists(), relation
    assert Member.objects.filter(email=gone.email).count() == 0
    assert Member.objects.get_or_create_by_email(gone.email) == kept


def assert_tallies_stand() -> None:
    """Counting everybody anew changes nothing."""
    before = sorted(Tally.objects.values_list("member", "gift", "payment", "counted_from"), key=str)
    with transaction.atomic():
        for gift in Gift.objects.all():
            progress.tally_gift(gift)
        progress.tally_members(Member.objects.all())
    after = sorted(Tally.objects.values_list("member", "gift", "payment", "counted_from"), key=str)
    assert before == after


@pytest.mark.parametrize("kind", ["year", "once", "gift"])
@pytest.mark.parametrize("is_known", [True, False], ids=["settled before", "new"])
def test_what_is_settled_meanwhile_is_of_whoever_is_left(
    campaign: Campaign, sandbox: SandboxControl, kind: str, is_known: bool
) -> None:
    for number in range(5):
        kept, gone = make_two(number)
        make_payment(kept, campaign, "2026-11-09 12:00")
        order = order_gift if kind == "gift" else partial(order_membership, kind=kind)
        checkout = order(campaign, email=gone.email)
        sandbox.pay(str(checkout.session_id), card=CARD)
        settle = partial(settlement.settle_checkout, checkout.pk)
        if is_known:
            settle()
        outcomes = race(settle, partial(merge, kept, gone), settle)
        assert not [each for each in outcomes if isinstance(each, Exception)], outcomes
        settle()
        assert_all_is_of(kept, gone)
        checkout.refresh_from_db()
        assert checkout.member == kept
        assert Payment.objects.filter(checkout=checkout, member=kept).count() == 1
        assert Tally.objects.filter(member=kept).count() == 1
        assert Tally.objects.filter(gift__buyer=kept).count() == (1 if kind == "gift" else 0)
        assert_tallies_stand()


def test_a_gift_claimed_meanwhile_is_of_whoever_is_left(campaign: Campaign) -> None:
    buyer = make_member("buyer@example.org")
    for number in range(10):
        kept, gone = make_two(number)
        gift = make_gift(buyer, campaign, "2026-11-10 12:00", expires_at=at("2099-01-01 00:00"))
        claim = partial(actions.claim_gift, gift.code, email=gone.email, name="Ada", language="en")
        progress.tally_gift(gift)
        outcomes = race(claim, partial(merge, kept, gone), claim)
        assert not [each for each in outcomes if isinstance(each, Exception)], outcomes
        assert_all_is_of(kept, gone)
        gift.refresh_from_db()
        assert gift.claimed_by == kept
        assert gift.membership == Membership.objects.get(member=kept)
        assert_tallies_stand()


def test_of_two_opposite_merges_one_is_refused(campaign: Campaign) -> None:
    for number in range(20):
        both = make_two(number)
        for who in both:
            make_payment(who, campaign, "2026-11-10 12:00")
            make_gift(who, campaign, "2026-11-10 12:00")
        with transaction.atomic():
            progress.tally_members(both)
        outcomes = race(partial(merge, *both), partial(merge, *reversed(both)))
        assert {type(outcome) for outcome in outcomes} == {members.MergeRefused, type(None)}
        left = Member.objects.get(pk__in=[who.pk for who in both])
        assert left == both[outcomes.index(None)]
        assert left.payments.count() == 4
        assert left.tallies.count() == 1


def test_three_who_are_one_are_merged_round_about(campaign: Campaign) -> None:
    """Each into the next: whichever comes first, nobody waits for ever and nothing is lost."""
    for number in range(10):
        three = [make_member(f"{name}{number}@example.org") for name in ("ada", "adele", "ada.r")]
        for who in three:
            make_payment(who, campaign, "2026-11-10 12:00")
        ring = zip(three, [*three[1:], three[0]], strict=True)
        outcomes = race(*(partial(merge, kept, gone) for kept, gone in ring))
        assert {type(outcome) for outcome in outcomes} <= {members.MergeRefused, type(None)}
        left = Member.objects.filter(pk__in=[who.pk for who in three])
        assert left.count() == 3 - outcomes.count(None)
        assert sum(who.payments.count() for who in left) == 3


def test_an_import_meanwhile_brings_its_membership_to_whoever_is_left(
    transactional_db: None, tmp_path: Path
) -> None:
    for number in range(10):
        kept, gone = make_two(number)
        path = tmp_path / f"{number}.csv"
        path.write_text(f"email,since\n{gone.email},2020-01-01\n{kept.email},2021-01-01\n")
        outcomes = race(partial(call_command, "import_members", path), partial(merge, kept, gone))
        assert not [each for each in outcomes if isinstance(each, Exception)], outcomes
        assert_all_is_of(kept, gone)
        assert kept.memberships.count() == 2


def test_without_its_locks_a_merge_loses_to_a_settlement(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    """The control: rows moved one kind after the other, and a settlement between two of them."""
    kept, gone = make_two(0)
    checkout = order_membership(campaign, "once", gone.email)
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


# Interleavings that are forced


class Pause:
    """Holds whoever looks for that person first, until another has done something."""

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
    """A claim that has found the one who goes, a merge beside it, and then the claim's end."""
    buyer = make_member("buyer@example.org")
    gift = make_gift(buyer, campaign, "2026-11-10 12:00", expires_at=at("2099-01-01 00:00"))
    is_merged = threading.Event()

    def merge_meanwhile() -> None:
        assert pause.has_found.wait(60)
        merge(kept, gone)
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
def test_a_claim_that_found_the_one_who_goes_is_led_to_the_other(
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
def test_a_claim_that_only_looks_would_fail(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: without the lock there is nobody any more whose gift it could be."""
    kept, gone = make_two(0)
    pause = Pause(MemberManager.get_or_create_by_email, gone)
    pause.install(monkeypatch, "get_or_create_by_email")
    monkeypatch.setattr(MemberManager, "lock_by_email", MemberManager.get_or_create_by_email)
    gift, outcomes = claim_while_merged(campaign, pause, kept, gone, wait_for_merge=60)
    assert isinstance(outcomes[0], Member.DoesNotExist), outcomes
    assert gift.claimed_by is None


@only_with_many_writers
def test_a_merge_looks_again_at_what_came_before_it_had_all_locks(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim holds the gift and the person; the merge saw neither on its way to the person."""
    kept, gone = make_two(0)
    pause = Pause(MemberManager.lock_by_email, gone)
    pause.install(monkeypatch, "lock_by_email")
    tries: list[int] = []
    lock_both = merging._lock_both

    def lock(kept_id: int, gone_id: int) -> tuple[Member, Member]:
        tries.append(kept_id)
        return lock_both(kept_id, gone_id)

    monkeypatch.setattr(merging, "_lock_both", lock)
    gift, outcomes = claim_while_merged(campaign, pause, kept, gone, wait_for_merge=1)
    assert outcomes == [gift, None, None]
    assert gift.claimed_by == kept
    assert len(tries) == 2
    assert_all_is_of(kept, gone)
