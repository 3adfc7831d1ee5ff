"""Checkout Sessions and the objects they lead to: subscriptions, invoices, charges and more."""

from collections.abc import Mapping
from typing import Any, cast

from campaigns.stripe_api.connection import client, every, plain, read_answer_time, translated
from campaigns.stripe_api.invoices import (
    Invoice,
    InvoicePayment,
    read_invoice,
    read_invoice_payment,
)
from campaigns.stripe_api.snapshots import (
    Charge,
    Dispute,
    Intent,
    Refund,
    Session,
    Subscription,
    read_charge,
    read_dispute,
    read_intent,
    read_refund,
    read_session,
    read_subscription,
)

# An intent's charge with its balance entry, and whether any of it was refunded. Stripe expands
# four levels at most, including those of a list.
_OF_INTENT = ("latest_charge.balance_transaction", "latest_charge.refunds")
_ENTRIES_OF_REFUND = ("balance_transaction", "failure_balance_transaction")
_PAYMENT = ("charge", "payment_intent")  # of a refund or a dispute
_SUBSCRIPTION_OF_INVOICE = "parent.subscription_details.subscription"


# Checkout Sessions


@translated
def create_session(params: Mapping[str, Any], *, idempotency_key: str) -> Session:
    answer = client().v1.checkout.sessions.create(
        cast(Any, dict(params)), {"idempotency_key": idempotency_key}
    )
    return read_session(plain(answer))


@translated
def fetch_session(session_id: str) -> Session:
    """Return the session with its payment intent as by `fetch_intent`, or its subscription.

    The subscription has its customer, as by `fetch_subscription`.
    """
    expand = ["subscription.customer", *(f"payment_intent.{path}" for path in _OF_INTENT)]
    answer = client().v1.checkout.sessions.retrieve(session_id, {"expand": expand})
    return read_session(plain(answer), answered_at=read_answer_time(answer))


@translated
def expire_session(session_id: str) -> None:
    client().v1.checkout.sessions.expire(session_id)


# Subscriptions and invoices


@translated
def fetch_subscription(subscription_id: str) -> Subscription:
    """Return the subscription with its customer."""
    expand = {"expand": ["customer"]}
    answer = client().v1.subscriptions.retrieve(subscription_id, cast(Any, expand))
    return read_subscription(plain(answer), answered_at=read_answer_time(answer))


@translated
def list_invoices(subscription_id: str) -> list[Invoice]:
    """Return every invoice of a subscription, newest first, each with all its payments."""
    page = client().v1.invoices.list(
        {"subscription": subscription_id, "limit": 100, "expand": ["data.payments"]}
    )
    invoices = []
    for raw in every(page):
        paid = raw["payments"]
        payments = (
            list_invoice_payments(raw["id"])
            if paid["has_more"]
            else [read_invoice_payment(payment) for payment in paid["data"]]
        )
        invoices.append(read_invoice(raw, payments=tuple(payments)))
    return invoices


@translated
def list_invoice_payments(invoice_id: str) -> list[InvoicePayment]:
    page = client().v1.invoice_payments.list({"invoice": invoice_id, "limit": 100})
    return [read_invoice_payment(raw) for raw in every(page)]


@translated
def find_invoice_payment(intent_id: str) -> InvoicePayment | None:
    """Return the invoice payment of a payment intent with both, if it pays an invoice."""
    page = client().v1.invoice_payments.list(
        {
            "payment": {"type": "payment_intent", "payment_intent": intent_id},
            "limit": 1,
            "expand": ["data.invoice", "data.payment.payment_intent"],
        }
    )
    return next((read_invoice_payment(raw) for raw in every(page)), None)


@translated
def fetch_invoice(invoice_id: str) -> Invoice:
    """Return the invoice with the Checkout that its subscription names now."""
    expand = [_SUBSCRIPTION_OF_INVOICE]
    return read_invoice(plain(client().v1.invoices.retrieve(invoice_id, {"expand": expand})))


@translated
def preview_next_invoice(subscription_id: str) -> Invoice:
    """Return the invoice of the next period as it would be now. Refused (404) if none comes."""
    params = {"subscription": subscription_id}
    return read_invoice(plain(client().v1.invoices.create_preview(cast(Any, params))))


@translated
def fetch_invoice_payment(invoice_payment_id: str) -> InvoicePayment:
    """Return the invoice payment with its invoice and the invoice's subscription."""
    expand = [f"invoice.{_SUBSCRIPTION_OF_INVOICE}"]
    payments = client().v1.invoice_payments
    return read_invoice_payment(plain(payments.retrieve(invoice_payment_id, {"expand": expand})))


# Payment intents, charges, refunds and disputes


@translated
def fetch_intent(intent_id: str) -> Intent:
    return read_intent(
        plain(client().v1.payment_intents.retrieve(intent_id, {"expand": list(_OF_INTENT)}))
    )


@translated
def list_intents(customer_id: str) -> list[Intent]:
    """Return every payment intent of a customer, expanded as by `fetch_intent`."""
    expand = [f"data.{path}" for path in _OF_INTENT]
    page = client().v1.payment_intents.list(
        {"customer": customer_id, "limit": 100, "expand": expand}
    )
    return [read_intent(raw) for raw in every(page)]


@translated
def fetch_charge(charge_id: str) -> Charge:
    """Return the charge with the Checkout that it or its intent names."""
    expand = ["payment_intent"]
    return read_charge(plain(client().v1.charges.retrieve(charge_id, {"expand": expand})))


@translated
def fetch_refund(refund_id: str) -> Refund:
    """Return the refund with its balance entries, and the Checkout that its payment names."""
    expand = [*_ENTRIES_OF_REFUND, *_PAYMENT]
    return read_refund(plain(client().v1.refunds.retrieve(refund_id, {"expand": expand})))


@translated
def fetch_dispute(dispute_id: str) -> Dispute:
    """Return the dispute with the Checkout that its payment names."""
    expand = list(_PAYMENT)
    return read_dispute(plain(client().v1.disputes.retrieve(dispute_id, {"expand": expand})))


@translated
def list_refunds(charge_id: str) -> list[Refund]:
    """Return every refund of a charge, with its balance entries."""
    expand = [f"data.{name}" for name in _ENTRIES_OF_REFUND]
    page = client().v1.refunds.list({"charge": charge_id, "limit": 100, "expand": expand})
    return [read_refund(raw) for raw in every(page)]


@translated
def list_disputes(charge_id: str) -> list[Dispute]:
    page = client().v1.disputes.list({"charge": charge_id, "limit": 100})
    return [read_dispute(raw) for raw in every(page)]
