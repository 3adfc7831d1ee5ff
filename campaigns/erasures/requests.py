"""Requests to erase a person's data, and the last e-mail to that person."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from campaigns import deliveries, newsletters
from campaigns.erasures.traces import find_traces
from campaigns.erasures.walls import take_off_walls
from campaigns.models import Erasure, GhostMember, Member, OutgoingMail

# After this time the address is erased even if the last e-mail was not sent.
_WAIT_FOR_MAIL = timedelta(days=1)


def request_erasure(
    member: Member, *, by: User | None = None, why: str = "", language: str = ""
) -> Erasure:
    """Schedule the erasure and the e-mail about it; a second request returns the first one.

    Their words on walls go at once. Staff give a reason. Raises Member.DoesNotExist if the person
    was merged with another meanwhile.
    """
    now = timezone.now()
    with transaction.atomic():
        locked = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
        erasure, is_new = Erasure.objects.get_or_create(
            member=locked,
            defaults={"asked_at": now, "asked_by": by, "why": why, "due_at": now},
        )
        if is_new:
            OutgoingMail.objects.create(
                key=_mail_key(erasure),
                kind=OutgoingMail.Kind.ERASURE,
                member=locked,
                language=language or locked.language,
                due_at=now,
            )
            addresses = find_traces(locked).addresses
            deliveries.drop_waiting(locked, addresses)
            newsletters.erase_subscriptions(addresses, at=now)
            deliveries.announce_erasure(locked)
            take_off_walls(locked)
            GhostMember.objects.note_changes([locked.pk])
    return erasure


def needs_address(erasure: Erasure, *, at: datetime) -> bool:
    """Return whether the address is still needed: for the last e-mail, or for other systems."""
    if at >= erasure.asked_at + _WAIT_FOR_MAIL:
        return False
    mail = OutgoingMail.objects.filter(key=_mail_key(erasure), due_at__isnull=False)
    return (
        mail.exists()
        or not deliveries.is_erasure_announced(erasure.member)
        or GhostMember.objects.waits_for_address(erasure.member)
    )


def _mail_key(erasure: Erasure) -> str:
    return f"{OutgoingMail.Kind.ERASURE}:{erasure.member_id}"
