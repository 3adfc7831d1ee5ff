"""Schedule the e-mails about a gift: one for each key, however often it is asked for."""

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
    """Schedule an e-mail about a gift, in the buyer's language unless another is given.

    `number` tells e-mails of one kind apart. One that is scheduled already is returned as it is.
    """
    key = f"{kind}:{gift.checkout_id}:{gift.position}" + (f":{number}" if number else "")
    mail, _ = OutgoingMail.objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "gift": gift,
            "language": language or gift.checkout.language,
            "due_at": due_at or timezone.now(),
        },
    )
    return mail


def schedule_invitation(gift: Gift, *, due_at: datetime) -> OutgoingMail:
    """Schedule the delivery of a gift: to the recipient, or to the buyer who hands it over.

    It replaces a pending one, so that the gift is delivered once.
    """
    kind = (
        OutgoingMail.Kind.GIFT_TO_PASS_ON
        if gift.is_handed_over
        else OutgoingMail.Kind.GIFT_INVITATION
    )
    drop_pending_invitations(gift)
    sent = OutgoingMail.objects.filter(gift=gift, kind__in=INVITATIONS).count()
    return schedule_mail(gift, kind, number=str(sent) if sent else "", due_at=due_at)


def drop_pending_invitations(gift: Gift) -> None:
    """Don't send the pending invitations of a gift: another one replaces them."""
    OutgoingMail.objects.filter(
        gift=gift, kind__in=INVITATIONS, sent_at__isnull=True, due_at__isnull=False
    ).update(due_at=None, error="replaced")
