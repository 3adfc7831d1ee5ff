"""An unpaid renewal: access lasts through the grace period, lapses, and can be restored."""

import random
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.core import mail as mailbox
from django.test import Client
from django.utils import timezone

from campaigns import jobs, members, memberships, settlement, stripe_api
from campaigns.models import Campaign, Membership, OutgoingMail, Payment, Tally
from newsroom.sandbox.control import SandboxControl
from tests.conftest import deliver_events
from tests.support.effort import effort
from tests.support.extensions import Clock, claim_and_confirm, make_campaign_gift
from tests.support.extensions import clock as _clock
from tests.support.factories import at, make_campaign
from tests.support.mails import assert_no_longer_wanted, find_link, read_both_parts, send_mail
from tests.support.renewals import (
    DECLINED_LATER,
    GOOD,
    change_at_stripe,
    list_invoices_of,
    pay_newest_invoice,
    replace_card,
)
from tests.support.rows import dump_rows, forget_sales
from tests.support.sales import place_order, settle, subscribe

clock = _clock  # a fixture
FAILED = at("2026-12-10 12:00")  # a month after the campaign's noon
OVER = at("2026-12-24 12:00")


@pytest.fixture(autouse=True)
def past_due_after_retries(sandbox: SandboxControl) -> None:
    """Let Stripe keep the subscription past due after its last attempt."""
    sandbox.set_outcome_after_retries("past_due")


@pytest.fixture
def unpaid(campaign: Campaign, sandbox: SandboxControl, clock: Clock) -> Membership:
    """A monthly membership since 10 November, whose charges fail since 10 December."""
    membership = subscribe(campaign, sandbox, card=DECLINED_LATER)
    clock.move_to(FAILED + timedelta(minutes=5))
    settle(membership)
    return membership


def lapsed_mails() -> list[OutgoingMail]:
    return list(OutgoingMail.objects.filter(kind="lapsed").order_by("pk"))


def has_access(membership: Membership, moment: str) -> bool:
    return memberships.has_access(membership.member, at(moment))


def campaigns_counted() -> set[str]:
    return set(Tally.objects.values_list("campaign__slug", flat=True))


# The grace period


def test_access_lasts_two_weeks_from_the_start_of_the_unpaid_time(unpaid: Membership) -> None:
    assert (unpaid.status, unpaid.access_until) == ("past_due", OVER)
    assert has_access(unpaid, "2026-12-24 11:59")
    assert not has_access(unpaid, "2026-12-24 12:00")  # with or without a sweep


def test_a_membership_lapses_after_its_grace_period_with_one_email(
    unpaid: Membership, clock: Clock
) -> None:
    clock.move_to(OVER - timedelta(minutes=1))
    jobs.run_due_jobs()
    unpaid.refresh_from_db()
    assert unpaid.status == "past_due"
    assert lapsed_mails() == []
    clock.move_to(OVER)
    for _ in range(3):
        jobs.run_due_jobs()
    unpaid.refresh_from_db()
    assert (unpaid.status, unpaid.access_until) == ("lapsed", OVER)
    [mail] = lapsed_mails()
    assert mail.key == f"lapsed:{list_invoices_of(unpaid)[0].id}"
    assert mail.sent_at is not None
    assert mailbox.outbox[-1].subject == "Your membership of The Meridian Post has lapsed"


def test_a_late_settlement_lapses_without_a_sweep(unpaid: Membership, clock: Clock) -> None:
    clock.move_to(OVER)
    assert settle(unpaid) == "lapsed"
    assert memberships.lapse_memberships(at=timezone.now()) == 0
    assert len(lapsed_mails()) == 1


def test_the_email_says_that_it_lapsed_and_how_to_return(
    unpaid: Membership, clock: Clock, client: Client
) -> None:
    clock.move_to(OVER)
    settle(unpaid)
    sent = send_mail(lapsed_mails()[0])
    assert sent.to == ["ada@example.org"]
    for part in read_both_parts(sent):
        for words in (
            "Hello Ada Reader,",
            "Your membership has lapsed, so you no longer have access.",
            "24 December 2026",
            "update your card or bank account at Stripe and pay the latest open invoice",
            "you don’t need to sign up again",
        ):
            assert words in part
    answer = client.get(urlsplit(find_link(sent, "/membership/manage/")).path)
    assert answer.status_code in {200, 302}


@pytest.mark.thorough
@pytest.mark.parametrize("outcome", ["past_due", "unpaid"])
def test_three_unpaid_months_do_not_move_the_grace_period(
    unpaid: Membership, sandbox: SandboxControl, clock: Clock, outcome: str
) -> None:
    sandbox.set_outcome_after_retries(outcome)
    for moment in ("2027-01-10 12:05", "2027-02-10 12:05", "2027-03-10 12:05"):
        clock.move_to(at(moment))
        assert settle(unpaid) == "lapsed"
        assert unpaid.access_until == OVER
    assert unpaid.ends_at == at("2027-04-10 12:00")  # Stripe moves its periods on regardless
    assert stripe_api.fetch_subscription(str(unpaid.subscription_id)).status == outcome
    assert len(list_invoices_of(unpaid)) == 5
    assert len(lapsed_mails()) == 1
    assert OutgoingMail.objects.filter(kind="past_due").count() == 1


