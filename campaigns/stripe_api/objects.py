"""A Checkout session and what hangs on it: subscription, invoices, charges and their like."""

from collections.abc import Mapping
from typing import Any, cast

from campaigns.stripe_api.connection import Json, client, every, plain, translated

# An intent's charge with its balance entry, and whether anything of it was given back. Stripe
# expands four levels at most, those of a list included.
_OF_INTENT = ("latest_charge.balance_transaction", "latest_charge.refunds")
_ENTRIES_OF_REFUND = ("balance_transaction", "failure_balance_transaction")


# Checkout sessions


@translated
def create_session(params: Mapping[str, Any], *, idempotency_key: str) -> Json:
    answer = client().v1.checkout.sessions.create(
        cast(Any, dict(params)), {"idempotency_key": idempotency_key}
    )
    return plain(answer)


@translated
def fetch_session(session_id: str) -> Json:
    """The session with its payment intent, the intent's charge and what hangs on that."""
    expand = [f"payment_intent.{path}" for path in _OF_INTENT]
    return plain(client().v1.checkout.sessions.retrieve(session_id, {"expand": expand}))


@translated
def expire_session(session_id: str) -> Json:
    return plain(client().v1.checkout.sessions.expire(session_id))


# What hangs on a session


@translated
def fetch_subscription(subscription_id: str) -> Json:
    return plain(client().v1.subscriptions.retrieve(subscription_id))


@translated
def list_invoices(subscription_id: str) -> list[Json]:
    """Every invoice of a subscription, each with the first of its payments."""
    page = client().v1.invoices.list(
        {"subscription": subscription_id, "limit": 100, "expand": ["data.payments"]}
    )
    return list(every(page))


@translated
def list_invoice_payments(invoice_id: str) -> list[Json]:
    return list(every(client().v1.invoice_payments.list({"invoice": invoice_id, "limit": 100})))


@translated
def find_invoice_payment(intent_id: str) -> Json | None:
    """The invoice payment that a payment intent serves, if it serves an invoice."""
    page = client().v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": intent_id}, "limit": 1}
    )
    return next(every(page), None)


@translated
def fetch_intent(intent_id: str) -> Json:
    return plain(client().v1.payment_intents.retrieve(intent_id, {"expand": list(_OF_INTENT)}))


@translated
def list_intents(customer_id: str) -> list[Json]:
    """Every payment intent of a customer, as `fetch_intent` has them."""
    expand = [f"data.{path}" for path in _OF_INTENT]
    page = client().v1.payment_intents.list(
        {"customer": customer_id, "limit": 100, "expand": expand}
    )
    return list(every(page))


@translated
def fetch_invoice(invoice_id: str) -> Json:
    return plain(client().v1.invoices.retrieve(invoice_id))


@translated
def fetch_invoice_payment(invoice_payment_id: str) -> Json:
    return plain(client().v1.invoice_payments.retrieve(invoice_payment_id))


@translated
def fetch_charge(charge_id: str) -> Json:
    return plain(client().v1.charges.retrieve(charge_id))


@translated
def fetch_refund(refund_id: str) -> Json:
    """The refund with its balance entries."""
    return plain(client().v1.refunds.retrieve(refund_id, {"expand": list(_ENTRIES_OF_REFUND)}))


@translated
def fetch_dispute(dispute_id: str) -> Json:
    return plain(client().v1.disputes.retrieve(dispute_id))


@translated
def list_refunds(charge_id: str) -> list[Json]:
    """Every refund of a charge, with its balance entries."""
    expand = [f"data.{name}" for name in _ENTRIES_OF_REFUND]
    page = client().v1.refunds.list({"charge": charge_id, "limit": 100, "expand": expand})
    return list(every(page))


@translated
def list_disputes(charge_id: str) -> list[Json]:
    return list(every(client().v1.disputes.list({"charge": charge_id, "limit": 100})))
