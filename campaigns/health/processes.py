"""Checks of processes, for those that still run: the queue, the worker and beat."""

from datetime import datetime, timedelta

from celery import current_app

from campaigns.health.signs import is_stale, read_sign
from campaigns.models import Problem, Sign

# Kinds that were checked, each with a detail if it is broken.
Findings = dict[Problem.Kind, str | None]

STALE = timedelta(minutes=2)
_SECONDS = 2  # a page may be waiting
_WATCHED = ((Problem.Kind.WORKER, Sign.Of.WORKER), (Problem.Kind.BEAT, Sign.Of.BEAT))


def check_processes(*, at: datetime) -> Findings:
    """Check the queue, and unless it is broken, the processes that need it."""
    error = _find_broker_error()
    found: Findings = {Problem.Kind.BROKER: error}
    if error is None:
        for kind, of in _WATCHED:
            found[kind] = "" if is_stale(read_sign(of), at=at, after=STALE) else None
    return found


def _find_broker_error() -> str | None:
    try:
        with current_app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=_SECONDS)
    except Exception as error:  # every transport has its own errors
        return type(error).__name__
    return None
