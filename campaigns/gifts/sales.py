"""Inner steps of a sale: a payment becomes gifts, which follow whether it is valid.

Settlement and `campaigns.actions` call them, and recount afterwards.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.gifts.announcements import announce_gift
from campaigns.gifts.mails import schedule_invitation
from campaigns.gifts.timeline import plan_next_step
from campaigns.models import Checkout, Gift, OutgoingMail, Payment, Refund
from campaigns.models.moves import ForbiddenMove
from campaigns.payments import Interval, valid_interval
from campaigns.people import canonical_email

_FOLLOWING = ["status", "reversed_at", "is_pardoned", "revoked_at", "revoked_for", "due_at"]


def upsert_gifts(payment: Payment, *, checkout: Checkout) -> list[Gift]:
    """Create the gifts that a payment bought, once, and let them follow their payment.

    Rows are created as soon as the payment succeeded, even if it was refunded before we heard of
    it.
    """
    if payment.status == Payment.Status.SUCCEEDED:
        _create_gifts(payment, checkout=checkout)
    gifts = list(
        checkout.gifts.select_for_update(of=("self",), no_key=True)
        .select_related("payment", "membership")
        .prefetch_related("refunds", "payment__refunds", "payment__disputes")
        .order_by("position")
    )
    for gift in gifts:
        follow_payment_of_gift(gift)
    return gifts


def _create_gifts(payment: Payment, *, checkout: Checkout) -> None:
    known = set(checkout.gifts.values_list("position", flat=True))
    created = [
        _create_gift(payment, checkout=checkout, position=position, ordered=ordered)
        for position, ordered in enumerate(checkout.typed.get("gifts", []))
        if position not in known
    ]
    if created:
        OutgoingMail.objects.get_or_create(
            key=f"{OutgoingMail.Kind.GIFT_BOUGHT}:{checkout.pk}",
            defaults={
                "kind": OutgoingMail.Kind.GIFT_BOUGHT,
                "checkout": checkout,
                "language": checkout.language,
            },
        )


def _create_gift(
    payment: Payment, *, checkout: Checkout, position: int, ordered: dict[str, Any]
) -> Gift:
    months = checkout.price.months
    assert months is not None, "the price of a gift has a number of months"
    chosen = ordered.get("deliver_at")
    deliver_at = max(datetime.fromisoformat(chosen) if chosen else payment.paid_at, payment.paid_at)
    gift = Gift(
        checkout=checkout,
        position=position,
        payment=payment,
        price=checkout.price,
        months=months,
        buyer=payment.member,
        buyer_name=checkout.name,
        recipient_name=ordered.get("recipient_name", ""),
        recipient_email=canonical_email(ordered.get("recipient_email", "")),
        message=ordered.get("message", ""),
        zone=ordered.get("zone", ""),
        paid_at=payment.paid_at,
        deliver_at=deliver_at,
        expires_at=expiry_of(checkout, delivered_at=deliver_at),
    )
    gift.set_code()
    plan_next_step(gift)
    gift.save(force_insert=True)
    announce_gift("gift.bought", gift, payment.member)
    if not gift.is_handed_over or deliver_at > payment.paid_at:
        # A gift to hand over now is delivered by the e-mail that confirms the purchase.
        schedule_invitation(gift, due_at=max(deliver_at, timezone.now()))
    return gift


def expiry_of(checkout: Checkout, *, delivered_at: datetime) -> datetime:
    """Return the moment at which an unclaimed gift expires."""
    return delivered_at + timedelta(days=checkout.price.plan.gift_claimable_days)


def valid_interval_of(gift: Gift) -> Interval | None:
    """Return when the gift's share of its payment is valid, as known now; None if it never was.

    It ends when the payment is reversed, or with a succeeded refund for this gift.
    """
    payment_valid = valid_interval(gift.payment)
    if payment_valid is None:
        return None
    valid_from, valid_until = payment_valid
    refunded_at = [
        refund.refunded_at
        for refund in gift.refunds.all()
        if refund.status == Refund.Status.SUCCEEDED
    ]
    valid_until = min([*refunded_at, *([valid_until] if valid_until else [])], default=None)
    if valid_until is not None and valid_until <= valid_from:
        return None
    return valid_from, valid_until


def reversed_at_of(gift: Gift) -> datetime | None:
    """Return when the gift's share of its payment was reversed; None while it is valid."""
    valid = valid_interval_of(gift)
    return valid[1] if valid else gift.payment.paid_at


def follow_payment_of_gift(gift: Gift) -> None:
    """Revoke a locked, unclaimed gift whose payment was reversed; restore it if it is valid again.

    After the claim staff decide about the membership: the gift has stopped counting and needs
    attention.
    """
    reversed_at = reversed_at_of(gift)
    before = [getattr(gift, name) for name in _FOLLOWING]
    if gift.status == Gift.Status.CLAIMED:
        gift.reversed_at = reversed_at
        gift.is_pardoned = gift.is_pardoned and reversed_at is not None
    elif gift.status == Gift.Status.REVOKED:
        if gift.revoked_for == Gift.Cause.STAFF:
            return
        if reversed_at is None:
            reopen_gift(gift)
        else:
            gift.revoked_at = reversed_at
    elif reversed_at is not None:
        gift.move_to(Gift.Status.REVOKED)
        gift.revoked_at, gift.revoked_for = reversed_at, Gift.Cause.MONEY
    plan_next_step(gift)
    if before != [getattr(gift, name) for name in _FOLLOWING]:
        gift.save(update_fields=_FOLLOWING)


def reopen_gift(gift: Gift) -> None:
    """Restore a locked, revoked gift to its earlier status, with its e-mails. The caller saves."""
    gift.move_to(unclaimed_status(gift))
    gift.revoked_at, gift.revoked_for = None, ""
    its_mails = Q(gift=gift) | Q(checkout=gift.checkout_id, kind=OutgoingMail.Kind.GIFT_BOUGHT)
    OutgoingMail.objects.filter(
        its_mails, sent_at__isnull=True, due_at__isnull=True, error="no longer wanted"
    ).update(due_at=max(gift.deliver_at, timezone.now()))


def unclaimed_status(gift: Gift) -> Gift.Status:
    """Return the status that an unclaimed gift has by its dates."""
    if gift.expires_at <= timezone.now():
        return Gift.Status.EXPIRED
    return Gift.Status.DELIVERED if gift.delivered_at else Gift.Status.PAID


def assign_refund(refund: Refund, gift_ids: Iterable[object]) -> None:
    """Note which gifts of its payment a refund was for, if any. The caller settles them after.

    Call inside a transaction. Raises ForbiddenMove if a gift belongs to another payment, or if
    the gifts were noted already.
    """
    if Refund.objects.select_for_update(no_key=True).get(pk=refund.pk).gifts_named_at is not None:
        raise ForbiddenMove(_("This refund is already assigned to gifts."))
    gifts = Gift.objects.filter(pk__in=list(gift_ids))
    if any(gift.payment_id != refund.payment_id for gift in gifts):
        raise ForbiddenMove(_("A refund can be assigned only to gifts of its own payment."))
    refund.gifts.set(gifts)
    refund.gifts_named_at = timezone.now()
    refund.save(update_fields=["gifts_named_at"])
