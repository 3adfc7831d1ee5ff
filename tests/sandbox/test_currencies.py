"""Payments in another currency, and payouts in another currency."""

from collections.abc import Iterator

import pytest
import stripe

from newsroom.sandbox.control import SandboxControl, SandboxError

from .conftest import NOON, OpenSession


@pytest.fixture(autouse=True)
def noon(control: SandboxControl) -> Iterator[None]:
    control.freeze(NOON)
    yield
    control.set_rates()


def test_each_movement_is_converted_at_the_rate_of_its_day(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    control.set_rates(uah="eur 0.0209")
    control.pay(open_gift(currency="uah").id)
    [charge] = stripe_client.v1.charges.list({"expand": ["data.balance_transaction"]}).data
    transaction = charge.balance_transaction
    assert isinstance(transaction, stripe.BalanceTransaction)
    assert (charge.amount, charge.currency) == (4800, "uah")
    assert (transaction.amount, transaction.currency, transaction.exchange_rate) == (
        100,
        "eur",
        0.0209,
    )
    assert transaction.fee == 27  # of the amount in euros
    control.set_rates(uah="eur 0.03")
    refund = stripe_client.v1.refunds.create({"charge": charge.id, "amount": 2400})
    control.fail_refund(refund.id)
    opened = control.open_dispute(charge=charge.id)
    control.set_rates(uah="eur 0.02")
    control.close_dispute(opened["id"], status="won")
    [expanded] = stripe_client.v1.refunds.list(
        {"expand": ["data.balance_transaction", "data.failure_balance_transaction"]}
    ).data
    assert isinstance(expanded.balance_transaction, stripe.BalanceTransaction)
    assert isinstance(expanded.failure_balance_transaction, stripe.BalanceTransaction)
    assert expanded.balance_transaction.amount == -72
    assert expanded.failure_balance_transaction.amount == 72
    dispute = stripe_client.v1.disputes.retrieve(opened["id"])
    assert (dispute.amount, dispute.currency) == (4800, "uah")
    movements = [
        (entry.amount, entry.fee, entry.currency) for entry in dispute.balance_transactions
    ]
    assert movements == [(-144, 1500, "eur"), (96, 0, "eur")]
    assert list(control.books()["currencies"]) == ["eur"]


def test_a_refund_that_succeeded_has_no_failure_transaction_to_expand(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    control.pay(open_gift().id)
    [charge] = stripe_client.v1.charges.list().data
    stripe_client.v1.refunds.create({"charge": charge.id})
    [expanded] = stripe_client.v1.refunds.list(
        {"expand": ["data.balance_transaction", "data.failure_balance_transaction"]}
    ).data
    assert isinstance(expanded.balance_transaction, stripe.BalanceTransaction)
    assert "failure_balance_transaction" not in expanded


def test_an_open_session_can_be_paid_in_another_currency_of_its_price(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    price = stripe_client.v1.prices.create(
        {
            "currency": "eur",
            "unit_amount": 4800,
            "product_data": {"name": "Gift membership"},
            "currency_options": {"usd": {"unit_amount": 5500}},
        }
    )
    session = open_gift(line_items=[{"price": price.id, "quantity": 2}])
    assert (session.currency, session.amount_total) == ("eur", 9600)
    with pytest.raises(SandboxError, match="does not support the currency uah"):
        control.pay(session.id, currency="uah")
    paid = control.pay(session.id, currency="usd")["session"]
    assert (paid["currency"], paid["amount_total"]) == ("usd", 11000)
    [charge] = stripe_client.v1.charges.list().data
    assert (charge.currency, charge.amount) == ("usd", 11000)
    assert set(control.books()["currencies"]) == {"usd"}


def test_an_inquiry_moves_no_money_and_its_charge_can_be_refunded(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    control.pay(open_gift().id)
    [charge] = stripe_client.v1.charges.list().data
    opened = control.open_dispute(charge=charge.id, inquiry=True)
    assert (opened["status"], opened["balance_transactions"]) == ("warning_needs_response", [])
    assert stripe_client.v1.refunds.create({"charge": charge.id}).status == "succeeded"
    with pytest.raises(SandboxError, match="must be one of warning_closed"):
        control.close_dispute(opened["id"], status="won")
    assert control.close_dispute(opened["id"], status="warning_closed")["status"] == (
        "warning_closed"
    )
    assert control.books()["currencies"]["eur"]["disputed_minor"] == 0
