"""Requests to erase a person's data, and the last e-mail to that person."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from campaigns.models import Erasure, Member, OutgoingMail

# After this time the address is erased even if the last e-mail was not sent.
_WAIT_FOR_MAIL = timedelta(days=1)


def request_erasure(
    member: Member, *, by: User | None = None, why: str = "", language: str = ""
) -> Erasure:
    """Schedule the erasure and the e-mail about it; a second request returns the first one.

    Staff give a reason. Raises Member.DoesNotExist if the person was merged with another meanwhile.
    """
    now = timezone.now()
    with transaction.atomic():
        locked = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
        erasure, is_new = Erasure.objects.get_or_create(
            member=locked,
            defaults={"asked_at": now, "asked_by": by, "why": why, "next_attempt_at": now},
        )
        if is_new:
            OutgoingMail.objects.create(
                key=_mail_key(erasure),
                kind=OutgoingMail.Kind.ERASURE,
                member=locked,
                language=language or locked.language,
                next_attempt_at=now,
            )
    return erasure


def needs_address(erasure: Erasure, *, at: datetime) -> bool:
    """Return whether the address is still needed to send the last e-mail."""
    mail = OutgoingMail.objects.filter(key=_mail_key(erasure), next_attempt_at__isnull=False)
    return at < erasure.asked_at + _WAIT_FOR_MAIL and mail.exists()


def _mail_key(erasure: Erasure) -> str:
    return f"{OutgoingMail.Kind.ERASURE}:{erasure.member_id}"
