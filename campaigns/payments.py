"""4 Record a payment, its refunds and its disputes. Callers hold the Checkout's lock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from campaigns import deliveries, stripe_api
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
    correct_refund_states,
)

Interval = tuple[datetime, datetime | None]

# Staff get one e-mail for each of these states of a dispute: two need an answer, two are final.
# Every other state is recorded without an e-mail.
NOTIFIED_STATES = ("warning_needs_response", "needs_response", Dispute.LOST, "won")


@dataclass(frozen=True)
class ChargeSnapshot:
    """A payment intent at Stripe with its latest charge, and that charge's refunds and disputes."""

    intent_id: str
    charge: stripe_api.Charge | None  # None before the first attempt to pay
    refunds: Sequence[stripe_api.Refund] = ()
    disputes: Sequence[stripe_api.Dispute] = ()
    invoice_id: str = ""
    role: Payment.Role = Payment.Role.FIRST


def record_payment(
    snapshot: ChargeSnapshot,
    *,
    checkout: Checkout,
    member: Member,
    membership: Membership | None,
) -> Payment:
    """Create or update the payment, refunds and disputes of a charge.

    A payment that succeeded gets one receipt, however often this is called.
    """
    charge = snapshot.charge
    assert charge is not None, "an intent without a charge is not a payment yet"
    balance = charge.balance
    payment, _ = Payment.objects.update_or_create(
        intent_id=snapshot.intent_id,
        defaults={
            "role": snapshot.role,
            "status": charge.status,
            "amount_minor": charge.amount_minor,
            "currency": charge.currency,
            "fee_minor": balance.fee_minor if balance else None,
            "net_minor": balance.net_minor if balance else None,
            "settled_minor": balance.amount_minor if balance else None,
            "settled_currency": balance.currency if balance else "",
            "hold": _hold(
                Payment.objects.filter(intent_id=snapshot.intent_id),
                charge.currency,
                role=snapshot.role,
                checkout=checkout,
            ),
            "paid_at": charge.created_at,
            "campaign": checkout.campaign,
            "member": member,
            "membership": membership,
            "checkout": checkout,
            "method": charge.method[:40],
            "wallet": charge.wallet[:40],
            "brand": charge.brand[:40],
            "last4": "" if member.erased_at else charge.last4[:4],
            "country": charge.country[:2],
            # Stripe's receipt page shows the name of the person who paid.
            "receipt_url": "" if member.erased_at else charge.receipt_url,
            "receipt_number": charge.receipt_number,
            "charge_id": charge.id,
            "invoice_id": snapshot.invoice_id,
        },
    )
    for refund in snapshot.refunds:
        record_refund(payment, refund)
    for dispute in snapshot.disputes:
        record_dispute(payment, dispute)
    if snapshot.refunds or snapshot.disputes:
        correct_refund_states(Payment.objects.filter(pk=payment.pk))
    if payment.status == Payment.Status.SUCCEEDED:
        _send_receipt(payment, str(payment.intent_id), checkout)
    return payment


def record_offline_invoice(
    invoice: stripe_api.Invoice,
    *,
    role: Payment.Role,
    checkout: Checkout,
    member: Member,
    membership: Membership | None,
) -> Payment:
    """Create or update the payment of an invoice that was paid outside Stripe.

    For example by bank transfer: staff then mark the invoice as paid in Stripe's dashboard. It has
    no charge, and moves no money in Stripe's balance.
    """
    known = Payment.objects.filter(invoice_id=invoice.id, intent_id=None)
    payment, _ = known.update_or_create(
        checkout=checkout,
        defaults={
            "role": role,
            "status": Payment.Status.SUCCEEDED,
            "amount_minor": invoice.offline_minor,
            "currency": invoice.currency,
            "hold": _hold(known, invoice.currency, role=role, checkout=checkout),
            "paid_at": invoice.paid_at or invoice.created_at,
            "campaign": checkout.campaign,
            "member": member,
            "membership": membership,
            "method": Payment.OFFLINE,
            "invoice_id": invoice.id,
        },
    )
    _send_receipt(payment, invoice.id, checkout)
    return payment


def _send_receipt(payment: Payment, stripe_id: str, checkout: Checkout) -> None:
    if not checkout.announces(payment.paid_at):
        return
    OutgoingMail.objects.get_or_create(
        key=f"receipt:{stripe_id}",
        defaults={
            "kind": OutgoingMail.Kind.RECEIPT,
            "payment": payment,
            "language": checkout.language,
        },
    )


def _hold(
    known: QuerySet[Payment], currency: str, *, role: Payment.Role, checkout: Checkout
) -> Payment.Hold:
    """Hold a payment in an unexpected currency for staff; keep the decision that they made.

    Only payments that can count are held. The currency differs if someone added currencies to a
    price in Stripe's dashboard: Stripe then shows readers abroad their own currency.
    https://docs.stripe.com/payments/checkout/localize-prices/manual-currency-prices
    """
    can_count = role in Payment.MONEY_ROLES
    if currency == checkout.currency or not can_count:
        return Payment.Hold.NONE
    decided = known.values_list("hold", flat=True).first()
    return Payment.Hold(decided or Payment.Hold.WAITING)


def _sum_entries(entries: Sequence[stripe_api.BalanceTransaction]) -> dict[str, Any]:
    """Return the columns that say what a refund or a dispute moved; zeros if it moved nothing."""
    amounts = [entry.amount_minor for entry in entries]
    return {
        "taken_minor": -sum(amount for amount in amounts if amount < 0),
        "returned_minor": sum(amount for amount in amounts if amount > 0),
        "fee_minor": sum(entry.fee_minor for entry in entries),
        "settled_currency": entries[0].currency if entries else "",
    }


