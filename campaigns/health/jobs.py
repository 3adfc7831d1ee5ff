"""What each job has to do: how much is due, and since when."""

from dataclasses import dataclass
from datetime import datetime

from campaigns.jobs import JOBS, count_due, oldest_due


@dataclass(frozen=True)
class JobState:
    """How many rows of a job are due, and since when the oldest is."""

    name: str
    due: int
    oldest_due_at: datetime | None


def list_jobs(*, at: datetime) -> list[JobState]:
    """Return the state of each job."""
    return [JobState(job.name, count_due(job, at=at), oldest_due(job, at=at)) for job in JOBS]
