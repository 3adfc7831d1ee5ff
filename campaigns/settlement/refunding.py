"""Refunds that staff order: written down first, then asked of Stripe, then settled like any."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns import gifts, stripe_api
from campaigns.models import Gift, Payment, Refund, RefundOrder
from campaigns.settlement.checkouts import SettlementBusy, settle_checkout

LEASE = timedelta(seconds=40)
_TRY_AGAIN = timedelta(minutes=5)


# What Stripe may answer if the dashboard, or the bank, was quicker; anything else is told in its
# own words. https://docs.stripe.com/error-codes
REFUSALS = {
    "amount_too_large": _("less than that is left of the payment"),
    "charge_already_refunded": _("all of the payment is given back already"),
    "charge_disputed": _("the bank has taken the payment back in a dispute"),
    "balance_insufficient": _("your balance at Stripe is too small for it"),
}


class RefundRefused(Exception):
    """It cannot be given back; the message says why, in the language of whoever reads it."""


def order_refund(
    payment: Payment,
    *,
    amount_minor: int,
    reason: RefundOrder.Reason,
    why: str,
    by: User,
    named: list[Gift] | None = None,
) -> RefundOrder:
    """Write down that so much is to be given back, for these gifts if any; raises RefundRefused."""
    with transaction.atomic():
        locked = Payment.objects.select_for_update(of=("self",), no_key=True).get(pk=payment.pk)
        if locked.status != Payment.Status.SUCCEEDED or locked.intent_id is None:
            raise RefundRefused(_("only what Stripe took is given back by Stripe"))
        if not 0 < amount_minor <= refundable_minor(locked):
            raise RefundRefused(_("less than that is left of the payment"))
        chosen = named or []
        if any(gift.payment_id != locked.pk for gift in chosen):
            raise RefundRefused(_("one of the gifts is of another payment"))
        order = RefundOrder.objects.create(
            payment=locked,
            amount_minor=amount_minor,
            reason=reason,
            why=why,
            ordered_by=by,
            next_attempt_at=timezone.now() + LEASE,  # whoever orders it carries it out at once
        )
        order.gifts.set(chosen)
    return order


def refundable_minor(payment: Payment) -> int:
    """What is left of a payment, less what is on its way back already; in minor units."""
    gone = (Refund.Status.FAILED, Refund.Status.CANCELED)
    returned = payment.refunds.exclude(status__in=gone).aggregate(Sum("amount_minor"))
    under_way = Q(refund_id=None, next_attempt_at__isnull=False) | (
        Q(refund_id__isnull=False) & ~Q(refund_id__in=payment.refunds.values("refund_id"))
    )
    waiting = payment.refund_orders.filter(under_way).aggregate(Sum("amount_minor"))
    taken = (returned["amount_minor__sum"] or 0) + (waiting["amount_minor__sum"] or 0)
    return max(payment.amount_minor - taken, 0)


def explain_refusal(order: RefundOrder) -> str:
    """Why Stripe refused an order."""
    return str(REFUSALS.get(order.error, order.error))


def claim_refund_orders(*, at: datetime) -> list[int]:
    """Orders of which Stripe has not told the outcome; claimed for a while each."""
    due = RefundOrder.objects.filter(next_attempt_at__lte=at).values_list("pk", "next_attempt_at")
    return [
        order_id
        for order_id, attempt_at in due[:100]
        if RefundOrder.objects.filter(pk=order_id, next_attempt_at=attempt_at).update(
            next_attempt_at=at + LEASE
        )
    ]


def execute_refund_order(order_id: int) -> RefundOrder:
    """Ask Stripe for an ordered refund, once however often it is called, and settle it.

    What Stripe refuses ends with its reason; while it does not answer, the order stays due.
    """
    order = RefundOrder.objects.select_related("payment").get(pk=order_id)
    if order.next_attempt_at is None:
        return order
    try:
        refund = _find_refund(order) or _ask_stripe(order)
    except stripe_api.StripeRefused as error:
        _note(order, error=error.code if error.code in REFUSALS else str(error), again_at=None)
        return order
    except stripe_api.StripeError as error:
        if isinstance(error, stripe_api.StripeFailed):
            order.attempt += 1  # Stripe would say the same again for this key
        _note(order, error=type(error).__name__, again_at=timezone.now() + _TRY_AGAIN)
        return order
    order.refund_id = refund.id
    _note(order, error="", again_at=None)
    _settle(order)
    return order


def _find_refund(order: RefundOrder) -> stripe_api.Refund | None:
    """The refund that an earlier try made, if its answer never reached us.

    Stripe knows a key for a day; what is asked within the first hour needs no looking.
    """
    if not order.error and order.ordered_at > timezone.now() - timedelta(hours=1):
        return None
    name = str(order.pk)
    for refund in stripe_api.list_refunds(order.payment.charge_id):
        if refund.order_ref == name:
            return refund
    return None


def _ask_stripe(order: RefundOrder) -> stripe_api.Refund:
    assert order.payment.intent_id is not None
    return stripe_api.refund_payment(
        order.payment.intent_id,
        amount_minor=order.amount_minor,
        reason=order.reason,
        metadata={"refund_order": str(order.pk)},
        idempotency_key=f"refund-order-{order.pk}-{order.attempt}",
    )


def _note(order: RefundOrder, *, error: str, again_at: datetime | None) -> None:
    """Unless somebody else, who asked at the same time, has its answer already."""
    order.error, order.next_attempt_at = error[:200], again_at
    RefundOrder.objects.filter(pk=order.pk, refund_id=None).update(
        attempt=order.attempt,
        error=order.error,
        next_attempt_at=again_at,
        refund_id=order.refund_id,
    )


def _settle(order: RefundOrder) -> None:
    """Bring the refund home now; if that fails its webhook does it."""
    checkout_id = order.payment.checkout_id
    if checkout_id is None:
        return
    try:
        settle_checkout(checkout_id)
    except (stripe_api.StripeError, SettlementBusy):
        return


def assign_refund_to_gifts(refund: Refund, named: list[Gift]) -> None:
    """Staff say which gifts a refund from Stripe's own dashboard meant, if any; then it is settled.

    Raises the errors of stripe_api, SettlementBusy and ForbiddenMove.
    """
    with transaction.atomic():
        gifts.assign_refund(refund, [gift.pk for gift in named])
    checkout_id = refund.payment.checkout_id
    if checkout_id is not None:
        settle_checkout(checkout_id)
