"""The engine: a run of a job claims one due row, works on it, and continues while time is left."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.functional import Promise

from campaigns.models import JobFailure, JobRun
from campaigns.models.due import LEASE, claim_row, select_due
from campaigns.settlement import SettlementBusy
from campaigns.stripe_api import StripeError

log = structlog.get_logger(__name__)

# The queues, by what their jobs wait for. One worker may serve all, or each queue has its own.
STRIPE, MAIL, PUBLISH, SLOW = "stripe", "mail", "publish", "slow"
QUEUES = (STRIPE, MAIL, PUBLISH, SLOW)
# A run works this long. If rows are left, another run follows, after other jobs that wait.
TURN = timedelta(seconds=3)
# Messages that hurry a job follow each other after this pause, so that a burst needs few.
PAUSE = timedelta(seconds=0.1)
# These happen to a healthy job: the row stays due, and is worth a line, not a traceback.
_EXPECTED = (StripeError, SettlementBusy)


@dataclass(frozen=True)
class Job:
    """Due rows of one kind: a worker claims one, works on it, and claims the next.

    `rows` returns the rows that may be due, by their `due_at`; `work` sets it to the next time, or
    to null. A row whose work fails is due again when its lease ends. `then` names the jobs that
    have work once this one has worked on a row.
    """

    name: str
    label: Promise | str
    queue: str
    rows: Callable[[], QuerySet[Any]]
    work: Callable[[Any], object]
    lease: timedelta = LEASE
    then: tuple[str, ...] = ()
    every: timedelta = timedelta(seconds=15)
    pause: timedelta = PAUSE

    def select_due(self, *, at: datetime) -> QuerySet[Any]:
        """Return the rows that are due at `at`, the longest due first."""
        return select_due(self.rows(), at=at)

    def is_due(self, *, at: datetime) -> bool:
        return self.select_due(at=at).exists()

    def claim(self, *, at: datetime) -> Any:
        """Claim the row that has been due longest; return its primary key, or None."""
        return claim_row(self.rows(), at=at, lease=self.lease)


def _find_everything(*, at: datetime) -> list[str]:
    return ["all"]


@dataclass(frozen=True)
class Sweep:
    """Work that a query finds, not a due column: `work` guards itself, and is safe to repeat.

    `find` returns what `work` takes, one after the other; without it, `work` does everything at
    once. `find_next` returns when there is more of it, if that is known. The other fields are those
    of `Job`.
    """

    name: str
    label: Promise | str
    queue: str
    work: Callable[[Any], object]
    find: Callable[..., Iterable[Any]] = _find_everything
    then: tuple[str, ...] = ()
    every: timedelta = timedelta(seconds=15)
    pause: timedelta = PAUSE
    find_next: Callable[[], datetime | None] = lambda: None

    def is_due(self, *, at: datetime) -> bool:
        return any(True for _ in self.find(at=at))


@dataclass(frozen=True)
class Outcome:
    """The rows that a run worked on and failed on, and whether its time ended before the rows."""

    worked: int = 0
    failed: int = 0
    is_rest_due: bool = False


def run_job(
    job: Job | Sweep, *, turn: timedelta = TURN, after_row: Callable[[], object] = lambda: None
) -> Outcome:
    """Run a job for a turn and record the run; return what it did.

    An error with one row is recorded as a JobFailure and doesn't stop the others. `after_row` is
    called after each row that was worked on. Raises SoftTimeLimitExceeded.
    """
    started_at = timezone.now()
    ends_at = time.monotonic() + turn.total_seconds()
    # Read once, and only if there is a row: most runs find none.
    load_failures = cache(partial(_load_failures, job))
    worked = failed = 0
    for item in _take_items(job, at=started_at, ends_at=ends_at):
        done = _try(job, item, load_failures)
        if done is None:
            failed += 1
        elif done:
            worked += 1
            after_row()
    is_over = time.monotonic() >= ends_at
    outcome = Outcome(worked, failed, is_over and job.is_due(at=timezone.now()))
    _record_run(job, has_worked=bool(worked))
    return outcome


def _take_items(job: Job | Sweep, *, at: datetime, ends_at: float) -> Iterator[Any]:
    """Yield rows that were due at `at` while time is left, each claimed when the last is done."""
    if isinstance(job, Sweep):
        found = iter(list(job.find(at=at)))
    else:
        found = iter(partial(job.claim, at=at), None)
    for item in found:
        yield item
        if time.monotonic() >= ends_at:
            return


def _load_failures(job: Job | Sweep) -> set[str]:
    return set(JobFailure.objects.filter(job=job.name).values_list("row", flat=True))


def _try(job: Job | Sweep, item: Any, load_failures: Callable[[], set[str]]) -> bool | None:
    """Work on a row; return whether that may have made work for other jobs, None if it failed.

    A failure is recorded until the row succeeds.
    """
    row = str(item)
    try:
        result = job.work(item)
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        _record_failure(job, row, error)
        return None
    if row in load_failures():
        JobFailure.objects.filter(job=job.name, row=row).delete()
    return isinstance(job, Job) or bool(result)


def _record_failure(job: Job | Sweep, row: str, error: Exception) -> None:
    # Store only the kind of error: its text may contain an e-mail address.
    kind = type(error).__name__
    if isinstance(error, _EXPECTED):
        log.warning("job_failed", job=job.name, row=row[:8], error=kind)
    else:
        log.exception("job_failed", job=job.name, row=row[:8])
    failure, is_new = JobFailure.objects.get_or_create(
        job=job.name, row=row, defaults={"error": kind}
    )
    if not is_new:
        JobFailure.objects.filter(pk=failure.pk).update(
            attempts=F("attempts") + 1, error=kind, failed_at=timezone.now()
        )


def _record_run(job: Job | Sweep, *, has_worked: bool) -> None:
    now = timezone.now()
    values = {"ended_at": now, "worked_at": now} if has_worked else {"ended_at": now}
    # Not update_or_create: it locks the row, and several workers may end a run at once.
    if not JobRun.objects.filter(name=job.name).update(**values):
        JobRun.objects.bulk_create([JobRun(name=job.name, **values)], ignore_conflicts=True)


def add_missing_runs(jobs: Iterable[Job | Sweep]) -> None:
    """Add the row of each job that never ran, so that a list of all jobs shows it."""
    JobRun.objects.bulk_create([JobRun(name=job.name) for job in jobs], ignore_conflicts=True)


def count_due(job: Job | Sweep, *, at: datetime) -> int:
    """Return how many rows are due; for a sweep that does everything at once, 0."""
    if isinstance(job, Job):
        return job.select_due(at=at).count()
    return sum(not isinstance(item, str) for item in job.find(at=at))


def oldest_due(job: Job | Sweep, *, at: datetime) -> datetime | None:
    """Return since when the longest due row is due; None if none is, and for a sweep."""
    if isinstance(job, Sweep):
        return None
    due: datetime | None = job.select_due(at=at).values_list("due_at", flat=True).first()
    return due


def seconds_until_due(job: Job | Sweep, *, within: timedelta) -> float | None:
    """Return in how many seconds to run a job again; None if not `within` that time.

    That is when the next row is due, but not before the job's pause.
    """
    now = timezone.now()
    if isinstance(job, Sweep):
        soon = job.find_next()
    else:
        soon = job.select_due(at=now + within).values_list("due_at", flat=True).first()
    if soon is None or soon > now + within:
        return None
    return max(soon - now, job.pause).total_seconds()


def retry_row(job: Job | Sweep, row: str) -> bool:
    """Make a row that failed due now, before its lease ends; return whether it was waiting.

    What a sweep finds is tried again by its next run.
    """
    if isinstance(job, Sweep):
        return False
    now = timezone.now()
    waiting = job.rows().filter(pk=row, due_at__gt=now)
    return bool(waiting.update(due_at=now))
