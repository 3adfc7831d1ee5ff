"""Limits of Stripe's: amounts that can't be paid, and requests that come too fast."""

from typing import Any

import pytest
import stripe

from newsroom.sandbox.control import SandboxControl

from . import schema
from .conftest import NOON, SUCCESS_URL, OpenSession


def open_session_for(client: stripe.StripeClient, amount: int, currency: str) -> Any:
    line = {
        "price_data": {
            "currency": currency,
            "unit_amount": amount,
            "product_data": {"name": "Gift membership"},
        }
    }
    params: Any = {"mode": "payment", "line_items": [line], "success_url": SUCCESS_URL}
    return client.v1.checkout.sessions.create(params)


@pytest.mark.parametrize(
    ("amount", "currency"), [(49, "eur"), (29, "gbp"), (49, "jpy"), (199, "pln"), (17499, "huf")]
)
def test_an_amount_below_the_minimum_of_its_currency_is_refused(
    control: SandboxControl, stripe_client: stripe.StripeClient, amount: int, currency: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="at least") as refusal:
        open_session_for(stripe_client, amount, currency)
    assert (refusal.value.code, refusal.value.http_status) == ("amount_too_small", 400)
    assert open_session_for(stripe_client, amount + 1, currency).amount_total == amount + 1


@pytest.mark.parametrize(
    ("largest", "currency"), [(99_999_999, "eur"), (99_999_999, "jpy"), (9_999_999_999, "huf")]
)
def test_an_amount_above_the_maximum_of_its_currency_is_refused(
    control: SandboxControl, stripe_client: stripe.StripeClient, largest: int, currency: str
) -> None:
    assert open_session_for(stripe_client, largest, currency).amount_total == largest
    with pytest.raises(stripe.InvalidRequestError, match="no more than") as refusal:
        open_session_for(stripe_client, largest + 1, currency)
    assert refusal.value.code == "amount_too_large"


def test_a_price_may_be_too_small_to_be_paid_but_has_at_most_twelve_digits(
    control: SandboxControl, stripe_client: stripe.StripeClient, year_price: stripe.Price
) -> None:
    params: Any = {"product": "membership", "currency": "eur", "recurring": {"interval": "year"}}
    small = stripe_client.v1.prices.create(params | {"unit_amount": 11})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        stripe_client.v1.checkout.sessions.create(
            {
                "mode": "subscription",
                "line_items": [{"price": small.id, "quantity": 1}],
                "success_url": SUCCESS_URL,
            }
        )
    assert refusal.value.code == "amount_too_small"
    with pytest.raises(stripe.InvalidRequestError, match="less than or equal"):
        stripe_client.v1.prices.create(params | {"unit_amount": 10**12})


def test_an_invoice_below_the_minimum_is_added_to_the_next_one(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_membership: OpenSession
) -> None:
    price = stripe_client.v1.prices.create(
        {
            "product": "membership",
            "currency": "eur",
            "unit_amount": 30,
            "recurring": {"interval": "month"},
        }
    )
    control.freeze(NOON)
    session = open_membership(price=price.id, subscription_data={"trial_period_days": 3})
    control.pay(session.id)
    control.advance(days=3)
    control.advance(days=31)
    newest, first, _trial = stripe_client.v1.invoices.list().data
    assert (first.total, first.amount_due, first.status, first.ending_balance) == (
        30,
        0,
        "paid",
        30,
    )
    assert (newest.starting_balance, newest.amount_due, newest.ending_balance) == (30, 60, 0)
    [charge] = stripe_client.v1.charges.list().data
    assert charge.amount == 60


def test_a_request_that_came_too_fast_can_be_sent_again_with_its_key(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    http_client: schema.CheckingClient,
) -> None:
    control.add_fault("api", match="POST /v1/customers", kind="error", status=429)
    customers = stripe_client.v1.customers
    with pytest.raises(stripe.RateLimitError) as refusal:
        customers.create({"email": "ada@example.org"}, {"idempotency_key": "k1"})
    assert "rate_limit" in str(refusal.value.json_body)
    created = customers.create({"email": "ada@example.org"}, {"idempotency_key": "k1"})
    assert "Idempotent-Replayed" not in http_client.headers
    assert [customer.id for customer in customers.list().data] == [created.id]
