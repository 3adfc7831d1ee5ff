"""Recounts of a campaign in batches, with crashes, edits and settlements in between."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from campaigns import actions, banners, jobs, progress, settlement
from campaigns.jobs import table
from campaigns.models import Campaign, Checkout, Gift, Member, Membership, Payment, Price, Tally
from campaigns.progress import recounts
from newsroom.sandbox.control import SandboxControl
from tests.support.factories import (
    at,
    make_campaign,
    make_gift,
    make_member,
    make_payment,
    record_claim,
    recount_campaign,
)
from tests.support.sales import place_order
from tests.support.threads import race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

PEOPLE, GIFTS = 1000, 30
Rows = set[tuple[Any, ...]]


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


@pytest.fixture
def crowd(birthday: Campaign) -> Campaign:
    """A campaign with a thousand people and thirty gifts, bought in November and counted."""
    members = Member.objects.bulk_create(
        Member(email=f"crowd{number}@example.org") for number in range(PEOPLE)
    )
    paid_times = [birthday.starts_at + timedelta(hours=number % 700) for number in range(PEOPLE)]
    memberships = Membership.objects.bulk_create(
        Membership(member=member, source="subscription", started_at=moment, subscription_id=f"s{n}")
        for n, (member, moment) in enumerate(zip(members, paid_times, strict=True))
    )
    Payment.objects.bulk_create(
        Payment(
            role=Payment.Role.FIRST,
            status=Payment.Status.SUCCEEDED,
            amount_minor=6000,
            currency="eur",
            paid_at=membership.started_at,
            campaign=birthday,
            member=membership.member,
            membership=membership,
            intent_id=f"pi_crowd{number}",
        )
        for number, membership in enumerate(memberships)
    )
    for day in range(1, GIFTS + 1):
        gift = make_gift(members[day], birthday, f"2026-11-{day:02} 12:00")
        if day % 3 == 0:
            record_claim(gift, members[-day], f"2026-11-{day:02} 13:00")
    recount_campaign(birthday)
    return birthday


def counted_rows(campaign: Campaign) -> Rows:
    names = ("member", "gift", "payment", "counted_from", "counted_until")
    return set(campaign.tallies.values_list(*names))


def apply_rule(campaign: Campaign) -> Rows:
    """Return who counts by the rule, computed for everyone at once and without the tallies."""
    campaign.refresh_from_db()
    people = {
        (pk, None, count.payment_id, count.counted_from, count.counted_until)
        for pk, counts in progress.count_people(Member.objects.all(), campaign).items()
        for count in counts
    }
    return people | {
        (None, gift.pk, count.payment_id, count.counted_from, count.counted_until)
        for gift in Gift.objects.all()
        for count in progress.count_gift(gift, campaign)
    }


def move_window(campaign: Campaign, starts_at: str) -> None:
    """Change the window and request a recount, as the admin does."""
    Campaign.objects.filter(pk=campaign.pk).update(starts_at=at(starts_at))
    progress.request_recount(campaign.pk)


def count_one_batch(campaign: Campaign) -> bool:
    return progress.continue_recount(campaign.pk, until=timezone.now())


def is_due(campaign: Campaign) -> bool:
    campaign.refresh_from_db()
    return campaign.recount_at is not None


@pytest.mark.thorough
def test_a_thousand_people_are_recounted_in_batches(crowd: Campaign) -> None:
    before = counted_rows(crowd)
    assert PEOPLE < len(before) < PEOPLE + GIFTS  # some claimed a gift and count through it
    move_window(crowd, "2026-11-15 00:00")
    shown, steps = [], 0
    while not count_one_batch(crowd):
        steps += 1
        crowd.refresh_from_db()
        shown.append(progress.measure_recount(crowd))
    assert steps == 1 + PEOPLE // recounts.BATCH
    assert shown == [(GIFTS + done, GIFTS + PEOPLE) for done in range(0, PEOPLE + 1, 200)]
    assert counted_rows(crowd) == apply_rule(crowd) < before
    assert len(counted_rows(crowd)) < PEOPLE * 0.6
    assert not is_due(crowd)
    assert progress.measure_recount(crowd) is None
    assert not count_one_batch(crowd)  # no recount is due


def test_a_long_list_of_gifts_is_a_batch_of_its_own(
    birthday: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recounts, "BATCH", 4)
    sizes: list[int] = []

    def tally(gifts: QuerySet[Gift]) -> None:
        sizes.append(len(gifts))
        progress.tally_gifts(gifts)

    monkeypatch.setattr(recounts, "tally_gifts", tally)
    buyer = make_member()
    for _ in range(4):
        first = make_gift(buyer, birthday, "2026-11-10 12:00")
        for position in range(1, 3):
            gift = make_gift(buyer, birthday, "2026-11-10 12:00")
            Checkout.objects.filter(pk=gift.checkout_id).update(campaign=None)
            gift.checkout, gift.position = first.checkout, position
            gift.save()
    big = Checkout.objects.filter(campaign=birthday).order_by("pk")[1]
    for position in range(3, 9):
        gift = make_gift(buyer, birthday, "2026-11-10 12:00")
        Checkout.objects.filter(pk=gift.checkout_id).update(campaign=None)
        gift.checkout, gift.position = big, position
        gift.save()
    recount_campaign(birthday)
    assert sizes == [3, 9, 3, 3]
    assert counted_rows(birthday) == apply_rule(birthday)


@pytest.mark.thorough
def test_a_killed_recount_continues_from_its_cursor(
    crowd: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def tally(people: list[Member]) -> None:
        progress.tally_members(people)
        seen.extend(member.pk for member in people)
        if len(seen) == 600:
            raise SystemExit("killed")

    monkeypatch.setattr(recounts, "tally_members", tally)
    before = counted_rows(crowd)
    move_window(crowd, "2026-11-15 00:00")
    with pytest.raises(SystemExit):
        progress.continue_recount(crowd.pk)
    crowd.refresh_from_db()
    assert progress.measure_recount(crowd) == (GIFTS + 400, GIFTS + PEOPLE)
    assert apply_rule(crowd) < counted_rows(crowd) < before

    assert not progress.continue_recount(crowd.pk)  # its lease has not ended yet
    assert len(seen) == 600
    with time_machine.travel(timezone.now() + recounts.LEASE, tick=True):
        assert progress.continue_recount(crowd.pk)
    assert len(seen) == 600 + PEOPLE - 400
    assert counted_rows(crowd) == apply_rule(crowd)


@pytest.mark.thorough
def test_an_edit_during_a_recount_starts_it_again(
    crowd: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[str] = []
    count_batch = recounts._count_batch

    def count(campaign_id: int, *, after: str) -> str | None:
        next_cursor = count_batch(campaign_id, after=after)
        batches.append(after)
        if len(batches) == 3:
            move_window(crowd, "2026-11-05 00:00")
        return next_cursor

    monkeypatch.setattr(recounts, "_count_batch", count)
    move_window(crowd, "2026-11-20 00:00")
    assert not progress.continue_recount(crowd.pk)  # it lost its lease
    crowd.refresh_from_db()
    assert len(batches) == 3
    assert progress.measure_recount(crowd) == (0, GIFTS + PEOPLE)
    assert counted_rows(crowd) != apply_rule(crowd)
    assert progress.continue_recount(crowd.pk)
    assert batches[3] == ""
    assert counted_rows(crowd) == apply_rule(crowd)


@pytest.mark.thorough
def test_only_one_of_several_workers_counts(
    crowd: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def tally(people: list[Member]) -> None:
        time.sleep(0.1)
        seen.extend(member.pk for member in people)
        progress.tally_members(people)

    monkeypatch.setattr(recounts, "tally_members", tally)
    move_window(crowd, "2026-11-15 00:00")
    work = partial(progress.continue_recount, crowd.pk)
    outcomes = race(work, work, work)
    assert sorted(map(str, outcomes)) == ["False", "False", "True"]
    assert len(seen) == len(set(seen)) == PEOPLE
    assert counted_rows(crowd) == apply_rule(crowd)


# Writing during a recount


class SlowWriter:
    """A writer that counts by the old window and commits only after the recount."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.has_counted, self.is_recounted = threading.Event(), threading.Event()
        tally = progress.tally_members

        def tally_and_wait(members: list[Member]) -> None:
            tally(members)
            self.has_counted.set()
            self.is_recounted.wait(1.5)

        monkeypatch.setattr(progress, "tally_members", tally_and_wait)

    def recount(self, campaign: Campaign) -> None:
        assert self.has_counted.wait(30)
        move_window(campaign, "2026-11-15 00:00")
        assert progress.continue_recount(campaign.pk)
        self.is_recounted.set()

    def race(self, write: Callable[[], object], campaign: Campaign) -> int:
        """Return how many count at the end."""
        outcomes = race(write, partial(self.recount, campaign))
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
        return Tally.objects.count()