def record_refund(payment: Payment, refund: stripe_api.Refund) -> Refund:
    """Create or update a refund, and name its gifts if staff ordered it for some."""
    known = Refund.objects.filter(refund_id=refund.id).values_list("status", flat=True).first()
    row, _ = Refund.objects.update_or_create(
        refund_id=refund.id,
        defaults={
            "payment": payment,
            "amount_minor": refund.amount_minor,
            "status": refund.status,
            "reason": refund.reason,
            "refunded_at": refund.created_at,
            **_sum_entries(refund.entries),
        },
    )
    order = _find_order(payment, refund)
    if order is not None and row.gifts_named_at is None:
        row.gifts.set(order.gifts.all())
        row.gifts_named_at = order.ordered_at
        row.save(update_fields=["gifts_named_at"])
    if row.status == Refund.Status.SUCCEEDED != known:
        _announce(
            "payment.refunded",
            payment,
            key=refund.id,
            happened_at=row.refunded_at,
            refund={"id": refund.id, "amount_minor": row.amount_minor, "reason": row.reason},
        )
    return row


def _find_order(payment: Payment, refund: stripe_api.Refund) -> RefundOrder | None:
    """Return the refund order behind a refund, by the metadata that we gave it."""
    matches = Q(refund_id=refund.id)
    if refund.order_ref.isascii() and refund.order_ref.isdecimal():
        matches |= Q(pk=int(refund.order_ref), refund_id=None)
    return payment.refund_orders.filter(matches).first()


def record_dispute(payment: Payment, dispute: stripe_api.Dispute) -> Dispute:
    """Create or update a dispute in any state, and notify staff of the states that need it.

    Its balance entries say when the funds were withdrawn and when they were reinstated.
    """
    known = Dispute.objects.filter(dispute_id=dispute.id).values_list("status", flat=True)
    is_new_state = known.first() != dispute.status
    taken = [entry for entry in dispute.entries if entry.amount_minor < 0]
    returned = [entry for entry in dispute.entries if entry.amount_minor > 0]
    row, _ = Dispute.objects.update_or_create(
        dispute_id=dispute.id,
        defaults={
            "payment": payment,
            "amount_minor": dispute.amount_minor,
            "status": dispute.status,
            "reason": dispute.reason,
            "opened_at": dispute.created_at,
            "withdrawn_at": taken[0].created_at if taken else None,
            "reinstated_at": returned[-1].created_at if returned else None,
            "evidence_due_at": dispute.evidence_due_at,
            **_sum_entries(dispute.entries),
        },
    )
    if is_new_state and row.status in NOTIFIED_STATES and settings.STAFF_EMAIL:
        _notify_staff(row)
    if is_new_state:
        _announce(
            "payment.disputed",
            payment,
            key=f"{dispute.id}:{row.status}",
            dispute={
                "id": dispute.id,
                "amount_minor": row.amount_minor,
                "status": row.status,
                "reason": row.reason,
            },
        )
    return row


def _announce(
    type_: str,
    payment: Payment,
    *,
    key: str,
    happened_at: datetime | None = None,
    **moved: dict[str, Any],
) -> None:
    """Notify other systems of money that moved back, with the payment and the payer."""
    if not (endpoints := deliveries.find_endpoints(type_)):
        return
    campaign = payment.campaign
    described = {
        "id": payment.pk,
        "for": payment.role,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "paid_at": payment.paid_at.isoformat(),
        "campaign": campaign.slug if campaign else None,
    }
    deliveries.write_event(
        type_,
        {"payment": described, **moved},
        member=payment.member,
        key=key,
        happened_at=happened_at,
        endpoints=endpoints,
    )


def _notify_staff(dispute: Dispute) -> None:
    """Schedule one e-mail for each state; it isn't sent once that state has passed."""
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
    """Record a first payment that didn't go through Stripe, with the date that staff enter."""
    return Payment.objects.create(
        role=Payment.Role.FIRST,
        status=Payment.Status.SUCCEEDED,
        amount_minor=amount_minor,
        currency=currency,
        paid_at=paid_at,
        campaign=campaign,
        member=membership.member,
        membership=membership,
        method=Payment.OFFLINE,
        entered_by=entered_by,
        note=note,
    )


def valid_interval(payment: Payment) -> Interval | None:
    """Return when the payment is valid, as far as is known now; None if it never was.

    A payment above zero that succeeded is valid from its charge until its succeeded refunds reach
    the full amount or a dispute over it is lost. Stripe gives no time for the loss itself, so a
    lost dispute ends it when the funds were withdrawn. A dispute that is won later, and a refund
    that fails later, change nothing.
    """
    if payment.status != Payment.Status.SUCCEEDED or payment.amount_minor <= 0:
        return None
    ends = [
        max(dispute.withdrawn_at or dispute.opened_at, payment.paid_at)
        for dispute in payment.disputes.all()
        if dispute.status == Dispute.LOST
    ]
    refunded = 0
    for refund in sorted(payment.refunds.all(), key=lambda refund: refund.refunded_at):
        if refund.status == Refund.Status.SUCCEEDED:
            refunded += refund.amount_minor
            if refunded >= payment.amount_minor:
                ends.append(refund.refunded_at)
                break
    until = min(ends, default=None)
    return None if until is not None and until <= payment.paid_at else (payment.paid_at, until)
