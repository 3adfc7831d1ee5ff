"""Previews of the coming invoice of a subscription, with or without a change."""

from django.db import transaction

from newsroom.sandbox import changes, clock, documents, subscriptions
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.models import StripeObject


def preview_invoice(row: StripeObject, change: Document) -> Document:
    """Return the invoice that comes next: make it, read it, undo it.

    That is the one that `change` makes at once, or else the one of the next period.
    """
    if row.body["status"] in subscriptions.ENDED or row.body["cancel_at_period_end"]:
        raise ApiError(
            f"No upcoming invoices for customer: {row.body['customer']}",
            status=404,
            code="invoice_upcoming_none",
        )
    known = row.body["latest_invoice"]
    point = transaction.savepoint()
    try:
        if change:
            changes.update_subscription(row, change)
        if row.body["latest_invoice"] == known:
            with clock.set_moment(subscriptions.get_period(row)[1]):
                subscriptions.renew_subscription(row, outcome="paid")
        body = documents.fetch(row.body["latest_invoice"]).body
    finally:
        transaction.savepoint_rollback(point)
    for line in body["lines"]["data"]:
        line["invoice"] = None
    return {
        **body,
        "id": f"upcoming_{body['id']}",
        "amount_paid": 0,
        "amount_remaining": body["amount_due"],
        "attempt_count": 0,
        "attempted": False,
        "effective_at": None,
        "ending_balance": None,
        "hosted_invoice_url": None,
        "next_payment_attempt": None,
        "number": None,
        "status": "draft",
        "status_transitions": dict.fromkeys(body["status_transitions"]),
    }
