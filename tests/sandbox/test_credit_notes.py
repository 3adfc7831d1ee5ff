"""Credit notes on open and paid invoices."""

from typing import Any

import pytest
import stripe

from newsroom.sandbox.control import SandboxControl


def note(client: stripe.StripeClient, **params: Any) -> stripe.CreditNote:
    return client.v1.credit_notes.create(params)  # type: ignore[arg-type]


def read_invoice(client: stripe.StripeClient, subscription: stripe.Subscription) -> stripe.Invoice:
    return client.v1.invoices.list({"subscription": subscription.id}).data[0]


def test_a_credit_note_on_a_paid_invoice_refunds_the_card_and_credits_the_balance(
    stripe_client: stripe.StripeClient, subscription: stripe.Subscription
) -> None:
    invoice = read_invoice(stripe_client, subscription)
    made = note(
        stripe_client, invoice=invoice.id, amount=3000, refund_amount=1000, credit_amount=2000
    )
    assert (made.type, made.post_payment_amount) == ("post_payment", 3000)
    [charge] = stripe_client.v1.charges.list().data
    customer = stripe_client.v1.customers.retrieve(str(subscription.customer))
    assert (charge.amount_refunded, customer.balance) == (1000, -2000)
    after = read_invoice(stripe_client, subscription)
    assert (after.status, after.post_payment_credit_notes_amount) == ("paid", 3000)
    assert [each.id for each in stripe_client.v1.credit_notes.list().data] == [made.id]


def test_a_credit_note_on_an_open_invoice_lowers_what_is_left_and_then_closes_it(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    subscription: stripe.Subscription,
) -> None:
    control.renew(subscription.id, outcome="failed")
    invoice = read_invoice(stripe_client, subscription)
    assert (invoice.status, invoice.amount_remaining) == ("open", 6000)
    note(stripe_client, invoice=invoice.id, amount=2000)
    assert read_invoice(stripe_client, subscription).amount_remaining == 4000
    note(stripe_client, invoice=invoice.id, amount=4000)
    closed = read_invoice(stripe_client, subscription)
    assert (closed.status, closed.amount_paid, closed.total) == ("paid", 0, 6000)
    assert stripe_client.v1.subscriptions.retrieve(subscription.id).status == "active"


def test_the_rest_of_a_credited_invoice_is_charged(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    subscription: stripe.Subscription,
) -> None:
    control.renew(subscription.id, outcome="failed")
    invoice = read_invoice(stripe_client, subscription)
    note(stripe_client, invoice=invoice.id, amount=2000)
    stripe_client.v1.invoices.pay(str(invoice.id))
    paid = [each.amount for each in stripe_client.v1.charges.list().data if each.paid]
    assert paid == [4000, 6000]


@pytest.mark.parametrize(
    ("params", "code", "words"),
    [
        ({"amount": 6001, "refund_amount": 6001}, "amount_too_large", "greater than what is left"),
        ({"amount": 1000, "refund_amount": 500}, None, "must equal the credit note amount"),
        ({"amount": 0}, "parameter_invalid_integer", "greater than or equal to 1"),
    ],
)
def test_a_credit_note_is_refused_as_at_stripe(
    stripe_client: stripe.StripeClient,
    subscription: stripe.Subscription,
    params: dict[str, Any],
    code: str | None,
    words: str,
) -> None:
    invoice = read_invoice(stripe_client, subscription)
    with pytest.raises(stripe.InvalidRequestError, match=words) as refused:
        note(stripe_client, invoice=invoice.id, **params)
    assert refused.value.code == code
