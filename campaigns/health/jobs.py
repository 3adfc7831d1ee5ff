"""The state of each job: how much is due, and since when."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from campaigns.jobs import JOBS, count_due, oldest_due
from campaigns.models import JobFailure


@dataclass(frozen=True)
class JobState:
    """The number of a job's due rows, the due time of the oldest, and the number of failed rows."""

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
