"""Payments, refunds and disputes as rows of a file: for the books, without names and addresses."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet

from campaigns.models import Dispute, Payment, Refund, with_state
from campaigns.money import to_major
from campaigns.spreadsheets import Cell

PAYMENT_COLUMNS = (
    *("payment", "paid_at", "campaign", "role", "status", "amount", "currency", "refunded"),
    *("method", "brand", "country", "payout", "fee", "net", "payout_currency"),
    *("member", "membership", "payment_intent", "charge", "invoice", "receipt_number"),
)
REFUND_COLUMNS = (
    *("refund", "refunded_at", "payment", "paid_at", "campaign", "status", "reason"),
    *("amount", "currency", "taken", "returned", "fee", "payout_currency"),
    *("refund_id", "payment_intent"),
)
DISPUTE_COLUMNS = (
    *("dispute", "opened_at", "payment", "paid_at", "campaign", "status", "reason"),
    *("amount", "currency", "evidence_due_at", "withdrawn_at", "reinstated_at"),
    *("taken", "returned", "fee", "payout_currency", "dispute_id", "payment_intent"),
)
_CHUNK = 500


def list_payments(payments: QuerySet[Payment]) -> Iterator[list[Cell]]:
    """Yield the headings and one row for each payment."""
    yield list(PAYMENT_COLUMNS)
    related = with_state(payments.select_related("campaign").prefetch_related("refunds"))
    for payment in related.order_by("paid_at", "pk").iterator(chunk_size=_CHUNK):
        refunded = sum(
            refund.amount_minor
            for refund in payment.refunds.all()
            if refund.status == Refund.Status.SUCCEEDED
        )
        yield [
            payment.pk,
            _local(payment.paid_at),
            payment.campaign.slug if payment.campaign else "",
            payment.role,
            payment.state,
            to_major(payment.amount_minor, payment.currency),
            payment.currency,
            to_major(refunded, payment.currency),
            payment.method,
            payment.brand,
            payment.country,
            _major(payment.settled_minor, payment.settled_currency),
            _major(payment.fee_minor, payment.settled_currency),
            _major(payment.net_minor, payment.settled_currency),
            payment.settled_currency,
            payment.member_id,
            payment.membership_id,
            payment.intent_id or "",
            payment.charge_id,
            payment.invoice_id,
            payment.receipt_number,
        ]


def list_refunds(refunds: QuerySet[Refund]) -> Iterator[list[Cell]]:
    """Yield the headings and one row for each refund, also of those that failed."""
    yield list(REFUND_COLUMNS)
    related = refunds.select_related("payment__campaign").order_by("refunded_at", "pk")
    for refund in related.iterator(chunk_size=_CHUNK):
        yield [
            refund.pk,
            _local(refund.refunded_at),
            *_describe_payment(refund.payment),
            refund.status,
            refund.reason,
            to_major(refund.amount_minor, refund.payment.currency),
            refund.payment.currency,
            *_describe_movement(refund),
            refund.refund_id,
            refund.payment.intent_id or "",
        ]


def list_disputes(disputes: QuerySet[Dispute]) -> Iterator[list[Cell]]:
    """Yield the headings and one row for each dispute and inquiry."""
    yield list(DISPUTE_COLUMNS)
    related = disputes.select_related("payment__campaign").order_by("opened_at", "pk")
    for dispute in related.iterator(chunk_size=_CHUNK):
        yield [
            dispute.pk,
            _local(dispute.opened_at),
            *_describe_payment(dispute.payment),
            dispute.status,
            dispute.reason,
            to_major(dispute.amount_minor, dispute.payment.currency),
            dispute.payment.currency,
            _local(dispute.evidence_due_at),
            _local(dispute.withdrawn_at),
            _local(dispute.reinstated_at),
            *_describe_movement(dispute),
            dispute.dispute_id,
            dispute.payment.intent_id or "",
        ]


def _describe_payment(payment: Payment) -> list[Cell]:
    campaign = payment.campaign.slug if payment.campaign else ""
    return [payment.pk, _local(payment.paid_at), campaign]


def _describe_movement(row: Refund | Dispute) -> list[Cell]:
    """Return how it moved our balance at Stripe; empty while it is unknown."""
    moved = (row.taken_minor, row.returned_minor, row.fee_minor)
    return [*(_major(minor, row.settled_currency) for minor in moved), row.settled_currency]


def _major(minor: int | None, currency: str) -> Cell:
    return None if minor is None or not currency else to_major(minor, currency)


def _local(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(ZoneInfo(settings.NEWSROOM_TIME_ZONE))