def pay(campaign: Campaign, sandbox: SandboxControl) -> Callable[[], object]:
    """Return a function that settles a new member's payment of 10 November."""
    checkout = place_order(campaign)
    sandbox.pay(str(checkout.session_id), card="4242424242424242")
    return partial(settlement.settle_checkout, checkout.pk)


def record(campaign: Campaign, sandbox: SandboxControl) -> Callable[[], object]:
    """Return a function that records an offline payment of 10 November."""
    member, user = make_member(), User.objects.create_user("editor")
    price = Price.objects.get(kind="once")
    return partial(
        actions.record_offline_payment,
        member,
        plan=price.plan,
        months=12,
        amount_minor=6000,
        currency="eur",
        paid_at=at("2026-11-10 12:00"),
        campaign=campaign,
        by=user,
        note="",
    )


@pytest.mark.parametrize("write", [pay, record])
def test_a_person_counted_by_the_old_window_is_recounted(
    campaign: Campaign, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch, write: Any
) -> None:
    work = write(campaign, sandbox)
    assert SlowWriter(monkeypatch).race(work, campaign) == 0
    assert Payment.objects.count() == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
@pytest.mark.parametrize("write", [pay, record])
def test_a_recount_without_locks_misses_that_person(
    campaign: Campaign, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch, write: Any
) -> None:
    work = write(campaign, sandbox)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)
    assert SlowWriter(monkeypatch).race(work, campaign) == 1


