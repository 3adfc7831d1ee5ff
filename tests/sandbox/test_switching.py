"""What a change of price costs, before it is made and if the bank refuses; who is never paid."""

from typing import Any

import pytest
import stripe

from newsroom.sandbox.control import SandboxControl

from . import schema
from .conftest import NOON, OpenSession, period, subscribe

REFUSES_LATER = "4000000000000341"


@pytest.fixture
def monthly(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_membership: OpenSession,
    month_price: stripe.Price,
) -> stripe.Subscription:
    control.freeze(NOON)
    member = subscribe(control, stripe_client, open_membership(price=month_price.id))
    control.advance(days=15)
    return member


def to_year(member: stripe.Subscription, year_price: stripe.Price) -> list[Any]:
    return [{"id": member["items"].data[0].id, "price": year_price.id}]


def test_a_preview_shows_what_is_then_invoiced_and_leaves_nothing_behind(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    http_client: schema.CheckingClient,
    monthly: stripe.Subscription,
    year_price: stripe.Price,
) -> None:
    # The excerpt of the schema leaves the preview out; its answer is an invoice like any other.
    http_client.checks_requests = False
    then = {"proration_behavior": "always_invoice", "proration_date": NOON + 86400}
    before, books = len(control.events()), control.books()
    params: Any = {
        "subscription": monthly.id,
        "subscription_details": {"items": to_year(monthly, year_price), **then},
    }
    preview = stripe_client.v1.invoices.create_preview(params)
    assert (preview.status, preview.amount_paid, preview.attempted) == ("draft", 0, False)
    assert len(control.events()) == before
    assert control.books() == books
    assert stripe_client.v1.subscriptions.retrieve(monthly.id).to_dict() == monthly.to_dict()
    http_client.checks_requests = True

    change: Any = {"items": to_year(monthly, year_price), **then}
    changed = stripe_client.v1.subscriptions.update(monthly.id, change)
    made = stripe_client.v1.invoices.retrieve(str(changed.latest_invoice))
    assert [line.amount for line in made.lines.data] == [line.amount for line in preview.lines.data]
    assert made.amount_paid == preview.amount_due == 6000 - 580  # of 30 days 29 were left
    assert period(changed)[0] == NOON + 15 * 86400


def test_a_date_outside_of_the_period_is_refused(
    stripe_client: stripe.StripeClient, monthly: stripe.Subscription, year_price: stripe.Price
) -> None:
    change: Any = {"items": to_year(monthly, year_price), "proration_date": NOON - 1}
    with pytest.raises(stripe.InvalidRequestError, match="outside of the current period"):
        stripe_client.v1.subscriptions.update(monthly.id, change)


@pytest.mark.parametrize("behaviour", ["error_if_incomplete", "allow_incomplete"])
def test_a_refused_payment_undoes_the_change_if_that_is_asked_for(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_membership: OpenSession,
    month_price: stripe.Price,
    behaviour: str,
) -> None:
    session = open_membership(price=month_price.id)
    member = subscribe(control, stripe_client, session, card=REFUSES_LATER)
    [year_price] = stripe_client.v1.prices.list({"lookup_keys": ["membership-year"]}).data
    events, subscriptions = len(control.events()), stripe_client.v1.subscriptions
    change: Any = {"items": to_year(member, year_price), "payment_behavior": behaviour}
    if behaviour == "allow_incomplete":
        assert subscriptions.update(member.id, change).status == "past_due"
        return
    with pytest.raises(stripe.CardError) as refusal:
        subscriptions.update(member.id, change)
    assert (refusal.value.code, refusal.value.http_status) == ("card_declined", 402)
    assert subscriptions.retrieve(member.id).to_dict() == member.to_dict()
    assert len(control.events()) == events


@pytest.mark.parametrize("outcome", ["cancel", "past_due", "unpaid"])
def test_after_the_last_try_the_account_decides(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_membership: OpenSession,
    month_price: stripe.Price,
    outcome: str,
) -> None:
    control.freeze(NOON)
    control.set_outcome_after_retries(outcome)
    session = open_membership(price=month_price.id)
    member = subscribe(control, stripe_client, session, card=REFUSES_LATER)
    control.advance(days=65)
    after = stripe_client.v1.subscriptions.retrieve(member.id)
    assert after.status == ("canceled" if outcome == "cancel" else outcome)
    invoices = stripe_client.v1.invoices.list({"subscription": member.id}).data
    expected = {
        "cancel": ["open", "paid"],
        "past_due": ["open", "open", "paid"],
        "unpaid": ["draft", "open", "paid"],  # nobody is asked any more
    }
    assert [invoice.status for invoice in invoices] == expected[outcome]


def test_only_the_newest_invoice_makes_it_stand_well_again(
    control: SandboxControl, stripe_client: stripe.StripeClient, member: stripe.Subscription
) -> None:
    older, newest = (control.renew(member.id, outcome="failed") for _ in range(2))
    stripe_client.v1.invoices.pay(older["id"])
    assert stripe_client.v1.subscriptions.retrieve(member.id).status == "past_due"
    stripe_client.v1.invoices.pay(newest["id"])
    assert stripe_client.v1.subscriptions.retrieve(member.id).status == "active"
