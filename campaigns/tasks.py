"""Celery's doors: each job is a task of its own, on the queue of its kind.

Nothing depends on a message: due work is a column in the database, and beat asks for every job
regularly. A message only makes it happen sooner.
"""

import os
import time
from datetime import timedelta
from functools import lru_cache, partial
from threading import Event, Lock, Thread
from typing import Any

import structlog
from celery import Task, shared_task
from django.db import transaction

from campaigns import ghost, health, jobs, settlement, stripe_api, webhooks
from campaigns.jobs import JOBS, PAUSE, Job, Sweep, run_job, seconds_until_due

log = structlog.get_logger(__name__)

# What most changes have made due.
EFFECTS = jobs.EFFECTS
# Rows that are due this soon, for example events that wait for others of their sale, don't wait
# for the job's next time.
_SOON = timedelta(seconds=5)
_lock, _is_wanted = Lock(), Event()
_wanted: set[str] = set()


def hurry(*names: str) -> None:
    """Ask workers to run these jobs right after the commit, instead of at their next time.

    A thread sends the messages, so that nobody waits for a broker; a burst needs few. Without a
    broker nothing is lost: the rows stay due.
    """
    transaction.on_commit(partial(_want, names), robust=True)


def _want(names: tuple[str, ...]) -> None:
    with _lock:
        _wanted.update(names)
    _is_wanted.set()
    _start_messenger(os.getpid())


@lru_cache(maxsize=1)
def _start_messenger(process_id: int) -> None:
    # Once for each process: threads don't survive a fork.
    Thread(target=_send_messages, name="messenger", daemon=True).start()


def _send_messages() -> None:
    not_before: dict[str, float] = {}
    while _is_wanted.wait():
        now = time.monotonic()
        with _lock:
            names = sorted(name for name in _wanted if not_before.get(name, 0) <= now)
            _wanted.difference_update(names)
            if not _wanted:
                _is_wanted.clear()
        for name in names:
            send(name)
            not_before[name] = now + TASKS[name].pause.total_seconds()
        time.sleep(PAUSE.total_seconds())


def send(name: str, *, after: float = 0) -> bool:
    """Send the message that runs a job, in `after` seconds; return whether the broker took it."""
    task = TASKS[name]
    return _send(task, queue=task.kind, countdown=after)


def _send(task: "Task[..., Any]", **options: Any) -> bool:
    try:
        task.apply_async(retry=False, **options)
    except Exception as error:  # every transport has its own errors
        log.warning("broker_unreachable", task=task.name, error=type(error).__name__)
        return False
    return True


class JobTask(Task):  # type: ignore[type-arg] # not generic at run time
    """A task that runs one job; newsroom.celery schedules it on the queue of its kind."""

    kind: str
    every: timedelta
    pause: timedelta


def _make_task(job: Job | Sweep) -> JobTask:
    @shared_task(
        base=JobTask,
        name=f"campaigns.{job.name}",
        kind=job.queue,
        every=job.every,
        pause=job.pause,
    )
    def run() -> None:
        outcome = run_job(job, after_row=partial(hurry, *job.then))
        if outcome.is_rest_due:
            send(job.name)
        elif (seconds := seconds_until_due(job, within=_SOON)) is not None:
            send(job.name, after=seconds)

    return run


TASKS = {job.name: _make_task(job) for job in JOBS}


@shared_task
def watch() -> None:
    """Check every part, and report broken ones to staff."""
    health.watch_everything()


@shared_task(soft_time_limit=1200, time_limit=1260)
def reconcile() -> None:
    """Compare our figures with Stripe's, as `manage.py reconcile` does, and log the result.

    If it stops early, the next night continues, since no cursor moves before the end. Ghost is
    compared by a task of its own.
    """
    if ghost.is_in_use():
        _send(compare_ghost)
    try:
        caught_up = webhooks.catch_up()
        report = settlement.reconcile()
    except stripe_api.StripeError as error:
        log.warning("reconcile_unfinished", error=str(error))
        return
    write = log.info if report.is_equal else log.error
    write(
        "reconciled" if report.is_equal else "figures_differ_from_stripe",
        events_missed=caught_up.missed,
        movements=report.movements,
        imported=report.imported.count,
        corrected=report.corrected.count,
        missing_here=report.missing_here.count,
        missing_there=report.missing_there.count,
        different=report.different.count,
        not_ours=report.not_ours.count,
    )


@shared_task(soft_time_limit=1200, time_limit=1260)
def compare_ghost() -> None:
    """Compare all members with Ghost; the job mends what differs."""
    try:
        result = ghost.compare_with_ghost()
    except ghost.ERRORS as error:
        log.warning("ghost_not_compared", error=type(error).__name__)
        return
    write = log.info if result.is_equal else log.warning
    write("ghost_compared", **result.count())
    hurry("ghost")
