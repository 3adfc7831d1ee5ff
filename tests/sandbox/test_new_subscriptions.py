"""Subscriptions created by the API, as staff do in Stripe's dashboard."""

from typing import Any

import pytest
import stripe

from newsroom.sandbox.control import SandboxControl

from .conftest import NOON, get_period

DECLINED = "4000000000000002"


@pytest.fixture
def customer(control: SandboxControl, stripe_client: stripe.StripeClient) -> stripe.Customer:
    control.freeze(NOON)
    created = stripe_client.v1.customers.create({"email": "ada@example.org", "name": "Ada Reader"})
    control.add_card(created.id)
    return created


def create(client: stripe.StripeClient, customer: str, price: str, **more: Any) -> Any:
    params: Any = {"customer": customer, "items": [{"price": price}], **more}
    return client.v1.subscriptions.create(params)


def test_a_subscription_charges_the_saved_card_and_renews(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    customer: stripe.Customer,
    year_price: stripe.Price,
) -> None:
    created = create(stripe_client, customer.id, year_price.id, metadata={"by": "staff"})
    assert (created.status, created.metadata.to_dict()) == ("active", {"by": "staff"})
    first = stripe_client.v1.invoices.retrieve(created.latest_invoice)
    assert (first.status, first.billing_reason) == ("paid", "subscription_create")
    kinds = [event["type"] for event in control.events()]
    assert kinds.index("customer.subscription.created") < kinds.index("invoice.paid")
    assert kinds[-1] == "customer.subscription.updated", "it was incomplete until it was paid"
    control.freeze(get_period(created)[1])
    amounts = [charge.amount for charge in stripe_client.v1.charges.list().data]
    assert amounts == [6000, 6000]


def test_a_declined_first_payment_leaves_it_incomplete_and_it_expires(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    customer: stripe.Customer,
    year_price: stripe.Price,
) -> None:
    control.add_card(customer.id, card=DECLINED)
    created = create(stripe_client, customer.id, year_price.id)
    assert created.status == "incomplete"
    control.advance(seconds=24 * 3600)
    expired = stripe_client.v1.subscriptions.retrieve(created.id)
    assert expired.status == "incomplete_expired"
    assert stripe_client.v1.invoices.retrieve(str(expired.latest_invoice)).status == "void"


def test_an_incomplete_subscription_is_active_once_its_invoice_is_paid(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    customer: stripe.Customer,
    year_price: stripe.Price,
) -> None:
    created = create(
        stripe_client, customer.id, year_price.id, payment_behavior="default_incomplete"
    )
    assert created.status == "incomplete"
    stripe_client.v1.invoices.pay(created.latest_invoice)
    assert stripe_client.v1.subscriptions.retrieve(created.id).status == "active"


def test_a_decline_can_be_an_error_that_leaves_nothing(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    customer: stripe.Customer,
    year_price: stripe.Price,
) -> None:
    control.add_card(customer.id, card=DECLINED)
    with pytest.raises(stripe.CardError):
        create(stripe_client, customer.id, year_price.id, payment_behavior="error_if_incomplete")
    assert stripe_client.v1.subscriptions.list({"status": "all"}).data == []


def test_a_customer_without_a_card_is_refused_unless_a_trial_comes_first(
    control: SandboxControl, stripe_client: stripe.StripeClient, year_price: stripe.Price
) -> None:
    ben = stripe_client.v1.customers.create({"email": "ben@example.org"})
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        create(stripe_client, ben.id, year_price.id)
    trial = create(stripe_client, ben.id, year_price.id, trial_period_days=30)
    assert trial.status == "trialing"
    assert stripe_client.v1.invoices.retrieve(trial.latest_invoice).total == 0


@pytest.mark.parametrize(
    "case",
    [
        ({"percent_off": 25, "duration": "forever"}, [450, 450, 450, 450]),
        ({"percent_off": 12.5, "duration": "once"}, [525, 600, 600, 600]),
        ({"amount_off": 200, "currency": "eur", "duration": "once"}, [400, 600, 600, 600]),
        (
            {"percent_off": 50, "duration": "repeating", "duration_in_months": 2},
            [300, 300, 600, 600],
        ),
    ],
)
def test_a_coupon_reduces_the_invoices_that_it_is_for(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    customer: stripe.Customer,
    month_price: stripe.Price,
    case: tuple[Any, list[int]],
) -> None:
    coupon, totals = case
    made = stripe_client.v1.coupons.create(coupon)
    create(stripe_client, customer.id, month_price.id, discounts=[{"coupon": made.id}])
    for _month in range(3):
        control.advance(days=31)
    invoices = stripe_client.v1.invoices.list().data
    assert [invoice.total for invoice in reversed(invoices)] == totals
    assert {invoice.subtotal for invoice in invoices} == {600}
    first = invoices[-1]
    assert first.total_discount_amounts is not None
    assert sum(each.amount for each in first.total_discount_amounts) == 600 - first.total
    charges = stripe_client.v1.charges.list().data
    assert [charge.amount for charge in reversed(charges)] == totals


def test_an_unknown_coupon_is_refused(
    stripe_client: stripe.StripeClient, customer: stripe.Customer, month_price: stripe.Price
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such coupon") as refusal:
        create(stripe_client, customer.id, month_price.id, discounts=[{"coupon": "none"}])
    assert refusal.value.code == "resource_missing"