def test_a_payment_settled_during_a_recount_counts_by_the_new_window(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    work = pay(campaign, sandbox)
    make_payment(make_member(), campaign, "2026-11-20 12:00")
    move_window(campaign, "2026-11-05 00:00")
    assert not count_one_batch(campaign)
    work()
    assert Tally.objects.count() == 1
    assert progress.continue_recount(campaign.pk)
    assert counted_rows(campaign) == apply_rule(campaign)
    assert Tally.objects.count() == 2


# Work that waits for a recount


def test_a_recount_delays_publishing_and_closing(
    birthday: Campaign,
) -> None:
    make_payment(make_member(), birthday, "2026-11-10 12:00")
    recount_campaign(birthday)
    with time_machine.travel(at("2026-12-02 00:00"), tick=False):
        assert banners.publish_campaign(birthday.pk) is not None
        seen = progress.fingerprint(progress.measure_campaign(birthday, at=timezone.now()))
        progress.request_recount(birthday.pk)
        assert banners.publish_campaign(birthday.pk) is None
        with pytest.raises(progress.CannotClose):
            progress.close_campaign(birthday.pk, by="editor", seen=seen)
        jobs.run_due_jobs("recounts")
        assert banners.publish_campaign(birthday.pk) is not None
        assert progress.close_campaign(birthday.pk, by="editor", seen=seen)


def test_a_long_recount_continues_in_the_next_run(
    crowd: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_window(crowd, "2026-11-15 00:00")
    monkeypatch.setattr(table, "_RECOUNT_TURN", timedelta(0))
    recount = jobs.find_job("recounts")
    published: list[str] = []
    for _ in range(PEOPLE // recounts.BATCH + 1):
        assert jobs.run_job(recount, turn=timedelta(0)).is_rest_due
        assert is_due(crowd)
    jobs.run_job(recount, after_row=lambda: published.append("banners"))
    assert published == ["banners"]
    assert not is_due(crowd)
    assert crowd.publish_at is not None


def test_a_failing_recount_does_not_block_others(
    birthday: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    spring = make_campaign(slug="spring")
    make_payment(make_member(), spring, "2026-11-10 12:00")
    continue_recount = progress.continue_recount

    def fail_on_first(campaign_id: int, **options: Any) -> bool:
        if campaign_id == birthday.pk:
            raise RuntimeError
        return continue_recount(campaign_id, **options)

    monkeypatch.setattr(progress, "continue_recount", fail_on_first)
    for campaign in (birthday, spring):
        progress.request_recount(campaign.pk)
    jobs.run_due_jobs("recounts")
    assert is_due(birthday)
    assert not is_due(spring)
    assert Tally.objects.get().campaign == spring
