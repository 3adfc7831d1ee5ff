"""Price changes: previews, prorations, declines, and the outcome after the last retry."""

from typing import Any

import pytest
import stripe

from newsroom.sandbox.control import SandboxControl

from . import schema
from .conftest import NOON, OpenSession, get_period, start_subscription

REFUSES_LATER = "4000000000000341"


@pytest.fixture
def monthly(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_membership: OpenSession,
    month_price: stripe.Price,
) -> stripe.Subscription:
    control.freeze(NOON)
    subscription = start_subscription(control, stripe_client, open_membership(price=month_price.id))
    control.advance(days=15)
    return subscription


def change_to_year(subscription: stripe.Subscription, year_price: stripe.Price) -> list[Any]:
    return [{"id": subscription["items"].data[0].id, "price": year_price.id}]


def test_a_preview_shows_the_coming_invoice_and_changes_nothing(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    http_client: schema.CheckingClient,
    monthly: stripe.Subscription,
    year_price: stripe.Price,
) -> None:
    # Our excerpt of the schema doesn't contain the preview, whose answer is an invoice.
    http_client.checks_requests = False
    proration = {"proration_behavior": "always_invoice", "proration_date": NOON + 86400}
    before, books = len(control.events()), control.books()
    params: Any = {
        "subscription": monthly.id,
        "subscription_details": {"items": change_to_year(monthly, year_price), **proration},
    }
    preview = stripe_client.v1.invoices.create_preview(params)
    assert (preview.status, preview.amount_paid, preview.attempted) == ("draft", 0, False)
    assert len(control.events()) == before
    assert control.books() == books
    assert stripe_client.v1.subscriptions.retrieve(monthly.id).to_dict() == monthly.to_dict()
    http_client.checks_requests = True

    change: Any = {"items": change_to_year(monthly, year_price), **proration}
    changed = stripe_client.v1.subscriptions.update(monthly.id, change)
    created = stripe_client.v1.invoices.retrieve(str(changed.latest_invoice))
    assert [line.amount for line in created.lines.data] == [
        line.amount for line in preview.lines.data
    ]
    assert created.amount_paid == preview.amount_due == 6000 - 580  # 29 of 30 days were left
    assert get_period(changed)[0] == NOON + 15 * 86400


def test_a_proration_date_outside_the_period_is_rejected(
    stripe_client: stripe.StripeClient, monthly: stripe.Subscription, year_price: stripe.Price
) -> None:
    change: Any = {"items": change_to_year(monthly, year_price), "proration_date": NOON - 1}
    with pytest.raises(stripe.InvalidRequestError, match="outside of the current period"):
        stripe_client.v1.subscriptions.update(monthly.id, change)


@pytest.mark.parametrize("behaviour", ["error_if_incomplete", "allow_incomplete"])
def test_a_declined_payment_undoes_the_change_on_request(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_membership: OpenSession,
    month_price: stripe.Price,
    behaviour: str,
) -> None:
    session = open_membership(price=month_price.id)
    subscription = start_subscription(control, stripe_client, session, card=REFUSES_LATER)
    [year_price] = stripe_client.v1.prices.list({"lookup_keys": ["membership-year"]}).data
    events, subscriptions = len(control.events()), stripe_client.v1.subscriptions
    change: Any = {
        "items": change_to_year(subscription, year_price),
        "payment_behavior": behaviour,
    }
    if behaviour == "allow_incomplete":
        assert subscriptions.update(subscription.id, change).status == "past_due"
        return
    with pytest.raises(stripe.CardError) as refusal:
        subscriptions.update(subscription.id, change)
    assert (refusal.value.code, refusal.value.http_status) == ("card_declined", 402)
    assert subscriptions.retrieve(subscription.id).to_dict() == subscription.to_dict()
    assert len(control.events()) == events


@pytest.mark.parametrize("outcome", ["cancel", "past_due", "unpaid"])
def test_the_last_retry_applies_the_configured_outcome(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_membership: OpenSession,
    month_price: stripe.Price,
    outcome: str,
) -> None:
    control.freeze(NOON)
    control.set_outcome_after_retries(outcome)
    session = open_membership(price=month_price.id)
    subscription = start_subscription(control, stripe_client, session, card=REFUSES_LATER)
    control.advance(days=65)
    after = stripe_client.v1.subscriptions.retrieve(subscription.id)
    assert after.status == ("canceled" if outcome == "cancel" else outcome)
    invoices = stripe_client.v1.invoices.list({"subscription": subscription.id}).data
    expected = {
        "cancel": ["open", "paid"],
        "past_due": ["open", "open", "paid"],
        "unpaid": ["draft", "open", "paid"],  # later invoices are not collected
    }
    assert [invoice.status for invoice in invoices] == expected[outcome]


def test_only_the_newest_invoice_makes_a_subscription_active_again(
    control: SandboxControl, stripe_client: stripe.StripeClient, subscription: stripe.Subscription
) -> None:
    older, newest = (control.renew(subscription.id, outcome="failed") for _ in range(2))
    stripe_client.v1.invoices.pay(older["id"])
    assert stripe_client.v1.subscriptions.retrieve(subscription.id).status == "past_due"
    stripe_client.v1.invoices.pay(newest["id"])
    assert stripe_client.v1.subscriptions.retrieve(subscription.id).status == "active"


def test_a_preview_without_a_change_is_the_invoice_of_the_next_period(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    http_client: schema.CheckingClient,
    monthly: stripe.Subscription,
) -> None:
    before = len(control.events())
    stripe_client.v1.customers.update(str(monthly.customer), {"balance": -250})
    http_client.checks_requests = False  # our excerpt of the schema doesn't contain the preview
    preview = stripe_client.v1.invoices.create_preview({"subscription": monthly.id})
    http_client.checks_requests = True
    assert (preview.total, preview.starting_balance, preview.amount_due) == (600, -250, 350)
    assert preview.lines.data[0].period.start == get_period(monthly)[1]
    assert len(control.events()) == before + 1, "only the customer's update"

    stripe_client.v1.subscriptions.update(monthly.id, {"cancel_at_period_end": True})
    http_client.checks_requests = False
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        stripe_client.v1.invoices.create_preview({"subscription": monthly.id})
    http_client.checks_requests = True
    assert (refusal.value.code, refusal.value.http_status) == ("invoice_upcoming_none", 404)
