"""Refund a payment, and say which gifts a refund made at Stripe was for.

A refund is written down first as an order, then asked of Stripe, then settled like every refund.
The settlement recounts and publishes.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import settlement, stripe_api
from campaigns.actions.memberships import End, EndRefused, check_end, end_membership
from campaigns.actions.reader_mails import (
    drop_refund_mail,
    prepare_refund_mail,
    release_refund_mail,
)
from campaigns.gifts.sales import assign_refund
from campaigns.models import Dispute, Gift, Payment, Refund, RefundOrder
from campaigns.models.due import LEASE
from campaigns.reports.attention import needs_assignment

_TRY_AGAIN = timedelta(minutes=5)
_NOT_REFUNDED = (Refund.Status.FAILED, Refund.Status.CANCELED)


class RefundRefused(Exception):
    """The payment can't be refunded like this; the message says why, in a full sentence."""


class OrderedMeanwhile(Exception):
    """A refund was ordered after the form was opened: by a colleague, or by a second click."""

    def __init__(self, order: RefundOrder) -> None:
        super().__init__(str(order.pk))
        self.order = order


def refund_payment(
    payment: Payment,
    *,
    amount_minor: int,
    reason: RefundOrder.Reason,
    why: str,
    by: User,
    gifts: Sequence[Gift] = (),
    newest_seen: int,
    ends_membership: bool = False,
    message: str | None = None,
) -> RefundOrder:
    """Order a refund and ask Stripe for it at once; return the order with its outcome.

    Once it is made, the subscription that was paid for ends too if `ends_membership`, and the
    reader gets an e-mail with the `message`, or none if it is None.

    `newest_seen` is the primary key of the payment's newest order when the form was opened, or 0
    (`find_newest_order`). Raises OrderedMeanwhile and RefundRefused. Stripe's refusal is in the
    order's `error`; if Stripe doesn't answer, the order stays due and a job tries it again.
    """
    with transaction.atomic():
        locked = _lock_payment(payment)
        last = locked.refund_orders.order_by("-pk").first()
        if last is not None and last.pk != newest_seen:
            raise OrderedMeanwhile(last)
        check_refundable(locked)
        order = order_refund(
            locked,
            amount_minor=amount_minor,
            reason=reason,
            why=why,
            by=by,
            gifts=gifts,
            ends_membership=ends_membership,
        )
        prepare_refund_mail(order, message)
    return execute_refund_order(order.pk)


def check_refundable(payment: Payment) -> None:
    """Raise RefundRefused if nothing of the payment can be refunded here."""
    if payment.intent_id is None:
        raise RefundRefused(_("This payment didn’t come through Stripe; refund it by hand."))
    if payment.status != Payment.Status.SUCCEEDED:
        raise RefundRefused(_("Only a succeeded payment can be refunded."))
    if not compute_refundable(payment):
        if compute_disputed(payment):
            raise RefundRefused(
                _("Nothing is left to refund: the bank withdrew the money in a dispute.")
            )
        raise RefundRefused(_("This payment has been refunded in full, or is being refunded."))
    if list_unassigned_refunds(payment):
        raise RefundRefused(_("First choose the gifts that the refund made at Stripe was for."))


def can_end_membership(payment: Payment) -> bool:
    """Return whether the payment is for a subscription that can be ended with its refund."""
    if payment.membership is None:
        return False
    try:
        check_end(payment.membership, End.NOW)
    except EndRefused:
        return False
    return True


def order_refund(
    payment: Payment,
    *,
    amount_minor: int,
    reason: RefundOrder.Reason,
    why: str,
    by: User,
    gifts: Sequence[Gift] = (),
    ends_membership: bool = False,
) -> RefundOrder:
    """Write down a refund of this amount, for these gifts if any. Raises RefundRefused."""
    with transaction.atomic():
        locked = _lock_payment(payment)
        if locked.status != Payment.Status.SUCCEEDED or locked.intent_id is None:
            raise RefundRefused(_("Only a succeeded payment through Stripe can be refunded."))
        if not 0 < amount_minor <= compute_refundable(locked):
            raise RefundRefused(
                _("This amount is more than what is left of the payment. Enter less.")
            )
        if any(gift.payment_id != locked.pk for gift in gifts):
            raise RefundRefused(_("One of the gifts belongs to another payment."))
        order = RefundOrder.objects.create(
            payment=locked,
            amount_minor=amount_minor,
            reason=reason,
            why=why,
            ends_membership=ends_membership,
            ordered_by=by,
            due_at=timezone.now() + LEASE,  # the caller executes it at once
        )
        order.gifts.set(gifts)
    return order


def _lock_payment(payment: Payment) -> Payment:
    return Payment.objects.select_for_update(of=("self",), no_key=True).get(pk=payment.pk)


def find_newest_order(payment: Payment) -> int:
    """Return the primary key of the payment's newest refund order, or 0."""
    newest = payment.refund_orders.order_by("-pk").values_list("pk", flat=True).first()
    return newest or 0


