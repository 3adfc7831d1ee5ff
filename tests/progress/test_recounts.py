"""A campaign is counted anew in batches, whatever dies, is edited or is settled meanwhile."""

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

from campaigns import banners, progress, settlement, tasks
from campaigns.admin import members as members_admin
from campaigns.models import Campaign, Checkout, Gift, Member, Membership, Payment, Price, Tally
from campaigns.progress import recounts
from newsroom.sandbox.control import SandboxControl
from tests.settlement.test_settlement import order_membership
from tests.support.factories import (
    at,
    claim,
    make_campaign,
    make_gift,
    make_member,
    make_payment,
    recount_campaign,
)
from tests.support.threads import race

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE, GIFTS = 1000, 30
Rows = set[tuple[Any, ...]]


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


@pytest.fixture
def crowd(birthday: Campaign) -> Campaign:
    """A thousand people and thirty gifts, bought on the days of November, and all counted."""
    members = Member.objects.bulk_create(
        Member(email=f"crowd{number}@example.org") for number in range(PEOPLE)
    )
    begun = [birthday.starts_at + timedelta(hours=number % 700) for number in range(PEOPLE)]
    memberships = Membership.objects.bulk_create(
        Membership(member=member, source="subscription", started_at=moment, subscription_id=f"s{n}")
        for n, (member, moment) in enumerate(zip(members, begun, strict=True))
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
            claim(gift, members[-day], f"2026-11-{day:02} 13:00")
    recount_campaign(birthday)
    return birthday


def counted_rows(campaign: Campaign) -> Rows:
    names = ("member", "gift", "payment", "counted_from", "counted_until")
    return set(campaign.tallies.values_list(*names))


def by_the_rule(campaign: Campaign) -> Rows:
    """Whom the rule counts, asked of everybody in one go and without a word of the tallies."""
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
    """As staff's form does."""
    Campaign.objects.filter(pk=campaign.pk).update(starts_at=at(starts_at))
    progress.request_recount(campaign.pk)


def take_a_batch(campaign: Campaign) -> bool:
    return progress.continue_recount(campaign.pk, until=timezone.now())


def is_due(campaign: Campaign) -> bool:
    campaign.refresh_from_db()
    return campaign.recount_at is not None


def test_a_thousand_people_are_counted_anew_in_batches(crowd: Campaign) -> None:
    before = counted_rows(crowd)
    assert PEOPLE < len(before) < PEOPLE + GIFTS  # some redeemed a gift and count by that
    move_window(crowd, "2026-11-15 00:00")
    told, steps = [], 0
    while not take_a_batch(crowd):
        steps += 1
        crowd.refresh_from_db()
        told.append(progress.measure_recount(crowd))
    assert steps == 1 + PEOPLE // recounts.BATCH
    assert told == [(GIFTS + done, GIFTS + PEOPLE) for done in range(0, PEOPLE + 1, 200)]
    assert counted_rows(crowd) == by_the_rule(crowd) < before
    assert len(counted_rows(crowd)) < PEOPLE * 0.6
    assert not is_due(crowd)
    assert progress.measure_recount(crowd) is None
    assert not take_a_batch(crowd)  # none is due


def test_a_long_list_of_gifts_makes_a_batch_of_its_own(
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
    assert counted_rows(birthday) == by_the_rule(birthday)


def test_killed_in_the_middle_it_goes_on_where_it_stood(
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
    assert by_the_rule(crowd) < counted_rows(crowd) < before

    assert not progress.continue_recount(crowd.pk)  # nobody knows yet that it died
    assert len(seen) == 600
    with time_machine.travel(timezone.now() + recounts.LEASE, tick=True):
        assert progress.continue_recount(crowd.pk)
    assert len(seen) == 600 + PEOPLE - 400
    assert counted_rows(crowd) == by_the_rule(crowd)


def test_an_edit_in_the_middle_begins_at_the_start(
    crowd: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[str] = []
    count_batch = recounts._count_batch

    def count(campaign_id: int, *, after: str) -> str | None:
        reached = count_batch(campaign_id, after=after)
        batches.append(after)
        if len(batches) == 3:
            move_window(crowd, "2026-11-05 00:00")
        return reached

    monkeypatch.setattr(recounts, "_count_batch", count)
    move_window(crowd, "2026-11-20 00:00")
    assert not progress.continue_recount(crowd.pk)  # its lease is gone
    crowd.refresh_from_db()
    assert len(batches) == 3
    assert progress.measure_recount(crowd) == (0, GIFTS + PEOPLE)
    assert counted_rows(crowd) != by_the_rule(crowd)
    assert progress.continue_recount(crowd.pk)
    assert batches[3] == ""
    assert counted_rows(crowd) == by_the_rule(crowd)


def test_of_two_workers_one_counts(crowd: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert counted_rows(crowd) == by_the_rule(crowd)


# What is written while it counts


class Straddling:
    """Somebody who counted by the old window and has not committed when everybody is recounted."""

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
        """How many are counted at the end."""
        outcomes = race(write, partial(self.recount, campaign))
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
        return Tally.objects.count()


def pay(campaign: Campaign, sandbox: SandboxControl) -> Callable[[], object]:
    """A new person's payment of 10 November is settled."""
    checkout = order_membership(campaign)
    sandbox.pay(str(checkout.session_id), card="4242424242424242")
    return partial(settlement.settle_checkout, checkout.pk)


def record(campaign: Campaign, sandbox: SandboxControl) -> Callable[[], object]:
    """Staff enter money that was taken on 10 November."""
    member, user = make_member(), User.objects.create_user("editor")
    price = Price.objects.get(kind="once")
    wanted = {
        "campaign": campaign,
        "amount_minor": 6000,
        "currency": "eur",
        "paid_at": at("2026-11-10 12:00"),
        "plan": price.plan,
        "months": 12,
        "note": "",
    }
    return partial(members_admin._record, member, wanted, user)


@pytest.mark.parametrize("write", [pay, record])
def test_who_was_counted_by_the_old_window_as_it_was_moved_is_counted_anew(
    campaign: Campaign, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch, write: Any
) -> None:
    work = write(campaign, sandbox)
    assert Straddling(monkeypatch).race(work, campaign) == 0
    assert Payment.objects.count() == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
@pytest.mark.parametrize("write", [pay, record])
def test_without_its_locks_a_recount_would_miss_them(
    campaign: Campaign, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch, write: Any
) -> None:
    """The control of the test above."""
    work = write(campaign, sandbox)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)
    assert Straddling(monkeypatch).race(work, campaign) == 1


def test_what_is_settled_in_the_middle_counts_by_the_new_window(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    work = pay(campaign, sandbox)
    make_payment(make_member(), campaign, "2026-11-20 12:00")
    move_window(campaign, "2026-11-05 00:00")
    assert not take_a_batch(campaign)
    work()
    assert Tally.objects.count() == 1
    assert progress.continue_recount(campaign.pk)
    assert counted_rows(campaign) == by_the_rule(campaign)
    assert Tally.objects.count() == 2


# What waits for it


def test_meanwhile_readers_are_shown_the_last_number_and_nobody_closes_the_campaign(
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
        tasks.recount()
        assert banners.publish_campaign(birthday.pk) is not None
        assert progress.close_campaign(birthday.pk, by="editor", seen=seen)


def test_a_sweep_asks_for_a_turn_while_one_is_due(
    crowd: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(tasks, "run_soon", lambda task, *_: asked.append(task.name))
    tasks.sweep()
    assert asked == []
    move_window(crowd, "2026-11-15 00:00")
    monkeypatch.setattr(tasks, "TURN", timedelta(0))
    for _ in range(PEOPLE // recounts.BATCH + 1):
        tasks.sweep()
        tasks.recount()
        assert is_due(crowd)
    assert set(asked) == {"campaigns.tasks.recount"}
    tasks.recount()
    assert not is_due(crowd)
    assert crowd.publish_at is not None
    assert asked[-1] == "campaigns.tasks.do_what_followed"


def test_one_that_fails_holds_up_no_other(
    birthday: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    spring = make_campaign(slug="spring")
    make_payment(make_member(), spring, "2026-11-10 12:00")
    carry_on = progress.continue_recount

    def fail_on_first(campaign_id: int, **how: Any) -> bool:
        if campaign_id == birthday.pk:
            raise RuntimeError
        return carry_on(campaign_id, **how)

    monkeypatch.setattr(progress, "continue_recount", fail_on_first)
    for campaign in (birthday, spring):
        progress.request_recount(campaign.pk)
    tasks.recount()
    assert is_due(birthday)
    assert not is_due(spring)
    assert Tally.objects.get().campaign == spring
