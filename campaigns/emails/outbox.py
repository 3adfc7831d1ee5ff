"""What is owed by mail: claimed with a lease, handed to the provider, tried again, given up."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused

from django.db.models import F, Q
from django.utils import timezone

from campaigns.emails.messages import send_mail
from campaigns.emails.sending import NothingToSay
from campaigns.models import OptOut, OutgoingMail
from campaigns.models.opt_out import hash_address

LEASE = timedelta(seconds=40)
_LONGEST_PAUSE = timedelta(hours=6)
LAST_ATTEMPT = 16  # with the pauses between them, after about two days


def list_due_mails(*, at: datetime, limit: int = 2000) -> list[int]:
    due = OutgoingMail.objects.filter(next_attempt_at__lte=at).order_by("next_attempt_at", "pk")
    return list(due.values_list("pk", flat=True)[:limit])


def reschedule_mail(mail_ids: Iterable[int]) -> int:
    """Make messages due once more, sent or put off; how many were. One being sent is left alone."""
    now = timezone.now()
    idle = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__gt=now + LEASE)
    return OutgoingMail.objects.filter(idle, pk__in=mail_ids).update(
        next_attempt_at=now, sent_at=None, failed_at=None, bounced_at=None, attempts=0, error=""
    )


def deliver_mail(mail_id: int) -> bool:
    """Send an owed message if nobody else is at it; whether it went out now.

    It goes out twice only if we die between the provider's acceptance and our note of it.
    """
    now = timezone.now()
    due = OutgoingMail.objects.filter(pk=mail_id, next_attempt_at__lte=now)
    if not due.update(next_attempt_at=now + LEASE, attempts=F("attempts") + 1):
        return False
    mail = OutgoingMail.objects.select_related(
        *("payment__member", "payment__checkout", "membership__member", "member"),
        *("gift__buyer", "gift__checkout__campaign", "gift__price__plan", "gift__claimed_by"),
        *("checkout__campaign", "checkout__price__plan", "checkout__member"),
    ).get(pk=mail_id)
    ours = OutgoingMail.objects.filter(pk=mail_id, attempts=mail.attempts)
    try:
        provider_id = send_mail(mail)
    except NothingToSay:
        ours.update(next_attempt_at=None, error="no longer wanted")
        return False
    except Exception as error:  # whatever the provider says, the message stays owed
        # The error's words may hold an address; its kind is enough for staff to look closer.
        kind = type(error).__name__
        if _is_for_good(error) or mail.attempts >= LAST_ATTEMPT:
            ours.update(next_attempt_at=None, failed_at=timezone.now(), error=kind)
            return False
        pause = min(timedelta(seconds=15 * 2 ** min(mail.attempts, 12)), _LONGEST_PAUSE)
        ours.update(next_attempt_at=timezone.now() + pause, error=kind)
        return False
    ours.update(
        next_attempt_at=None, sent_at=timezone.now(), error="", provider_id=provider_id[:255]
    )
    return True


def _is_for_good(error: Exception) -> bool:
    """Whether the provider will never take a message for this address."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return type(error).__name__ == "AnymailRecipientsRefused"


def stop_reminders(address: str) -> None:
    """Send that address no reminders any more; what it pays and is given is told all the same."""
    OptOut.objects.get_or_create(address_hash=hash_address(address))


def record_bounce(*, mail_id: int | None, provider_id: str, at: datetime) -> bool:
    """The provider says that a message came back; whether that is news of one of ours."""
    known = OutgoingMail.objects.filter(bounced_at__isnull=True)
    named = Q(pk=mail_id) if mail_id is not None else Q(pk__isnull=True)
    if provider_id:
        named |= Q(provider_id=provider_id)
    return bool(known.filter(named).update(bounced_at=at, error="bounced"))
