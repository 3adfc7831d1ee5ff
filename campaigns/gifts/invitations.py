"""Change how an unclaimed gift reaches its recipient: resend it, or change its date or recipient.

The buyer and staff call these directly, since none of them changes who counts. Each takes the
gift's lock, checks it again and raises ForbiddenMove if the change is no longer possible.
"""

from datetime import datetime

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.gifts.changes import changing_gift, refuse_unless
from campaigns.gifts.mails import INVITATIONS, schedule_invitation
from campaigns.gifts.sales import expiry_of
from campaigns.models import Gift, GiftChange, OutgoingMail, ReplacedCode
from campaigns.models.due import LEASE

What = GiftChange.What


def resend_gift(
    gift: Gift, *, with_new_code: bool = False, by: User | None = None, why: str = ""
) -> None:
    """Send the invitation of an unclaimed gift now. A new claim code replaces the old one."""
    what = What.NEW_CODE if with_new_code else What.RESENT
    with changing_gift(gift, what, by=by, why=why) as locked:
        refuse_unless(locked.is_claimable, _("Only an unclaimed gift can be resent."))
        if with_new_code:
            _renew_code(locked)
        locked.deliver_at = min(locked.deliver_at, timezone.now())
        _send_now(locked)


def _send_now(gift: Gift) -> None:
    """Schedule the invitation for now, unless one is being sent already."""
    now = timezone.now()
    gift.bounced_at = None
    pending = OutgoingMail.objects.filter(
        gift=gift, kind__in=INVITATIONS, sent_at__isnull=True, due_at__isnull=False
    )
    if not pending.exists():
        schedule_invitation(gift, due_at=now)
    # A worker may be sending one at this moment: leave that one alone.
    pending.filter(due_at__gt=now + LEASE).update(due_at=now)


def _was_sent(gift: Gift) -> bool:
    """Return whether someone may have the claim code, even if no delivery is recorded yet."""
    mails = OutgoingMail.objects.filter(gift=gift, kind__in=INVITATIONS, attempts__gt=0)
    return gift.delivered_at is not None or mails.filter(failed_at__isnull=True).exists()


def _renew_code(gift: Gift) -> None:
    ReplacedCode.objects.get_or_create(code_hash=gift.code_hash, defaults={"gift": gift})
    gift.generation += 1
    gift.set_code()


def change_delivery(
    gift: Gift, *, deliver_at: datetime, zone: str = "", by: User | None = None, why: str = ""
) -> None:
    """Deliver an undelivered gift at another time. Its expiry moves with it."""
    with changing_gift(gift, What.DATE, by=by, why=why) as locked:
        refuse_unless(
            locked.status == Gift.Status.PAID,
            _("The date can be changed only until the gift is delivered."),
        )
        locked.deliver_at, locked.zone = max(deliver_at, timezone.now()), zone
        locked.expires_at = expiry_of(locked.checkout, delivered_at=locked.deliver_at)
        schedule_invitation(locked, due_at=locked.deliver_at)


def change_recipient(
    gift: Gift, *, name: str, email: str, by: User | None = None, why: str = ""
) -> None:
    """Change the recipient of an unclaimed gift. Without an e-mail the buyer hands it over.

    If the claim code was sent already, a new one replaces it.
    """
    with changing_gift(gift, What.RECIPIENT, by=by, why=why) as locked:
        refuse_unless(
            locked.is_claimable, _("The recipient can be changed only until the gift is claimed.")
        )
        is_other_address = locked.recipient_email != email
        locked.recipient_name, locked.recipient_email = name, email
        if not is_other_address:
            return
        locked.bounced_at = None
        if _was_sent(locked):
            _renew_code(locked)
        due_at = max(locked.deliver_at, timezone.now())
        schedule_invitation(locked, due_at=due_at)


def forget_recipient(gift: Gift) -> None:
    """Remove the recipient's name, e-mail and message from a locked gift.

    The claim code stays valid. If the gift was not sent yet, the buyer hands it over.
    """
    is_to_be_sent = gift.status == Gift.Status.PAID and not (gift.is_handed_over or _was_sent(gift))
    gift.recipient_name = gift.recipient_email = gift.message = ""
    gift.bounced_at = None
    gift.save(update_fields=["recipient_name", "recipient_email", "message", "bounced_at"])
    if is_to_be_sent:
        schedule_invitation(gift, due_at=max(gift.deliver_at, timezone.now()))
