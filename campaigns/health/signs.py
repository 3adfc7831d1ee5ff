"""Signs of life, at most one write each few seconds."""

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from campaigns.models import Sign

_PAUSE = timedelta(seconds=10)


def record_sign(of: Sign.Of) -> None:
    """Record that a process or a webhook was seen now; one recorded just before is enough."""
    now = timezone.now()
    if Sign.objects.filter(of=of, seen_at__gt=now - _PAUSE).exists():
        return
    older = Q(seen_at__isnull=True) | Q(seen_at__lt=now)
    if not Sign.objects.filter(older, of=of).update(seen_at=now):
        Sign.objects.get_or_create(of=of, defaults={"seen_at": now})


def read_sign(of: Sign.Of) -> Sign:
    """Return a sign; the first call says that it is expected from now on."""
    return Sign.objects.get_or_create(of=of)[0]


def is_stale(sign: Sign, *, at: datetime, after: timedelta) -> bool:
    """Return whether nothing was seen for so long, since it is expected."""
    return (sign.seen_at or sign.created_at) < at - after
