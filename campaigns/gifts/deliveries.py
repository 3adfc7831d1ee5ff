"""Record that a gift was delivered, or that its e-mail bounced."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from campaigns.gifts.announcements import announce_gift
from campaigns.gifts.mails import INVITATIONS, schedule_mail
from campaigns.gifts.sales import expiry_of
from campaigns.gifts.timeline import plan_next_step
from campaigns.models import Gift, OutgoingMail
from campaigns.models.due import LEASE

# Gifts of one purchase that are delivered together share one e-mail to the buyer.
_NOTIFY_AFTER = timedelta(minutes=1)
_AT_ONCE = 1000
_TO_RECIPIENTS = (OutgoingMail.Kind.GIFT_INVITATION, OutgoingMail.Kind.GIFT_REMINDER)


def record_deliveries() -> int:
    """Record the gifts whose invitation was sent as delivered; return how many are new.

    A gift that the buyer hands over is delivered once the buyer was sent its link.
    """
    sent = OutgoingMail.objects.filter(
        kind__in=INVITATIONS, sent_at__isnull=False, gift__delivered_at__isnull=True
    ).values_list("gift_id", "sent_at")
    handed_over = (
        Gift.objects.filter(
            delivered_at__isnull=True,
            recipient_email="",
            checkout__outgoingmail__kind=OutgoingMail.Kind.GIFT_BOUGHT,
            checkout__outgoingmail__sent_at__gte=F("deliver_at"),
        )
        .filter(status=Gift.Status.PAID)
        .values_list("pk", "checkout__outgoingmail__sent_at")
    )
    return sum(
        _deliver(gift_id, sent_at)
        for gift_id, sent_at in [*sent[:_AT_ONCE], *handed_over[:_AT_ONCE]]
        if gift_id is not None and sent_at is not None
    )


def _deliver(gift_id: UUID, sent_at: datetime) -> bool:
    with transaction.atomic():
        gift = (
            Gift.objects.select_for_update(of=("self",), no_key=True)
            .select_related("checkout__price__plan", "membership")
            .get(pk=gift_id)
        )
        if gift.delivered_at is not None:
            return False
        gift.delivered_at = sent_at
        if gift.status == Gift.Status.PAID:  # not if it was claimed or refunded meanwhile
            gift.move_to(Gift.Status.DELIVERED)
            gift.expires_at = max(gift.expires_at, expiry_of(gift.checkout, delivered_at=sent_at))
        plan_next_step(gift)
        gift.save(update_fields=["delivered_at", "status", "expires_at", "due_at"])
        announce_gift("gift.delivered", gift, gift.buyer)
        if not gift.is_handed_over:
            _notify_buyer(gift)
        return True


def _notify_buyer(gift: Gift) -> None:
    """Schedule one e-mail for all gifts of a purchase that are delivered together."""
    key = f"{OutgoingMail.Kind.GIFT_DELIVERED}:{gift.checkout_id}:{gift.deliver_at:%Y%m%d%H%M%S}"
    due_at = timezone.now() + _NOTIFY_AFTER
    mail, is_new = OutgoingMail.objects.get_or_create(
        key=key,
        defaults={
            "kind": OutgoingMail.Kind.GIFT_DELIVERED,
            "checkout": gift.checkout,
            "gift": gift,
            "language": gift.checkout.language,
            "due_at": due_at,
        },
    )
    if not is_new:
        idle = Q(due_at__isnull=True) | Q(due_at__gt=timezone.now() + LEASE)
        OutgoingMail.objects.filter(idle, pk=mail.pk).update(due_at=due_at, sent_at=None)


def record_bounces() -> int:
    """Record the gifts whose e-mail bounced or could not be sent; return how many are new.

    An e-mail asks the buyer to correct the address, and another one informs the staff.
    """
    unrecorded = OutgoingMail.objects.filter(
        Q(bounced_at__isnull=False) | Q(failed_at__isnull=False),
        kind__in=_TO_RECIPIENTS,
        told_at__isnull=True,
    )
    mail_ids = list(unrecorded.values_list("pk", flat=True)[:_AT_ONCE])
    return sum(_record_bounce(mail_id) for mail_id in mail_ids)


def _record_bounce(mail_id: int) -> bool:
    now = timezone.now()
    with transaction.atomic():
        if not OutgoingMail.objects.filter(pk=mail_id, told_at__isnull=True).update(told_at=now):
            return False
        gift = Gift.objects.select_for_update(of=("self",), no_key=True).get(outgoingmail=mail_id)
        if not gift.is_claimable or gift.bounced_at is not None:
            return False
        if OutgoingMail.objects.filter(gift=gift, kind__in=INVITATIONS, pk__gt=mail_id).exists():
            return False  # the buyer has corrected the address already
        gift.bounced_at = now
        gift.save(update_fields=["bounced_at"])
        schedule_mail(gift, OutgoingMail.Kind.GIFT_BOUNCED, number=str(mail_id))
        if settings.STAFF_EMAIL:
            schedule_mail(
                gift,
                OutgoingMail.Kind.GIFT_BOUNCED_STAFF,
                number=str(mail_id),
                language=settings.LANGUAGE_CODE,
            )
        return True
