"""The facts of /health/: what is broken, and when each part last worked."""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Max

from campaigns.health.jobs import list_jobs
from campaigns.health.problems import list_open_problems
from campaigns.models import Campaign, Sign, StripeCursor, StripeEvent


def describe_health(*, at: datetime) -> dict[str, Any]:
    """Return the state of every part, as values that JSON can hold."""
    problems = list_open_problems()
    jobs = list_jobs(at=at)
    oldest = min((job.oldest_due_at for job in jobs if job.oldest_due_at), default=None)
    return {
        "status": "broken" if problems else "ok",
        "problems": [
            {"kind": problem.kind, "since": problem.begun_at, "detail": problem.detail}
            for problem in problems
        ],
        "seen_at": read_signs(),
        "jobs": {
            job.name: {"due": job.due, "oldest_due_at": job.oldest_due_at, "failed": job.failed}
            for job in jobs
        },
        "oldest_due_at": oldest,
        "last_event_at": find_last_event(),
        "last_publish_at": find_last_publish(),
        "last_reconcile_at": find_last_reconcile(),
        "disk": {name: {"free": free, "total": total} for name, free, total in measure_disks()},
    }


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