def test_a_payment_meanwhile_moves_the_grace_period(unpaid: Membership, clock: Clock) -> None:
    """The older of two open invoices is paid, so the unpaid time starts with the second."""
    clock.move_to(at("2027-01-10 12:05"))
    replace_card(unpaid)
    december = list_invoices_of(unpaid)[1]
    stripe_api.client().v1.invoices.pay(december.id)
    assert settle(unpaid) == "past_due"
    assert unpaid.access_until == at("2027-01-24 12:00")


def test_a_voided_invoice_is_ignored(unpaid: Membership, clock: Clock) -> None:
    clock.move_to(at("2027-01-10 12:05"))
    stripe_api.client().v1.invoices.void_invoice(list_invoices_of(unpaid)[1].id)
    assert settle(unpaid) == "past_due"
    assert unpaid.access_until == at("2027-01-24 12:00")


@pytest.mark.parametrize("days", [0, 1, 365])
def test_the_newsroom_sets_the_length_of_the_grace_period(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock, settings: LazySettings, days: int
) -> None:
    settings.GRACE_DAYS = days
    membership = subscribe(campaign, sandbox, card=DECLINED_LATER)
    clock.move_to(FAILED + timedelta(minutes=5))
    assert settle(membership) == ("past_due" if days else "lapsed")
    assert membership.access_until == FAILED + timedelta(days=days)
    kinds = set(OutgoingMail.objects.values_list("kind", flat=True))
    assert ("lapsed" in kinds, "past_due" in kinds) == (days == 0, days > 0)


# Ended at Stripe, and restored


def test_a_subscription_ended_by_stripe_gave_no_access_after_its_grace_period(
    unpaid: Membership, sandbox: SandboxControl, clock: Clock
) -> None:
    sandbox.set_outcome_after_retries("cancel")
    clock.move_to(at("2026-12-26 12:00"))
    assert settle(unpaid) == "ended"
    assert (unpaid.ended_at, unpaid.access_until) == (at("2026-12-25 12:00"), OVER)
    assert not has_access(unpaid, "2026-12-24 18:00")
    assert lapsed_mails() == []


def test_a_subscription_ended_within_its_grace_period_ends_then(
    unpaid: Membership, clock: Clock
) -> None:
    clock.move_to(at("2026-12-12 12:00"))
    stripe_api.end_subscription(str(unpaid.subscription_id))
    assert settle(unpaid) == "ended"
    assert (unpaid.ended_at, unpaid.access_until) == (at("2026-12-12 12:00"), None)
    assert has_access(unpaid, "2026-12-12 11:59")


@pytest.mark.thorough
@pytest.mark.parametrize("months", [0, 2])
def test_paying_the_newest_invoice_restores_access_and_the_count(
    unpaid: Membership, clock: Clock, months: int
) -> None:
    counted = list(Tally.objects.values())
    clock.move_to(OVER + timedelta(days=30 * months))
    assert settle(unpaid) == "lapsed"
    replace_card(unpaid)
    pay_newest_invoice(unpaid)
    assert settle(unpaid) == "active"
    assert unpaid.access_until is None
    assert_no_longer_wanted(lapsed_mails()[0])
    renewal = Payment.objects.get(status="succeeded", role=Payment.Role.RENEWAL)
    assert renewal.paid_at == timezone.now()
    assert list(Tally.objects.values()) == counted
    clock.move_to(timezone.now() + timedelta(days=31))
    assert settle(unpaid) == "active"  # the next one is collected automatically


def test_a_gift_to_a_lapsed_member_starts_now(unpaid: Membership, clock: Clock) -> None:
    clock.move_to(OVER)
    settle(unpaid)
    assert memberships.list_current_memberships(unpaid.member, at=timezone.now()) == []
    place = memberships.find_place([], at=timezone.now())
    assert (place.base, place.starts_at) == (None, OVER)


