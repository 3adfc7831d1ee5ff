"""E-mails to readers about a change that staff made for them."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from campaigns.models import Member, OutgoingMail, RefundOrder

_Kind = OutgoingMail.Kind


def schedule_reader_mail(
    kind: OutgoingMail.Kind, member: Member, message: str | None, *, about: str, **links: Any
) -> None:
    """Schedule the e-mail of a change, with the words of staff; none if `message` is None.

    `about` names the change, so that a second click sends no second e-mail.
    """
    _schedule(kind, member, message, about=about, due_at=timezone.now(), **links)


def prepare_refund_mail(order: RefundOrder, message: str | None) -> None:
    """Write the e-mail of a refund down; it is due once Stripe has made the refund."""
    payment = order.payment
    _schedule(
        _Kind.REFUNDED, payment.member, message, about=str(order.pk), due_at=None, payment=payment
    )


def release_refund_mail(order: RefundOrder) -> None:
    """Make the e-mail of a refund due, unless it has been sent."""
    _mails_of(order).update(due_at=timezone.now())


def drop_refund_mail(order: RefundOrder) -> None:
    """Forget the e-mail of a refund that Stripe refused."""
    _mails_of(order).delete()


def _mails_of(order: RefundOrder) -> Any:
    key = f"{_Kind.REFUNDED}:{order.pk}"
    return OutgoingMail.objects.filter(key=key, attempts=0, due_at=None)


def _schedule(
    kind: OutgoingMail.Kind,
    member: Member,
    message: str | None,
    *,
    about: str,
    due_at: datetime | None,
    **links: Any,
) -> None:
    if message is None:
        return
    values = {"kind": kind, "message": message, "language": member.language}
    OutgoingMail.objects.get_or_create(
        key=f"{kind}:{about}", defaults={**values, "due_at": due_at, **links}
    )
