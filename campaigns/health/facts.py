"""Facts: when each part last worked, and the disks."""

import shutil
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db.models import Max

from campaigns.models import Campaign, Sign, StripeCursor, StripeEvent


def read_signs() -> dict[str, datetime | None]:
    """Return when the worker and beat were last seen."""
    seen = dict(Sign.objects.values_list("of", "seen_at"))
    return {str(of): seen.get(of) for of in (Sign.Of.WORKER, Sign.Of.BEAT)}


def find_last_event() -> datetime | None:
    newest = StripeEvent.objects.order_by("-pk").values_list("received_at", flat=True)
    return newest.first()


def find_last_publish() -> datetime | None:
    found: datetime | None = Campaign.objects.aggregate(last=Max("published_at"))["last"]
    return found


def find_last_reconcile() -> datetime | None:
    balance = StripeCursor.objects.filter(of=StripeCursor.Of.BALANCE)
    return balance.values_list("moved_at", flat=True).first()


def measure_disks() -> list[tuple[str, int, int]]:
    """Return the name, free bytes and size in bytes of this machine's disk under each folder."""
    measured = []
    for name in ("PUBLISH_DIR", "DATA_DIR"):
        folder = Path(getattr(settings, name)).absolute()
        while not folder.exists():
            folder = folder.parent
        usage = shutil.disk_usage(folder)
        measured.append((name, usage.free, usage.total))
    return measured
