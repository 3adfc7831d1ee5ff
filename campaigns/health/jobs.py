"""What each job has to do: how much is due, and since when."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from campaigns.jobs import JOBS, count_due, oldest_due
from campaigns.models import JobFailure


@dataclass(frozen=True)
class JobState:
    """How many rows of a job are due, since when the oldest is, and how many failed."""

    name: str
    due: int
    oldest_due_at: datetime | None
    failed: int


def list_jobs(*, at: datetime) -> list[JobState]:
    """Return the state of each job."""
    failed = Counter(JobFailure.objects.values_list("job", flat=True))
    return [
        JobState(job.name, count_due(job, at=at), oldest_due(job, at=at), failed[job.name])
        for job in JOBS
    ]
