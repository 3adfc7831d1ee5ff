"""What is owed by mail on account of a gift: once for each key, however often it is asked."""

from datetime import datetime

from django.utils import timezone

from campaigns.models import Gift, OutgoingMail

INVITATIONS = (OutgoingMail.Kind.GIFT_INVITATION, OutgoingMail.Kind.GIFT_TO_PASS_ON)


def schedule_mail(
    gift: Gift,
    kind: OutgoingMail.Kind,
    *,
    number: str = "",
    due_at: datetime | None = None,
    language: str = "",
) -> OutgoingMail:
    """Owe a message about one gift, in the buyer's language unless it goes to somebody else.

    `number` tells several of a kind apart.
    """
    key = f"{kind}:{gift.checkout_id}:{gift.position}" + (f":{number}" if number else "")
    mail, _ = OutgoingMail.objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "gift": gift,
            "language": language or gift.checkout.language,
            "next_attempt_at": due_at or timezone.now(),
        },
    )
    return mail


def schedule_invitation(gift: Gift, *, due_at: datetime) -> OutgoingMail:
    """Owe what delivers the gift: to the recipient, or to the buyer who passes it on.

    One that is still waiting is moved, so that the gift is delivered once.
    """
    kind = (
        OutgoingMail.Kind.GIFT_TO_PASS_ON
        if gift.is_handed_over
        else OutgoingMail.Kind.GIFT_INVITATION
    )
    postpone_invitations(gift)
    sent = OutgoingMail.objects.filter(gift=gift, kind__in=INVITATIONS).count()
    return schedule_mail(gift, kind, number=str(sent) if sent else "", due_at=due_at)


def postpone_invitations(gift: Gift) -> None:
    """What was not sent yet is not sent any more: another takes its place."""
    OutgoingMail.objects.filter(
        gift=gift, kind__in=INVITATIONS, sent_at__isnull=True, next_attempt_at__isnull=False
    ).update(next_attempt_at=None, error="replaced")
