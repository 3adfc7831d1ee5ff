"""Reminders of yearly renewals: which are due, and scheduling one e-mail for each."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db.models import DateTimeField, Exists, OuterRef, QuerySet
from django.db.models.functions import Coalesce, Greatest

from campaigns.models import Membership, OutgoingMail, Price

_AT_ONCE = 500
# A charge whose date moves by less than this is the same charge.
_SAME = timedelta(days=1)


def list_due_reminders(*, at: datetime) -> Iterator[tuple[int, int]]:
    """Yield the primary key of each membership to remind, and how many days ahead.

    Each charge has one reminder for each number of RENEWAL_REMINDER_DAYS. One that comes late,
    for example because no worker ran, is sent until the next one is due.
    """
    stages = sorted(set(settings.RENEWAL_REMINDER_DAYS), reverse=True)
    for days, next_days in pairwise([*stages, 0]):
        begin, end = at + timedelta(days=next_days), at + timedelta(days=days)
        sent = OutgoingMail.objects.filter(
            kind=OutgoingMail.Kind.RENEWAL,
            membership=OuterRef("pk"),
            key__endswith=f":{days}",
            created_at__gte=at - (end - begin) - _SAME,
        )
        due = _select_renewing().filter(ends_at__lte=end, renews_at__gt=begin, renews_at__lte=end)
        for pk in due.exclude(Exists(sent)).order_by("pk").values_list("pk", flat=True)[:_AT_ONCE]:
            yield pk, days


def _select_renewing() -> QuerySet[Any]:
    """Return the yearly subscriptions that renew, with the time of their next charge."""
    renews_at = Greatest(
        "ends_at", Coalesce("gifted_until", "ends_at"), output_field=DateTimeField()
    )
    return Membership.objects.alias(renews_at=renews_at).filter(
        price__kind=Price.Kind.YEAR,
        status=Membership.Status.ACTIVE,
        ended_at__isnull=True,
        is_cancelling=False,
        subscription_id__isnull=False,
    )


def remind_of_renewal(due: tuple[int, int]) -> bool:
    """Schedule the reminder of a membership, so many days ahead; return whether it is new."""
    pk, days = due
    membership = Membership.objects.select_related("member").filter(pk=pk).first()
    charge_at = membership.charge_at if membership else None
    if membership is None or charge_at is None:
        return False
    _mail, is_new = OutgoingMail.objects.get_or_create(
        key=f"renewal:{pk}:{charge_at:%Y%m%d}:{days}",
        defaults={
            "kind": OutgoingMail.Kind.RENEWAL,
            "membership": membership,
            "language": membership.member.language,
        },
    )
    return is_new
