"""The rows that a job finds due."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from campaigns.jobs import Job, find_job


def _find(name: str) -> Job:
    job = find_job(name)
    assert isinstance(job, Job), f"{name} has no due rows"
    return job


def list_due(name: str, *, at: datetime | None = None) -> list[Any]:
    """Return the primary keys of the rows that are due."""
    return list(_find(name).select_due(at=at or timezone.now()).values_list("pk", flat=True))


def list_due_events(*, at: datetime | None = None) -> list[str]:
    """Return Stripe's ids of the stored events that are due."""
    due = _find("events").select_due(at=at or timezone.now())
    return list(due.values_list("event_id", flat=True))


def claim_due(name: str, *, at: datetime | None = None) -> list[Any]:
    """Claim every row that is due at `at`; return their primary keys."""
    job = _find(name)
    return [job.claim(at=at or timezone.now()) for _ in list_due(name, at=at)]
