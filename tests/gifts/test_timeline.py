"""Reminders, expiry and the end of a gift, with a clock that the test moves."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction

from campaigns import actions, emails, gifts, jobs, memberships
from campaigns.gifts.timeline import Step, list_steps
from campaigns.models import Campaign, Gift, Membership, OutgoingMail, Plan
from tests.support.factories import at, make_campaign, make_gift, make_member

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]

SOLD = at("2026-11-10 12:00")
KINDS = ("gift_reminder", "gift_unclaimed", "gift_expiring", "gift_ending")


# The first day, and each day with a step, with the days around it.
A_YEAR = sorted({0, 364} | {day + near for day in (14, 60, 300, 335) for near in (-1, 0, 1)})


@pytest.fixture
def birthday() -> Campaign:
    """A campaign without a goal: nothing is published, which would take most of the time here."""
    campaign = make_campaign()
    campaign.goals.all().delete()
    return campaign


def sell(campaign: Campaign, **changes: Any) -> Gift:
    """Sell a gift that is delivered at once."""
    gift = make_gift(make_member("ada@example.org"), campaign, "2026-11-10 12:00", **changes)
    OutgoingMail.objects.create(
        key=f"invitation:{gift.pk}", kind="gift_invitation", gift=gift, due_at=SOLD
    )
    return gift


def sweep_daily(clock: time_machine.Traveller, days: Iterable[int]) -> dict[int, list[str]]:
    """Run a sweep on each of these days; return the kinds of e-mails scheduled on each day."""
    seen = set(OutgoingMail.objects.filter(kind__in=KINDS).values_list("pk", flat=True))
    scheduled: dict[int, list[str]] = {}
    for day in days:
        clock.move_to(SOLD + timedelta(days=day))
        jobs.run_due_jobs()
        for mail in OutgoingMail.objects.filter(kind__in=KINDS).exclude(pk__in=seen):
            seen.add(mail.pk)
            scheduled.setdefault(day, []).append(mail.kind)
    return {day: sorted(kinds) for day, kinds in scheduled.items()}


def status_of(gift: Gift) -> str:
    gift.refresh_from_db()
    return gift.status


def test_an_unclaimed_gift_gets_three_reminders_and_expires_after_a_year(
    birthday: Campaign, mailoutbox: list[Any]
) -> None:
    with time_machine.travel(SOLD, tick=False) as clock:
        gift = sell(birthday)
        assert sweep_daily(clock, A_YEAR) == {
            14: ["gift_reminder"],
            60: ["gift_reminder", "gift_unclaimed"],
            300: ["gift_reminder", "gift_unclaimed"],
            335: ["gift_expiring"],
        }
        assert status_of(gift) == "delivered"
        clock.move_to(SOLD + timedelta(days=365))
        jobs.run_due_jobs()
        assert status_of(gift) == "expired"
        with pytest.raises(gifts.GiftNotClaimable, match="expired"):
            actions.claim_gift(gift.code, email="ben@example.org", name="", language="en")
    to = [mail.to[0] for mail in mailoutbox if "still waiting" in mail.subject.lower()]
    assert to == ["ben@example.org"] * 3


def test_the_buyer_is_reminded_of_a_gift_to_hand_over(birthday: Campaign) -> None:
    with time_machine.travel(SOLD, tick=False) as clock:
        gift = sell(birthday, recipient_email="", delivered_at=SOLD, status="delivered")
        with transaction.atomic():
            Gift.objects.filter(pk=gift.pk).update(due_at=SOLD)
        assert sweep_daily(clock, A_YEAR) == {
            14: ["gift_unclaimed"],
            60: ["gift_unclaimed"],
            300: ["gift_unclaimed"],
            335: ["gift_expiring"],
        }


@pytest.mark.thorough
def test_no_reminder_comes_after_the_expiry_of_a_shorter_plan(birthday: Campaign) -> None:
    with time_machine.travel(SOLD, tick=False) as clock:
        gift = sell(birthday, expires_at=SOLD + timedelta(days=50))
        Plan.objects.update(gift_claimable_days=50)
        assert sweep_daily(clock, range(61)) == {14: ["gift_reminder"], 20: ["gift_expiring"]}
        assert status_of(gift) == "expired"


@pytest.mark.thorough
def test_an_undelivered_gift_gets_no_reminder(birthday: Campaign) -> None:
    with time_machine.travel(SOLD, tick=False) as clock:
        gift = sell(birthday)
        OutgoingMail.objects.all().delete()
        gifts.change_delivery(gift, deliver_at=SOLD + timedelta(days=100))
        assert sweep_daily(clock, range(100)) == {}
        assert sweep_daily(clock, range(116)) == {114: ["gift_reminder"]}
        gift.refresh_from_db()
        assert gift.delivered_at == SOLD + timedelta(days=100)
        assert gift.expires_at >= gift.delivered_at + timedelta(days=365)


def test_sweeps_missed_for_months_remind_once(birthday: Campaign) -> None:
    with time_machine.travel(SOLD, tick=False) as clock:
        gift = sell(birthday)
        jobs.run_due_jobs()
        assert sweep_daily(clock, [0, 310]) == {310: ["gift_reminder", "gift_unclaimed"]}
        clock.move_to(SOLD + timedelta(days=900))
        jobs.run_due_jobs()
        assert status_of(gift) == "expired"
        assert OutgoingMail.objects.filter(kind="gift_expiring").count() == 0


def test_the_member_is_warned_a_month_and_a_week_before_the_end(
    birthday: Campaign, mailoutbox: list[Any]
) -> None:
    with time_machine.travel(SOLD, tick=False) as clock:
        gift = sell(birthday, months=3)
        actions.claim_gift(gift.code, email="cleo@example.org", name="Cleo", language="en")
        assert sweep_daily(clock, range(101)) == {62: ["gift_ending"], 85: ["gift_ending"]}
        assert Membership.objects.get().ends_at == at("2027-02-10 12:00")
        assert Membership.objects.get().status == "ended"
    endings = [mail for mail in mailoutbox if mail.to == ["cleo@example.org"]]
    assert sum("10 February 2027" in mail.body for mail in endings) >= 2


@pytest.mark.thorough
def test_a_gift_of_one_month_has_no_warning_on_the_day_of_its_claim(
    birthday: Campaign,
) -> None:
    with time_machine.travel(SOLD, tick=False) as clock:
        gift = sell(birthday, months=1)
        actions.claim_gift(gift.code, email="cleo@example.org", name="Cleo", language="en")
        assert sweep_daily(clock, range(32)) == {23: ["gift_ending"]}


@pytest.mark.thorough
def test_a_member_with_longer_access_is_not_warned(birthday: Campaign) -> None:
    with time_machine.travel(SOLD, tick=False) as clock:
        gift = sell(birthday, months=3)
        actions.claim_gift(gift.code, email="cleo@example.org", name="Cleo", language="en")
        memberships.grant_membership(
            make_member("cleo@example.org"),
            plan=None,
            source=Membership.Source.GRANTED,
            starts_at=SOLD,
            months=24,
        )
        assert sweep_daily(clock, range(101)) == {}


@pytest.mark.thorough
def test_a_recipient_who_opted_out_gets_no_reminder_and_the_buyer_does(
    birthday: Campaign, mailoutbox: list[Any]
) -> None:
    with time_machine.travel(SOLD, tick=False) as clock:
        sell(birthday)
        emails.stop_reminders("Ben@example.org")
        sweep_daily(clock, range(71))
    reminded = [mail.to[0] for mail in mailoutbox if "List-Unsubscribe" in mail.extra_headers]
    assert reminded == ["ada@example.org"]


def test_a_restored_gift_has_its_full_time_to_be_claimed(
    birthday: Campaign, admin_user: Any
) -> None:
    with time_machine.travel(SOLD, tick=False) as clock:
        gift = sell(birthday)
        sweep_daily(clock, [0, 183, 366])
        assert status_of(gift) == "expired"
        actions.restore_gift(gift, by=admin_user, why="they wrote to us")
        assert status_of(gift) == "delivered"
        assert gift.expires_at == SOLD + timedelta(days=366 + 365)
        assert [step for _, step in list_steps(gift)][-1] is Step.EXPIRE
        claimed = actions.claim_gift(gift.code, email="ben@example.org", name="Ben", language="en")
        assert claimed.status == "claimed"