@pytest.mark.thorough
def test_the_grace_period_comes_after_the_gifts(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    membership = subscribe(campaign, sandbox, card=DECLINED_LATER)
    claim_and_confirm(make_campaign_gift(campaign, months=3), email="ada@example.org")
    jobs.run_due_jobs()
    clock.move_to(at("2027-03-10 11:59"))
    assert settle(membership) == "active"
    clock.move_to(at("2027-03-10 12:05"))
    assert settle(membership) == "past_due"
    assert membership.access_until == at("2027-03-24 12:00")
    clock.move_to(at("2027-03-24 12:00"))
    jobs.run_due_jobs()
    membership.refresh_from_db()
    assert membership.status == "lapsed"


# Counting


def start_campaign(starts_at: str) -> Campaign:
    return make_campaign(
        slug="winter", starts_at=at(starts_at), ends_at=at("2027-02-01 00:00"), zone="UTC"
    )


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("starts_at", "counts"),
    [("2026-12-24 12:00", True), ("2027-01-01 00:00", True), ("2026-12-24 11:59", False)],
    ids=["lapsed as it began", "lapsed before", "lapses after"],
)
def test_a_member_who_lapsed_before_a_campaign_and_joins_again_counts(
    unpaid: Membership, sandbox: SandboxControl, clock: Clock, starts_at: str, counts: bool
) -> None:
    winter = start_campaign(starts_at)
    clock.move_to(at("2027-01-05 12:00"))
    rejoined = place_order(winter, "year")
    sandbox.pay(str(rejoined.session_id), card=GOOD)
    settlement.settle_checkout(rejoined.pk)
    assert Tally.objects.filter(campaign=winter).exists() == counts
    settle(unpaid)  # in either order
    assert Tally.objects.filter(campaign=winter).exists() == counts
    assert Tally.objects.filter(campaign__slug="birthday").count() == 1


@pytest.mark.thorough
@pytest.mark.parametrize("pays", ["the newest", "all of them"])
def test_paying_old_invoices_keeps_the_count_in_a_campaign_that_began_after_the_lapse(
    unpaid: Membership, sandbox: SandboxControl, clock: Clock, pays: str
) -> None:
    winter = start_campaign("2027-01-01 00:00")
    early = make_campaign(
        slug="advent", starts_at=at("2026-12-20 00:00"), ends_at=at("2027-02-01 00:00"), zone="UTC"
    )
    clock.move_to(at("2027-01-15 12:00"))
    for campaign in (winter, early):
        rejoined = place_order(campaign, "year")
        sandbox.pay(str(rejoined.session_id), card=GOOD)
        settlement.settle_checkout(rejoined.pk)
    counted = list(Tally.objects.order_by("pk").values())
    assert campaigns_counted() == {
        "birthday",
        "winter",
    }  # the grace period was still running in Advent
    replace_card(unpaid)
    for invoice in list_invoices_of(unpaid)[: 1 if pays == "the newest" else 2]:
        stripe_api.client().v1.invoices.pay(invoice.id)
    assert settle(unpaid) == "active"
    assert list(Tally.objects.order_by("pk").values()) == counted
    assert has_access(unpaid, "2026-12-24 11:59")
    assert not has_access(unpaid, "2026-12-24 12:00")
    assert not has_access(unpaid, "2027-01-15 11:59")
    assert has_access(unpaid, "2027-01-15 12:00")


def test_resuming_keeps_the_count_in_a_campaign_that_began_during_the_pause(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    paused = subscribe(campaign, sandbox)
    change_at_stripe(paused, pause_collection={"behavior": "void"})
    winter = start_campaign("2027-01-01 00:00")
    clock.move_to(at("2027-01-05 12:00"))
    rejoined = place_order(winter, "year")
    sandbox.pay(str(rejoined.session_id), card=GOOD)
    settlement.settle_checkout(rejoined.pk)
    settle(paused)
    assert campaigns_counted() == {"birthday", "winter"}
    change_at_stripe(paused, pause_collection="")
    assert settle(paused) == "active"
    assert campaigns_counted() == {"birthday", "winter"}
    clock.move_to(at("2027-02-10 12:05"))
    assert settle(paused) == "active"
    assert campaigns_counted() == {"birthday", "winter"}
    assert not has_access(paused, "2027-01-01 00:00")
    assert has_access(paused, "2027-02-10 12:00")


# Any order


@pytest.mark.walk
@pytest.mark.thorough
def test_every_order_of_events_ends_in_the_same_rows(
    unpaid: Membership, sandbox: SandboxControl, clock: Clock, client: Client
) -> None:
    clock.move_to(at("2027-01-12 12:00"))
    for _ in range(2):  # lapsed, then restored
        event_ids = [event["id"] for event in sandbox.events()]
        ended: list[Any] = []
        for seed in (None, *range(1, effort(quick=2, thorough=4))):
            order = list(event_ids)
            if seed is not None:
                random.Random(seed).shuffle(order)  # noqa: S311
                order += order[:5]
            forget_sales()
            deliver_events(sandbox, client, order)
            ended.append(dump_rows())
        assert all(rows == ended[0] for rows in ended)
        membership = Membership.objects.get()
        assert len(lapsed_mails()) == (membership.status == "lapsed")
        if membership.status == "lapsed":
            replace_card(membership)
            pay_newest_invoice(membership)
    assert Membership.objects.get().status == "active"


# The account page


@pytest.mark.parametrize(
    ("moment", "standing", "can_cancel"),
    [("2026-12-24 11:59", "past_due", True), ("2026-12-24 12:00", "lapsed", True)],
)
def test_the_member_sees_the_lapse_at_once(
    unpaid: Membership, clock: Clock, moment: str, standing: str, can_cancel: bool
) -> None:
    """It shows before any sweep."""
    row = members.describe_membership(unpaid, at=at(moment))
    assert (row.standing.value, row.can_cancel, row.can_switch) == (standing, can_cancel, False)
