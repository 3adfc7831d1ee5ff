"""4 Record a payment, its refunds and its disputes. Callers hold the Checkout's lock."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q

from campaigns import stripe_api
from campaigns.models import (
    Campaign,
    Checkout,
    Dispute,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    Refund,
    RefundOrder,
)
from campaigns.stripe_api import Json

Interval = tuple[datetime, datetime | None]

# The states of a dispute that staff are mailed of, each once: two ask for an answer, two are the
# bank's last word. All others are taken as Stripe has them, and no one is told.
TOLD_OF = ("warning_needs_response", "needs_response", Dispute.LOST, "won")


@dataclass(frozen=True)
class ChargeSnapshot:
    """A charge as Stripe showed it, with the intent it served and all that hangs on it."""

    intent: Json
    charge: Json
    refunds: list[Json] = field(default_factory=list)
    disputes: list[Json] = field(default_factory=list)
    invoice_id: str = ""
    role: Payment.Role = Payment.Role.FIRST


def record_payment(
    snapshot: ChargeSnapshot,
    *,
    checkout: Checkout,
    member: Member,
    membership: Membership | None,
) -> Payment:
    """Write what Stripe says of a charge, whatever was known before; the receipt falls due once."""
    charge = snapshot.charge
    details = charge.get("payment_method_details") or {}
    method = details.get("type") or ""
    means = details.get(method) or {}
    balance = charge.get("balance_transaction")
    booked = balance if isinstance(balance, dict) else {}
    payment, _ = Payment.objects.update_or_create(
        intent_id=snapshot.intent["id"],
        defaults={
            "role": snapshot.role,
            "status": charge["status"],
            "amount_minor": charge["amount"],
            "currency": charge["currency"],
            "fee_minor": booked.get("fee"),
            "net_minor": booked.get("net"),
            "settled_minor": booked.get("amount"),
            "settled_currency": booked.get("currency") or "",
            "hold": _hold(snapshot, checkout),
            "paid_at": stripe_api.moment(charge["created"]),
            "campaign": checkout.campaign,
            "member": member,
            "membership": membership,
            "checkout": checkout,
            "method": method[:40],
            "brand": (means.get("brand") or "")[:40],
            "country": (means.get("country") or "")[:2],
            # Stripe's page of it names whoever paid.
            "receipt_url": "" if member.erased_at else charge.get("receipt_url") or "",
            "receipt_number": charge.get("receipt_number") or "",
            "charge_id": charge["id"],
            "invoice_id": snapshot.invoice_id,
        },
    )
    for refund in snapshot.refunds:
        record_refund(payment, refund)
    for dispute in snapshot.disputes:
        record_dispute(payment, dispute)
    if payment.status == Payment.Status.SUCCEEDED:
        OutgoingMail.objects.get_or_create(
            key=f"receipt:{payment.intent_id}",
            defaults={
                "kind": OutgoingMail.Kind.RECEIPT,
                "payment": payment,
                "language": checkout.language,
            },
        )
    return payment


def _hold(snapshot: ChargeSnapshot, checkout: Checkout) -> Payment.Hold:
    """Another currency than was asked for waits for staff's word, and what they said stands.

    Only of what can count there is anything to say. It comes from a price to which currencies were
    added in Stripe's dashboard: a reader abroad is shown theirs.
    https://docs.stripe.com/payments/checkout/localize-prices/manual-currency-prices
    """
    can_count = snapshot.role in Payment.COUNTED_ROLES
    if snapshot.charge["currency"] == checkout.currency or not can_count:
        return Payment.Hold.NONE
    known = Payment.objects.filter(intent_id=snapshot.intent["id"]).values_list("hold", flat=True)
    return Payment.Hold(known.first() or Payment.Hold.WAITING)


def balance_entries(thing: Json) -> list[Json]:
    """The entries in Stripe's balance that a refund or a dispute has made so far, oldest first."""
    if thing["object"] == "dispute":
        found = thing.get("balance_transactions") or []
    else:
        found = [thing.get("balance_transaction"), thing.get("failure_balance_transaction")]
    entries = [entry for entry in found if isinstance(entry, dict)]
    return sorted(entries, key=lambda entry: int(entry["created"]))


def _moved(thing: Json) -> dict[str, Any]:
    """What a refund or a dispute moved of the balance, as columns; noughts if it moved nothing."""
    entries = balance_entries(thing)
    return {
        "taken_minor": -sum(entry["amount"] for entry in entries if entry["amount"] < 0),
        "returned_minor": sum(entry["amount"] for entry in entries if entry["amount"] > 0),
        "fee_minor": sum(entry["fee"] for entry in entries),
        "settled_currency": entries[0]["currency"] if entries else "",
    }


