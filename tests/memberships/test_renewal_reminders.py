"""Reminders of yearly renewals: once for each stage, with the amount, and only if it renews."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings

from campaigns import jobs
from campaigns.models import Member, Membership, OutgoingMail, Price
from tests.support.factories import at, make_campaign, make_member, make_price
from tests.support.mails import (
    assert_no_longer_wanted,
    links_in,
    make_mail,
    make_paid_membership,
    read_both_parts,
    send_mail,
    text_of,
)
from tests.support.sales import make_subscription

pytestmark = [pytest.mark.django_db, pytest.mark.once]

CHARGE = at("2027-11-10 12:00")


@pytest.fixture
def yearly() -> Membership:
    """Ada's subscription, which renews on 10 November 2027."""
    return make_subscription(member=make_member("ada@example.org"))


def remind(moment: Any) -> list[str]:
    """Run the job at a moment, and return the stages that were scheduled by it so far."""
    with time_machine.travel(moment, tick=False):
        jobs.run_due_jobs("renewals")
    keys = OutgoingMail.objects.filter(kind="renewal").order_by("pk").values_list("key", flat=True)
    return [key.rpartition(":")[2] for key in keys]


def test_a_member_is_reminded_thirty_and_seven_days_before(yearly: Membership) -> None:
    days = {ago: remind(CHARGE - timedelta(days=ago)) for ago in range(40, -5, -1)}
    assert days[31] == []
    assert days[30] == days[8] == ["30"]
    assert days[7] == days[0] == days[-4] == ["30", "7"]


def test_the_next_renewal_has_its_own_reminders(yearly: Membership) -> None:
    remind(CHARGE - timedelta(days=30))
    remind(CHARGE - timedelta(days=7))
    Membership.objects.update(ends_at=at("2028-11-10 12:00"))
    assert remind(CHARGE + timedelta(days=30)) == ["30", "7"]
    assert remind(at("2028-10-12 12:00")) == ["30", "7", "30"]


def test_a_late_job_sends_one_reminder(yearly: Membership) -> None:
    assert remind(CHARGE - timedelta(days=3)) == ["7"]
    assert remind(CHARGE - timedelta(days=2)) == ["7"]


@pytest.mark.parametrize(
    "changes",
    [
        {"is_cancelling": True},
        {"status": "past_due"},
        {"status": "paused"},
        {"status": "ended", "ended_at": at("2027-01-01 12:00")},
        {"subscription_id": None, "source": "granted"},
    ],
)
def test_who_is_not_charged_is_not_reminded(yearly: Membership, changes: dict[str, object]) -> None:
    mail = make_mail("renewal", membership=yearly)
    Membership.objects.filter(pk=yearly.pk).update(**changes)
    OutgoingMail.objects.exclude(pk=mail.pk).delete()
    assert len(remind(CHARGE - timedelta(days=7))) == 1  # the one above
    if "subscription_id" not in changes:
        assert_no_longer_wanted(mail)


def test_a_monthly_membership_is_not_reminded(yearly: Membership) -> None:
    Membership.objects.update(price=make_price("month"))
    assert remind(CHARGE - timedelta(days=7)) == []


def test_a_gift_moves_the_reminder_with_the_charge(yearly: Membership) -> None:
    Membership.objects.update(gifted_from=CHARGE, gifted_until=at("2028-02-10 12:00"))
    assert remind(CHARGE - timedelta(days=7)) == []
    assert remind(at("2028-01-12 12:00")) == ["30"]
    with time_machine.travel(at("2028-01-12 12:00"), tick=False):
        text, _html = read_reminder()
    assert "on 10 February 2028" in text


@pytest.mark.parametrize(("days", "sent"), [([], []), ([14], ["14"]), ([7, 7], ["7"])])
def test_the_days_are_a_setting(
    yearly: Membership, settings: LazySettings, days: list[int], sent: list[str]
) -> None:
    settings.RENEWAL_REMINDER_DAYS = days
    assert remind(CHARGE - timedelta(days=5)) == sent


# The e-mail


def read_reminder() -> tuple[str, str]:
    mail = OutgoingMail.objects.get(kind="renewal")
    return read_both_parts(send_mail(mail))


def test_it_says_the_amount_the_date_and_what_to_do() -> None:
    payment = make_paid_membership(make_campaign())
    membership = payment.membership
    assert membership is not None
    mail = make_mail("renewal", membership=membership)
    sent = send_mail(mail)
    assert sent.to == ["ada@example.org"]
    assert sent.subject == "Your membership of The Meridian Post renews on 10 November 2027"
    assert any(link.endswith("/membership/account/") for link in links_in(text_of(sent)))
    for part in read_both_parts(sent):
        for words in (
            "Your membership renews for another year on 10 November 2027.",
            "You’ll be charged €60 then with your current payment method.",
            "To change the price or your card, or to cancel, open your account page",
        ):
            assert words in part


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"next_due_minor": 4500}, "You’ll be charged €45 then"),
        ({"next_due_minor": 0}, "You won’t be charged, because your credit"),
        ({"amount_minor": 7500}, "You’ll be charged €75 then"),
    ],
)
def test_the_amount_is_what_will_be_charged(
    yearly: Membership, changes: dict[str, int], words: str
) -> None:
    Price.objects.update(is_open=True)
    Membership.objects.update(**changes)
    make_mail("renewal", membership=yearly)
    for part in read_reminder():
        assert words in part


def test_after_the_charge_it_is_not_sent(yearly: Membership) -> None:
    mail = make_mail("renewal", membership=yearly)
    with time_machine.travel(CHARGE + timedelta(hours=1), tick=False):
        assert_no_longer_wanted(mail)


def test_an_erased_member_gets_none(yearly: Membership) -> None:
    mail = make_mail("renewal", membership=yearly)
    Member.objects.update(email=f"erased-{yearly.member_id}@erased.invalid")
    assert_no_longer_wanted(mail)
