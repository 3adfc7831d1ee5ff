"""The outbox: mails that are due are claimed with a lease, sent, retried or given up."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused

from django.db.models import Model, Q
from django.utils import timezone

from campaigns.emails.delivery import NotNeeded
from campaigns.emails.messages import send_mail
from campaigns.models import Checkout, Gift, Membership, OptOut, OutgoingMail, Payment
from campaigns.models.due import LEASE, claim_row
from campaigns.models.opt_out import hash_address

_LONGEST_PAUSE = timedelta(hours=6)
LAST_ATTEMPT = 16  # about two days after the first
# The rows that a mail may be about, with what their messages need.
_PURCHASE = ("checkout__campaign", "checkout__price__plan")
_ABOUT: dict[str, tuple[type[Model], tuple[str, ...]]] = {
    "payment": (Payment, ("member", *_PURCHASE)),
    "membership": (Membership, ("member", "plan", "price", *_PURCHASE)),
    "gift": (Gift, ("buyer", "claimed_by", "checkout__campaign", "price__plan")),
    "checkout": (Checkout, ("member", "campaign", "price__plan")),
}


def reschedule_mail(mail_ids: Iterable[int]) -> int:
    """Make mails due now, whether sent before or not, and return how many.

    A mail that is being sent right now is left alone.
    """
    now = timezone.now()
    idle = Q(due_at__isnull=True) | Q(due_at__gt=now + LEASE)
    return OutgoingMail.objects.filter(idle, pk__in=mail_ids).update(
        due_at=now, sent_at=None, failed_at=None, bounced_at=None, attempts=0, error=""
    )


def deliver_mail(mail_id: int) -> bool:
    """Send a mail that is due, unless another worker has claimed it; return whether it was sent."""
    if claim_row(OutgoingMail.objects.filter(pk=mail_id)) is None:
        return False
    return send_claimed_mail(mail_id)


def send_claimed_mail(mail_id: int) -> bool:
    """Send a claimed mail; return whether it was sent. A failure is saved on it, not raised.

    It is sent twice only if this process dies after the provider accepted it and before the row
    says so.
    """
    mail = _load_mail(mail_id)
    claimed = OutgoingMail.objects.filter(pk=mail_id, attempts=mail.attempts)
    try:
        provider_id = send_mail(mail)
    except NotNeeded:
        claimed.update(due_at=None, error="no longer wanted")
        return False
    except Exception as error:  # whatever the provider's error is, the mail is retried
        # Keep only the error's class: its text may contain an address.
        name = type(error).__name__
        if _is_permanent(error) or mail.attempts >= LAST_ATTEMPT:
            claimed.update(due_at=None, failed_at=timezone.now(), error=name)
            return False
        pause = min(timedelta(seconds=15 * 2 ** min(mail.attempts, 12)), _LONGEST_PAUSE)
        claimed.update(due_at=timezone.now() + pause, error=name)
        return False
    claimed.update(due_at=None, sent_at=timezone.now(), error="", provider_id=provider_id[:255])
    return True


def _load_mail(mail_id: int) -> OutgoingMail:
    """Return a mail with what its message needs of the rows that it is about.

    One query for all of them would join twenty tables, most of them for nothing.
    """
    mail = OutgoingMail.objects.select_related("member").get(pk=mail_id)
    for name, (model, needed) in _ABOUT.items():
        row_id = getattr(mail, f"{name}_id")
        if row_id is not None:
            rows = model._default_manager.select_related(*needed)
            setattr(mail, name, rows.get(pk=row_id))
    return mail


def _is_permanent(error: Exception) -> bool:
    """Return whether the provider will never accept a message to this address."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return type(error).__name__ == "AnymailRecipientsRefused"


def stop_reminders(address: str) -> None:
    """Send no more reminders to an address. Receipts, gifts and other notices still go out."""
    OptOut.objects.get_or_create(address_hash=hash_address(address))


def record_bounce(*, mail_id: int | None, provider_id: str, at: datetime) -> bool:
    """Record that a mail bounced; return whether it is one of ours and was not known to bounce."""
    unbounced = OutgoingMail.objects.filter(bounced_at__isnull=True)
    match = Q(pk=mail_id) if mail_id is not None else Q(pk__isnull=True)
    if provider_id:
        match |= Q(provider_id=provider_id)
    return bool(unbounced.filter(match).update(bounced_at=at, error="bounced"))