def compute_refundable(payment: Payment) -> int:
    """Return what is left of a payment, less disputes and refunds under way; in minor units."""
    refunds = payment.refunds.exclude(status__in=_NOT_REFUNDED).aggregate(Sum("amount_minor"))
    under_way = Q(refund_id=None, due_at__isnull=False) | (
        Q(refund_id__isnull=False) & ~Q(refund_id__in=payment.refunds.values("refund_id"))
    )
    orders = payment.refund_orders.filter(under_way).aggregate(Sum("amount_minor"))
    taken = (refunds["amount_minor__sum"] or 0) + (orders["amount_minor__sum"] or 0)
    return max(payment.amount_minor - taken - compute_disputed(payment), 0)


def compute_disputed(payment: Payment) -> int:
    """Return what the bank took back in disputes, open or lost; in minor units."""
    disputes = Dispute.objects.taken().filter(payment=payment)
    return disputes.aggregate(total=Sum("amount_minor"))["total"] or 0


def list_unassigned_refunds(payment: Payment) -> list[Refund]:
    """List the refunds for which staff have yet to say which gifts they were for."""
    if not needs_assignment(payment):
        return []
    unassigned = payment.refunds.filter(status=Refund.Status.SUCCEEDED, gifts_named_at=None)
    return list(unassigned.order_by("refunded_at", "pk"))


def list_unrefunded_gifts(payment: Payment) -> QuerySet[Gift]:
    """Return the gifts of a payment that no refund is for, neither made nor ordered."""
    refunds = Refund.objects.exclude(status__in=_NOT_REFUNDED).filter(payment=payment)
    orders = payment.refund_orders.filter(
        Q(due_at__isnull=False) | Q(refund_id__in=refunds.values("refund_id"))
    )
    return (
        payment.gifts.exclude(refunds__in=refunds)
        .exclude(refund_orders__in=orders)
        .select_related("checkout", "claimed_by")
        .order_by("position")
    )


def explain_refusal(order: RefundOrder) -> str:
    """Return why Stripe refused an order."""
    if order.error.partition(":")[0] == "amount_too_large":
        return gettext("This amount is more than what is left of the payment. Enter less.")
    return stripe_api.explain_reason(order.error)


def execute_refund_order(order_id: int) -> RefundOrder:
    """Ask Stripe for an ordered refund and settle it; calling again never refunds twice.

    If Stripe refuses, the order ends with the reason in `error`. If Stripe doesn't answer, the
    order stays due.
    """
    order = RefundOrder.objects.select_related("payment__membership").get(pk=order_id)
    if order.due_at is None:
        return order
    if (order.refund_id or _make_refund(order)) and order.ends_membership:
        _end_membership_too(order)
    return order


def _make_refund(order: RefundOrder) -> bool:
    """Ask Stripe for the refund, and settle it; return whether it was made."""
    try:
        refund = _find_refund(order) or _ask_stripe(order)
    except stripe_api.StripeRefused as error:
        _note(order, error=error.reason, again_at=None)
        drop_refund_mail(order)
        return False
    except stripe_api.StripeError as error:
        if isinstance(error, stripe_api.StripeFailed):
            order.attempt += 1  # Stripe would repeat its answer for the same key
        _note(order, error=type(error).__name__, again_at=timezone.now() + _TRY_AGAIN)
        return False
    order.refund_id = refund.id
    # It stays due until the membership has ended, in case this process dies.
    _note(order, error="", again_at=timezone.now() + LEASE if order.ends_membership else None)
    release_refund_mail(order)
    _settle(order)
    return True


def _end_membership_too(order: RefundOrder) -> None:
    """End the subscription that was paid for; if Stripe doesn't answer, the order stays due."""
    assert order.payment.membership is not None
    order.error, order.due_at = "", None
    try:
        end_membership(order.payment.membership, End.NOW)
    except EndRefused:
        pass  # it has ended meanwhile
    except stripe_api.StripeRefused as error:
        order.error = error.reason[:200]
    except stripe_api.StripeError as error:
        order.error, order.due_at = type(error).__name__, timezone.now() + _TRY_AGAIN
    order.save(update_fields=["error", "due_at"])


def _find_refund(order: RefundOrder) -> stripe_api.Refund | None:
    """Find the refund that an earlier attempt made, if its answer was lost.

    Stripe knows an idempotency key for a day, so the first hour needs no search.
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
    """Write the outcome, unless another worker has noted the refund already."""
    order.error, order.due_at = error[:200], again_at
    RefundOrder.objects.filter(pk=order.pk, refund_id=None).update(
        attempt=order.attempt,
        error=order.error,
        due_at=again_at,
        refund_id=order.refund_id,
    )


def _settle(order: RefundOrder) -> None:
    """Settle the refund now; if that fails, its webhook does it."""
    checkout_id = order.payment.checkout_id
    if checkout_id is None:
        return
    try:
        settlement.settle_checkout(checkout_id)
    except (stripe_api.StripeError, settlement.SettlementBusy):
        return


def assign_refund_to_gifts(refund: Refund, gifts: Sequence[Gift]) -> None:
    """Note which gifts a refund made at Stripe was for, if any, and settle it.

    Raises ForbiddenMove, and after the note is written the errors of stripe_api and
    SettlementBusy: then a job settles it later.
    """
    with transaction.atomic():
        assign_refund(refund, [gift.pk for gift in gifts])
    checkout_id = refund.payment.checkout_id
    if checkout_id is not None:
        settlement.settle_checkout(checkout_id)
