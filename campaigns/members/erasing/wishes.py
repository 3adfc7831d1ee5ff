"""That somebody is to be forgotten, written down once; and the last mail to them."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from campaigns.models import Erasure, Member, OutgoingMail


def ask_erasure(
    member: Member, *, by: User | None = None, why: str = "", language: str = ""
) -> Erasure:
    """Let it fall due, and owe the mail that says so; asked again it is the same one.

    Staff say why. Raises Member.DoesNotExist of somebody who was made one with another meanwhile.
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
                key=_key_of(erasure),
                kind=OutgoingMail.Kind.ERASURE,
                member=locked,
                language=language or locked.language,
                next_attempt_at=now,
            )
    return erasure


def has_pending_mail(erasure: Erasure) -> bool:
    """Whether the last mail waits to be sent: until then the address is needed."""
    return OutgoingMail.objects.filter(key=_key_of(erasure), next_attempt_at__isnull=False).exists()


def erase_again(member: Member, *, at: datetime) -> None:
    """Something of an erased person came after all: at Stripe it has to end as the rest did."""
    Erasure.objects.filter(member=member).update(done_at=None, next_attempt_at=at, events_read_to=0)


def _key_of(erasure: Erasure) -> str:
    return f"{OutgoingMail.Kind.ERASURE}:{erasure.member_id}"
