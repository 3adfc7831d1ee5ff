"""Rows that events produce, compared by their names at Stripe."""

from typing import Any

from django.db import models

from campaigns.models import (
    Checkout,
    Dispute,
    Gift,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    Refund,
    StripeEvent,
    Tally,
)

# Rows by their names at Stripe, without our own ids and times.
DUMPED: dict[type[models.Model], tuple[str, ...]] = {
    Checkout: ("id", "status", "attempt", "session_id", "customer_id", "member__email"),
    Member: ("email", "name", "language"),
    Membership: (
        *("checkout_id", "member__email", "source", "status", "started_at", "ends_at"),
        *("ended_at", "is_cancelling", "subscription_id", "access_until", "resumes_at"),
        *("price__stripe_price_id", "gaps"),
    ),
    Payment: (
        *("intent_id", "charge_id", "invoice_id", "role", "status", "amount_minor", "currency"),
        *("fee_minor", "net_minor", "paid_at", "member__email", "membership__checkout_id"),
    ),
    Refund: (
        *("refund_id", "payment__intent_id", "amount_minor", "status", "refunded_at"),
        *("taken_minor", "returned_minor", "fee_minor", "settled_currency"),
    ),
    Dispute: (
        *("dispute_id", "payment__intent_id", "amount_minor", "status", "opened_at"),
        *("withdrawn_at", "reinstated_at", "evidence_due_at"),
        *("taken_minor", "returned_minor", "fee_minor", "settled_currency"),
    ),
    Gift: (
        *("checkout_id", "position", "status", "payment__intent_id", "buyer__email", "months"),
        *("recipient_name", "paid_at", "deliver_at", "expires_at", "revoked_at"),
    ),
    Tally: (
        *("campaign__slug", "member__email", "gift__checkout_id", "gift__position"),
        *("payment__intent_id", "counted_from", "counted_until"),
    ),
    OutgoingMail: ("key", "kind", "language", "payment__intent_id", "membership__checkout_id"),
}


Dump = dict[str, list[tuple[Any, ...]]]


def dump_rows() -> Dump:
    """Return the rows of every model, sorted, without our own ids and times."""
    return {
        model.__name__: sorted(model._default_manager.values_list(*columns), key=str)
        for model, columns in DUMPED.items()
    }


def forget_sales() -> None:
    """Go back to before any event arrived: only the open Checkouts are left."""
    for model in (OutgoingMail, Tally, Refund, Dispute, Gift):
        model.objects.all().delete()
    Payment.objects.all().delete()
    Membership.objects.all().delete()
    StripeEvent.objects.all().delete()
    Checkout.objects.update(status="open", version=0, member=None, customer_id="")
    Member.objects.all().delete()
