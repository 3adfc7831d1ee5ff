"""A paused subscription: access lasts to the end of the paid period."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from campaigns import jobs, members, memberships, settlement, stripe_api
from campaigns.models import Campaign, Membership, OutgoingMail, Payment, Price
from newsroom.sandbox.control import SandboxControl
from tests.conftest import deliver_events
from tests.support.extensions import Clock, claim_and_confirm, make_campaign_gift, read_next_charge
from tests.support.extensions import clock as _clock
from tests.support.factories import at
from tests.support.renewals import change_at_stripe, list_invoices_of
from tests.support.rows import dump_rows, forget_sales
from tests.support.sales import settle, subscribe
from tests.support.sign_in import open_account_page, sign_in

ADA = "ada@example.org"
PAID_UNTIL = at("2026-12-10 12:00")
BEHAVIOURS = ["void", "mark_uncollectible", "keep_as_draft"]

clock = _clock  # a fixture


@pytest.fixture
def paying(campaign: Campaign, sandbox: SandboxControl, clock: Clock) -> Membership:
    """A monthly membership since 10 November."""
    return subscribe(campaign, sandbox)


def pause(membership: Membership, behaviour: str = "void", until: datetime | None = None) -> None:
    how: dict[str, Any] = {"behavior": behaviour}
    if until is not None:
        how["resumes_at"] = int(until.timestamp())
    change_at_stripe(membership, pause_collection=how)


def resume(membership: Membership) -> None:
    change_at_stripe(membership, pause_collection="")


def row(membership: Membership) -> tuple[str, datetime | None]:
    settle(membership)
    return membership.status, membership.access_until


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_access_lasts_to_the_end_of_the_paid_period_and_returns_with_payments(
    paying: Membership, clock: Clock, behaviour: str
) -> None:
    clock.move_to(at("2026-11-20 12:00"))
    pause(paying, behaviour)
    assert row(paying) == ("paused", PAID_UNTIL)
    for moment in ("2026-12-10 12:05", "2027-01-15 12:00"):  # two periods pass unpaid
        clock.move_to(at(moment))
        assert row(paying) == ("paused", PAID_UNTIL)
    assert memberships.has_access(paying.member, PAID_UNTIL - timedelta(seconds=1))
    assert not memberships.has_access(paying.member, PAID_UNTIL)
    resume(paying)
    assert row(paying) == ("active", None)
    clock.move_to(at("2027-02-10 12:05"))
    assert row(paying) == ("active", None)
    assert Payment.objects.filter(status="succeeded").count() == 2


@pytest.mark.thorough
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_the_grace_period_of_a_later_failure_does_not_start_in_the_pause(
    paying: Membership, sandbox: SandboxControl, clock: Clock, behaviour: str
) -> None:
    pause(paying, behaviour)
    clock.move_to(at("2027-01-20 12:00"))
    resume(paying)
    sandbox.renew(str(paying.subscription_id), outcome="failed")
    assert row(paying) == ("past_due", at("2027-02-24 12:00"))


def test_a_pause_with_a_date_resumes_automatically(
    paying: Membership, clock: Clock, client: Client
) -> None:
    pause(paying, until=at("2027-01-20 12:00"))
    assert row(paying) == ("paused", PAID_UNTIL)
    assert paying.resumes_at == at("2027-01-20 12:00")
    sign_in(client, ADA)
    page = open_account_page(client)
    for words in (
        "Paused. You won’t be charged. You’ve paid for access until 10 December 2026.",
        "It resumes on 20 January 2027.",
        "Cancel membership",
    ):
        assert words in page
    assert "Change price" not in page
    clock.move_to(at("2027-01-20 12:05"))
    assert row(paying) == ("active", None)
    assert paying.resumes_at is None


def test_the_member_sees_the_pause_after_the_paid_period(
    paying: Membership, clock: Clock, client: Client
) -> None:
    pause(paying)
    settle(paying)
    clock.move_to(at("2026-12-10 12:00"))
    sign_in(client, ADA)
    assert "You had paid for access until 10 December 2026." in open_account_page(client)


def test_a_paused_membership_can_be_cancelled(
    paying: Membership, clock: Clock, client: Client
) -> None:
    pause(paying)
    settle(paying)
    sign_in(client, ADA)
    path = f"/membership/account/{paying.pk}/cancel/"
    assert "until 10 December 2026. It’s paid for until then." in client.get(path).content.decode()
    assert client.post(path)["Location"].endswith("?done=cancelled")
    clock.move_to(at("2026-12-10 12:05"))
    assert settle(paying) == "ended"


def test_a_year_switched_to_a_month_is_paid_to_the_end_of_the_month(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    yearly = subscribe(campaign, sandbox, kind="year")
    clock.move_to(at("2026-11-20 12:00"))
    month = Price.objects.get(kind="month")
    members.make_switch(yearly, members.plan_switch(yearly, month))
    pause(yearly)
    assert row(yearly) == ("paused", at("2026-12-20 12:00"))


@pytest.mark.thorough
def test_a_membership_past_due_before_its_pause_ends_with_the_paid_period(
    paying: Membership, sandbox: SandboxControl, clock: Clock
) -> None:
    clock.move_to(at("2026-12-10 11:59"))
    sandbox.renew(str(paying.subscription_id), outcome="failed")
    assert row(paying) == ("past_due", at("2026-12-24 12:00"))
    pause(paying)
    assert row(paying) == ("paused", PAID_UNTIL)
    clock.move_to(at("2027-01-15 12:00"))
    jobs.run_due_jobs()
    assert row(paying)[0] == "paused"
    assert not OutgoingMail.objects.filter(kind="lapsed").exists()


# With gifts


def test_a_gift_to_a_paused_membership_follows_the_paid_period(
    campaign: Campaign, paying: Membership
) -> None:
    pause(paying)
    settle(paying)
    gift = claim_and_confirm(make_campaign_gift(campaign, months=2), email=ADA)
    assert gift.membership is not None
    assert (gift.membership.extends, gift.membership.started_at) == (None, PAID_UNTIL)


@pytest.mark.thorough
def test_a_gift_claimed_before_the_pause_still_moves_the_charge(
    campaign: Campaign, paying: Membership, clock: Clock
) -> None:
    claim_and_confirm(make_campaign_gift(campaign, months=2), email=ADA)
    pause(paying)
    jobs.run_due_jobs()
    paying.refresh_from_db()
    assert (paying.push_error, paying.due_at) == ("", None)
    gifted_until = at("2027-02-10 12:00")
    assert read_next_charge(paying) == gifted_until
    assert row(paying) == ("paused", gifted_until)
    clock.move_to(at("2027-02-01 12:00"))
    resume(paying)
    assert row(paying) == ("active", None)
    assert Payment.objects.filter(membership=paying).count() == 1
    clock.move_to(gifted_until + timedelta(minutes=5))
    settle(paying)
    assert Payment.objects.filter(membership=paying).count() == 2


@pytest.mark.thorough
def test_a_period_that_passes_in_the_pause_does_not_delay_the_gift(
    campaign: Campaign, paying: Membership, clock: Clock
) -> None:
    """Claimed within the paid month; Stripe is updated in the next, unpaid one."""
    clock.move_to(at("2026-12-10 11:59"))
    gift = claim_and_confirm(make_campaign_gift(campaign, months=2), email=ADA)
    pause(paying)
    clock.move_to(at("2026-12-10 12:05"))
    jobs.run_due_jobs()
    assert gift.membership is not None
    gift.membership.refresh_from_db()
    assert gift.membership.started_at == PAID_UNTIL
    assert read_next_charge(paying) == at("2027-02-10 12:00")


@pytest.mark.thorough
def test_a_pause_during_gifts_ends_access_with_the_gifts(
    campaign: Campaign, paying: Membership, clock: Clock
) -> None:
    first = claim_and_confirm(make_campaign_gift(campaign, months=2), email=ADA)
    jobs.run_due_jobs()
    pause(paying)
    clock.move_to(at("2027-02-20 12:00"))
    assert row(paying) == ("paused", at("2027-02-10 12:00"))
    # Extensions may move meanwhile, because a gift is revoked.
    assert first.membership is not None
    with transaction.atomic():
        memberships.revoke_access(first.membership, at=at("2027-02-20 12:00"))
    jobs.run_due_jobs()
    paying.refresh_from_db()
    assert paying.push_error == ""


# Stripe's other pause


@pytest.mark.thorough
def test_a_trial_that_ends_without_a_card_pauses_until_it_is_resumed(
    campaign: Campaign, paying: Membership, clock: Clock
) -> None:
    claim_and_confirm(make_campaign_gift(campaign, months=1), email=ADA)
    jobs.run_due_jobs()
    without = {"end_behavior": {"missing_payment_method": "pause"}}
    change_at_stripe(paying, default_payment_method="", trial_settings=without)
    free_until = at("2027-01-10 12:00")
    clock.move_to(free_until + timedelta(minutes=5))
    assert row(paying) == ("paused", free_until)
    change_at_stripe(paying, default_payment_method=_card_of(paying))
    stripe_api.client().v1.subscriptions.resume(str(paying.subscription_id))
    assert row(paying) == ("active", None)


def _card_of(membership: Membership) -> str:
    payment = Payment.objects.filter(membership=membership).earliest("paid_at")
    intent = stripe_api.client().v1.payment_intents.retrieve(str(payment.intent_id))
    return str(intent.to_dict()["payment_method"])


def test_a_membership_ended_in_its_pause_gave_no_access_after_the_paid_period(
    paying: Membership, clock: Clock
) -> None:
    pause(paying)
    clock.move_to(at("2027-01-20 12:00"))
    stripe_api.end_subscription(str(paying.subscription_id))
    assert row(paying) == ("ended", PAID_UNTIL)
    assert not memberships.has_access(paying.member, at("2027-01-01 12:00"))


# Any order


@pytest.mark.parametrize("is_resumed", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_the_last_event_alone_and_the_reverse_order_end_in_the_same_rows(
    paying: Membership, sandbox: SandboxControl, clock: Clock, client: Client, is_resumed: bool
) -> None:
    pause(paying, "mark_uncollectible")
    clock.move_to(at("2027-01-20 12:00"))
    if is_resumed:
        resume(paying)
        clock.move_to(at("2027-02-10 12:05"))
    assert list_invoices_of(paying)
    event_ids = [event["id"] for event in sandbox.events()]
    updates = [event["id"] for event in sandbox.events("customer.subscription.updated")]
    ended = []
    for order in (event_ids, event_ids[::-1], updates[-1:]):
        forget_sales()
        deliver_events(sandbox, client, order)
        ended.append(dump_rows())
    assert ended[0] == ended[1] == ended[2]
    assert Membership.objects.get().status == ("active" if is_resumed else "paused")


def test_settling_twice_changes_nothing(paying: Membership) -> None:
    pause(paying)
    settle(paying)
    rows = dump_rows()
    assert paying.checkout_id is not None
    settlement.settle_checkout(paying.checkout_id)
    assert dump_rows() == rows