def record_refund(payment: Payment, refund: Json) -> Refund:
    row, _ = Refund.objects.update_or_create(
        refund_id=refund["id"],
        defaults={
            "payment": payment,
            "amount_minor": refund["amount"],
            "status": refund["status"] or Refund.Status.PENDING,
            "reason": refund.get("reason") or "",
            "refunded_at": stripe_api.moment(refund["created"]),
            **_moved(refund),
        },
    )
    order = _find_order(payment, refund)
    if order is not None and row.gifts_named_at is None:
        row.gifts.set(order.gifts.all())
        row.gifts_named_at = order.ordered_at
        row.save(update_fields=["gifts_named_at"])
    return row


def _find_order(payment: Payment, refund: Json) -> RefundOrder | None:
    """The order of staff's that a refund carries out, by the metadata that we gave it."""
    named = str((refund.get("metadata") or {}).get("refund_order", ""))
    ours = Q(refund_id=refund["id"])
    if named.isascii() and named.isdecimal():
        ours |= Q(pk=int(named), refund_id=None)
    return payment.refund_orders.filter(ours).first()


def record_dispute(payment: Payment, dispute: Json) -> Dispute:
    """Whatever state Stripe knows is kept; of some staff are told when they are new.

    The two balance entries tell when the funds were taken and when they were given back.
    """
    known = Dispute.objects.filter(dispute_id=dispute["id"]).values_list("status", flat=True)
    is_news = known.first() != dispute["status"]
    due_by = (dispute.get("evidence_details") or {}).get("due_by")
    entries = balance_entries(dispute)
    taken = [entry for entry in entries if entry["amount"] < 0]
    given = [entry for entry in entries if entry["amount"] > 0]
    row, _ = Dispute.objects.update_or_create(
        dispute_id=dispute["id"],
        defaults={
            "payment": payment,
            "amount_minor": dispute["amount"],
            "status": dispute["status"],
            "reason": dispute.get("reason") or "",
            "opened_at": stripe_api.moment(dispute["created"]),
            "withdrawn_at": stripe_api.moment(taken[0]["created"]) if taken else None,
            "reinstated_at": stripe_api.moment(given[-1]["created"]) if given else None,
            "evidence_due_at": stripe_api.moment(due_by) if due_by else None,
            **_moved(dispute),
        },
    )
    if is_news and row.status in TOLD_OF and settings.STAFF_EMAIL:
        _tell_staff(row)
    return row


def _tell_staff(dispute: Dispute) -> None:
    """Once for each state; the mail is about that one and is not sent once it has passed."""
    OutgoingMail.objects.get_or_create(
        key=f"dispute:{dispute.dispute_id}:{dispute.status}",
        defaults={
            "kind": OutgoingMail.Kind.DISPUTE,
            "dispute": dispute,
            "payment": dispute.payment,
            "language": settings.LANGUAGE_CODE,
        },
    )


def record_offline_payment(
    *,
    campaign: Campaign | None,
    membership: Membership,
    amount_minor: int,
    currency: str,
    paid_at: datetime,
    entered_by: User | None = None,
    note: str = "",
) -> Payment:
    """Money that came by another way than Stripe, by the date that staff enter."""
    return Payment.objects.create(
        role=Payment.Role.FIRST,
        status=Payment.Status.SUCCEEDED,
        amount_minor=amount_minor,
        currency=currency,
        paid_at=paid_at,
        campaign=campaign,
        member=membership.member,
        membership=membership,
        method="offline",
        entered_by=entered_by,
        note=note,
    )


def valid_interval(payment: Payment) -> Interval | None:
    """When the payment stands, as known now; None if it never did.

    It stands from the charge on if it succeeded and is above zero, until its succeeded refunds
    reach its full amount or a dispute over it is lost. Stripe gives no time for the loss itself,
    so a lost dispute counts from the moment the funds were taken; one that is won later, and a
    refund that fails later, leave no trace.
    """
    if payment.status != Payment.Status.SUCCEEDED or payment.amount_minor <= 0:
        return None
    ends = [
        max(dispute.withdrawn_at or dispute.opened_at, payment.paid_at)
        for dispute in payment.disputes.all()
        if dispute.status == Dispute.LOST
    ]
    returned = 0
    for refund in sorted(payment.refunds.all(), key=lambda refund: refund.refunded_at):
        if refund.status == Refund.Status.SUCCEEDED:
            returned += refund.amount_minor
            if returned >= payment.amount_minor:
                ends.append(refund.refunded_at)
                break
    until = min(ends, default=None)
    return None if until is not None and until <= payment.paid_at else (payment.paid_at, until)
