"""The answer of /health/: what is broken, and when each part last worked."""

from datetime import datetime
from typing import Any

from campaigns.health.facts import (
    find_last_event,
    find_last_publish,
    find_last_reconcile,
    measure_disks,
    read_signs,
)
from campaigns.health.jobs import list_jobs
from campaigns.health.problems import list_open_problems
from campaigns.health.setup import check_setup, measure_skew, read_key_mode


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
        "setup": [
            {
                "name": finding.name,
                "state": finding.state,
                "detail": finding.detail or str(finding.label),
            }
            for finding in check_setup(at=at)
        ],
        "stripe_mode": read_key_mode(),
        "clock_skew_seconds": measure_skew(at=at).total_seconds(),
        "disk": {name: {"free": free, "total": total} for name, free, total in measure_disks()},
    }
