"""A payment becomes gifts, and they follow whether their share of it stands."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from campaigns.gifts.mails import schedule_invitation
from campaigns.gifts.timeline import plan_next_step
from campaigns.models import Checkout, Gift, OutgoingMail, Payment, Refund
from campaigns.models.moves import ForbiddenMove
from campaigns.payments import Interval, valid_interval

_FOLLOWING = ["status", "reversed_at", "is_pardoned", "revoked_at", "revoked_for", "next_step_at"]


def upsert_gifts(payment: Payment, *, checkout: Checkout) -> list[Gift]:
    """The gifts that a payment bought, made once; their state follows whether it stands.

    Rows are made as soon as the payment succeeded, even if it was refunded before we heard of it.
    """
    if payment.status == Payment.Status.SUCCEEDED:
        _make_gifts(payment, checkout=checkout)
    gifts = list(
        checkout.gifts.select_for_update(of=("self",), no_key=True)
        .select_related("payment", "membership")
        .prefetch_related("refunds", "payment__refunds", "payment__disputes")
        .order_by("position")
    )
    for gift in gifts:
        follow_payment_of_gift(gift)
    return gifts


def _make_gifts(payment: Payment, *, checkout: Checkout) -> None:
    known = set(checkout.gifts.values_list("position", flat=True))
    made = [
        _make_gift(payment, checkout=checkout, position=position, wanted=wanted)
        for position, wanted in enumerate(checkout.typed.get("gifts", []))
        if position not in known
    ]
    if made:
        OutgoingMail.objects.get_or_create(
            key=f"{OutgoingMail.Kind.GIFT_BOUGHT}:{checkout.pk}",
            defaults={
                "kind": OutgoingMail.Kind.GIFT_BOUGHT,
                "checkout": checkout,
                "language": checkout.language,
            },
        )


def _make_gift(
    payment: Payment, *, checkout: Checkout, position: int, wanted: dict[str, Any]
) -> Gift:
    months = checkout.price.months
    assert months is not None, "a gift's price says how long it lasts"
    chosen = wanted.get("deliver_at")
    deliver_at = max(datetime.fromisoformat(chosen) if chosen else payment.paid_at, payment.paid_at)
    gift = Gift(
        checkout=checkout,
        position=position,
        payment=payment,
        price=checkout.price,
        months=months,
        buyer=payment.member,
        buyer_name=checkout.name,
        recipient_name=wanted.get("recipient_name", ""),
        recipient_email=wanted.get("recipient_email", ""),
        message=wanted.get("message", ""),
        zone=wanted.get("zone", ""),
        paid_at=payment.paid_at,
        deliver_at=deliver_at,
        expires_at=expiry_of(checkout, delivered_at=deliver_at),
    )
    gift.set_code()
    plan_next_step(gift)
    gift.save(force_insert=True)
    if not gift.is_handed_over or deliver_at > payment.paid_at:
        # One that is handed over now is delivered by the confirmation of the purchase.
        schedule_invitation(gift, due_at=max(deliver_at, timezone.now()))
    return gift


def expiry_of(checkout: Checkout, *, delivered_at: datetime) -> datetime:
    return delivered_at + timedelta(days=checkout.price.plan.gift_claimable_days)


def valid_interval_of(gift: Gift) -> Interval | None:
    """When the gift's own share of its payment stands, as known now; None if it never did.

    Until the payment falls, or until a succeeded refund that names this gift.
    """
    standing = valid_interval(gift.payment)
    if standing is None:
        return None
    begun, until = standing
    named = [
        refund.refunded_at
        for refund in gift.refunds.all()
        if refund.status == Refund.Status.SUCCEEDED
    ]
    until = min([*named, *([until] if until else [])], default=None)
    return None if until is not None and until <= begun else (begun, until)


def reversed_at_of(gift: Gift) -> datetime | None:
    """Since when the gift's share of its payment no longer stands; None while it does."""
    standing = valid_interval_of(gift)
    return standing[1] if standing else gift.payment.paid_at


def follow_payment_of_gift(gift: Gift) -> None:
    """Revoke a locked, unclaimed gift whose share no longer stands; bring it back if it does.

    After the claim staff decide: the money is gone from the count, and the membership waits for
    their word.
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
    """Back to what a locked, revoked gift was before; what was put off falls due. Caller saves."""
    gift.move_to(unclaimed_status(gift))
    gift.revoked_at, gift.revoked_for = None, ""
    about_it = Q(gift=gift) | Q(checkout=gift.checkout_id, kind=OutgoingMail.Kind.GIFT_BOUGHT)
    OutgoingMail.objects.filter(
        about_it, sent_at__isnull=True, next_attempt_at__isnull=True, error="no longer wanted"
    ).update(next_attempt_at=max(gift.deliver_at, timezone.now()))


def unclaimed_status(gift: Gift) -> Gift.Status:
    if gift.expires_at <= timezone.now():
        return Gift.Status.EXPIRED
    return Gift.Status.DELIVERED if gift.delivered_at else Gift.Status.PAID


def assign_refund(refund: Refund, gift_ids: Iterable[object]) -> None:
    """Say which gifts of its payment a refund meant, if any; the caller settles them after.

    Call inside a transaction. Raises ForbiddenMove if one of them is not of this payment, or if
    somebody said so already.
    """
    if Refund.objects.select_for_update(no_key=True).get(pk=refund.pk).gifts_named_at is not None:
        raise ForbiddenMove("its gifts were named already")
    gifts = Gift.objects.filter(pk__in=list(gift_ids))
    if any(gift.payment_id != refund.payment_id for gift in gifts):
        raise ForbiddenMove("a refund names gifts of its own payment")
    refund.gifts.set(gifts)
    refund.gifts_named_at = timezone.now()
    refund.save(update_fields=["gifts_named_at"])
