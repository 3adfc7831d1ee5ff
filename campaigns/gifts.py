"""6 Buy, redeem and revoke gifts. The code of a gift is told by the gift itself."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from campaigns import memberships
from campaigns.models import Checkout, Gift, Member, Membership, OutgoingMail, Payment
from campaigns.models.gift import hash_code
from campaigns.payments import standing_interval

CLAIMABLE_FOR = timedelta(days=365)


class GiftNotClaimable(Exception):
    """The gift cannot be claimed; `reason` is its status, or "unknown"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def keep_gifts(payment: Payment, *, checkout: Checkout) -> list[Gift]:
    """The gifts that a payment bought, made once; their state follows whether the payment stands.

    Rows are made as soon as the payment succeeded, even if it was refunded before we heard of it.
    """
    if payment.status == Payment.Status.SUCCEEDED:
        for position, wanted in enumerate(checkout.typed.get("gifts", [])):
            _keep_gift(payment, checkout=checkout, position=position, wanted=wanted)
    gifts = list(checkout.gifts.select_for_update().order_by("position"))
    for gift in gifts:
        _follow_payment(gift, payment)
    return gifts


def _keep_gift(
    payment: Payment, *, checkout: Checkout, position: int, wanted: dict[str, str]
) -> None:
    months = checkout.price.months
    assert months is not None, "a gift's price says how long it lasts"
    if checkout.gifts.filter(position=position).exists():
        return
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
        paid_at=payment.paid_at,
        deliver_at=payment.paid_at,
        expires_at=payment.paid_at + CLAIMABLE_FOR,
    )
    gift.code_hash = hash_code(gift.code)
    gift.code_hint = gift.code[:5]
    gift.save(force_insert=True)
    _owe_mail(gift, OutgoingMail.Kind.GIFT_BOUGHT, language=checkout.language)
    if not gift.is_handed_over:
        _owe_mail(gift, OutgoingMail.Kind.GIFT_INVITATION, language=checkout.language)


def _owe_mail(gift: Gift, kind: OutgoingMail.Kind, *, language: str) -> None:
    OutgoingMail.objects.get_or_create(
        key=f"{kind}:{gift.checkout_id}:{gift.position}",
        defaults={"kind": kind, "gift": gift, "language": language},
    )


def _follow_payment(gift: Gift, payment: Payment) -> None:
    """Revoke an unclaimed gift whose payment no longer stands; bring it back if it does again.

    After the claim staff decide: the money is gone from the count, the membership stays.
    """
    standing = standing_interval(payment)
    fell_at = standing[1] if standing else payment.paid_at
    if fell_at is not None and gift.status in {
        Gift.Status.PAID,
        Gift.Status.DELIVERED,
        Gift.Status.EXPIRED,
        Gift.Status.REVOKED,
    }:
        gift.move_to(Gift.Status.REVOKED)
        gift.revoked_at = fell_at
        gift.save(update_fields=["status", "revoked_at"])
    elif fell_at is None and gift.status == Gift.Status.REVOKED:
        gift.move_to(Gift.Status.DELIVERED if gift.delivered_at else Gift.Status.PAID)
        gift.revoked_at = None
        gift.save(update_fields=["status", "revoked_at"])
        # What was no longer wanted is wanted again.
        OutgoingMail.objects.filter(
            gift=gift, sent_at__isnull=True, next_attempt_at__isnull=True
        ).update(next_attempt_at=timezone.now())


def find_gift(code: str) -> Gift | None:
    """The gift of a code as somebody typed it."""
    return (
        Gift.objects.select_related("checkout__campaign", "buyer", "price__plan")
        .filter(code_hash=hash_code(code))
        .first()
    )


def refuse_unless_claimable(gift: Gift, *, at: datetime) -> None:
    """Raise GiftNotClaimable with the reason that the reader should be told."""
    if gift.status not in Gift.CLAIMABLE:
        raise GiftNotClaimable(gift.status)
    if gift.expires_at <= at:
        raise GiftNotClaimable(Gift.Status.EXPIRED)


def redeem_gift(code: str, *, email: str, name: str, language: str) -> Gift:
    """Turn the gift into a membership of whoever claims it, exactly once.

    The same person claiming it again gets the same gift back; anybody else is refused.
    """
    now = timezone.now()
    with transaction.atomic():
        gift = Gift.objects.select_for_update().filter(code_hash=hash_code(code)).first()
        if gift is None:
            raise GiftNotClaimable("unknown")
        redeemer = Member.objects.known_by(email, name=name, language=language)
        if gift.status == Gift.Status.CLAIMED and gift.redeemer_id == redeemer.pk:
            return gift
        refuse_unless_claimable(gift, at=now)
        gift.membership = memberships.give_membership(
            redeemer,
            plan=gift.price.plan,
            source=Membership.Source.GIFT,
            starts_at=now,
            months=gift.months,
        )
        gift.redeemer, gift.claimed_at = redeemer, now
        gift.move_to(Gift.Status.CLAIMED)
        gift.save()
        memberships.welcome(gift.membership, language=language)
        _owe_mail(gift, OutgoingMail.Kind.GIFT_CLAIMED, language=gift.checkout.language)
        return gift


def note_deliveries() -> None:
    """Gifts whose invitation the mail provider took are delivered; a claim meanwhile stands."""
    sent = OutgoingMail.objects.filter(
        kind=OutgoingMail.Kind.GIFT_INVITATION,
        sent_at__isnull=False,
        gift__delivered_at__isnull=True,
    )
    for gift_id, sent_at in sent.values_list("gift_id", "sent_at"):
        Gift.objects.filter(pk=gift_id, delivered_at__isnull=True).update(delivered_at=sent_at)
        Gift.objects.filter(pk=gift_id, status=Gift.Status.PAID).update(
            status=Gift.Status.DELIVERED
        )
