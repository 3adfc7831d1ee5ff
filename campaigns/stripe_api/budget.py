"""The calls to Stripe a second that all processes share, and pauses that Stripe asks for.

The budget is one row, which a call moves ahead with one statement: it works wherever there is a
database, and needs no other server. A call made while a reader waits (`readers_first`) may use what
the coming seconds would bring, so that it doesn't queue behind the workers' calls.
https://docs.stripe.com/rate-limits
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import stripe
import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from campaigns.models import StripeBudget
from campaigns.stripe_api.patience import PatientClient

log = structlog.get_logger(__name__)

# Seconds of calls that may be made at once, and those that only calls for a reader may borrow.
BURST, BORROWED = 0.5, 2.0
LONGEST_WAIT = 10.0  # seconds; a worker whose turn is later gives up, and the work stays due
USUAL_PAUSE = 1.0  # seconds, if Stripe refuses a call without naming a time
LONGEST_PAUSE = 300.0

_is_for_reader: ContextVar[bool] = ContextVar("is_for_reader", default=False)


class BudgetPaused(stripe.RateLimitError):
    """The turn of this call comes later than a worker should wait."""


class Batch:
    """The requests of calls that run side by side, in threads that use no database."""

    def __init__(self) -> None:
        self.calls, self.pause = 0, 0.0
        self._lock = threading.Lock()

    def add_call(self) -> None:
        with self._lock:
            self.calls += 1


current_batch: ContextVar[Batch | None] = ContextVar("current_batch", default=None)


@contextmanager
def readers_first() -> Iterator[None]:
    """Put the calls made within before those of the workers, because a reader is waiting."""
    token = _is_for_reader.set(True)
    try:
        yield
    finally:
        _is_for_reader.reset(token)


class BudgetedClient(PatientClient):
    """Stripe's own HTTP client, in which each request takes its turn first."""

    def request(  # type: ignore[override]
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
    ) -> tuple[Any, int, Mapping[str, str]]:
        batch = current_batch.get()
        if batch is None:
            wait_for_turn()
        else:
            batch.add_call()
        content, status, answered = super().request(method, url, headers, post_data)
        if status == 429:
            seconds = read_pause(answered)
            if batch is None:
                pause(seconds)
            else:
                batch.pause = max(batch.pause, seconds)
        return content, status, answered


def read_pause(headers: Mapping[str, str]) -> float:
    """Return for how many seconds Stripe asks us to make no calls, within reason."""
    try:
        seconds = float(headers.get("Retry-After", USUAL_PAUSE))
    except ValueError:
        return USUAL_PAUSE
    return min(seconds, LONGEST_PAUSE) if seconds > USUAL_PAUSE else USUAL_PAUSE


def wait_for_turn(calls: int = 1) -> None:
    """Take that many calls of the budget, and sleep until they may be made.

    Raises BudgetPaused if a worker would have to wait for longer than LONGEST_WAIT.
    """
    if (taken := take_calls(calls)) is None:
        return
    next_at, paused_until, now = taken
    if _is_for_reader.get():
        time.sleep(min(max(next_at - BURST - BORROWED - now, 0), 1.0))
        return
    wait = max(next_at - BURST, paused_until) - now
    if wait > LONGEST_WAIT:
        raise BudgetPaused(f"Stripe can be asked again in {wait:.0f} seconds.")
    if wait > 0:
        time.sleep(wait)


def pause(seconds: float) -> None:
    """Pause the calls of all workers for that long; readers' calls continue."""
    log.warning("stripe_paused", seconds=seconds)
    take_calls(0, pause=seconds)


def take_calls(calls: int, *, pause: float = 0) -> tuple[float, float, float] | None:
    """Take calls of the budget without waiting, and keep a pause that Stripe asked for.

    Returns when the calls so far are used up, the end of the pause, and the time now. Returns None
    if nothing is limited: by the setting; within a transaction, whose lock on the row would stop
    everybody; or if the database fails, when Stripe's own limit has to do.
    """
    rate = settings.STRIPE_CALLS_PER_SECOND
    if not rate or connection.in_atomic_block:
        return None
    try:
        return _update(calls / rate, pause)
    except DatabaseError as error:
        log.warning("stripe_budget_unreachable", error=type(error).__name__)
        return None


_TABLE = StripeBudget._meta.db_table


# Of each database: its clock, one for all machines; its function for the larger of two; and what
# makes PostgreSQL not wait for its disk, because a budget may be lost in a power failure.
_DIALECTS = {
    "postgresql": (
        "extract(epoch from clock_timestamp())::float",
        "greatest",
        ", set_config('synchronous_commit', 'off', true)",
    ),
    "sqlite": ("((julianday('now') - 2440587.5) * 86400.0)", "max", ""),
}


def _update(seconds: float, pause: float) -> tuple[float, float, float]:
    clock, largest, undurable = _DIALECTS[connection.vendor]
    paused = f"{largest}(paused_until, {clock} + %s)" if pause else "paused_until + %s"
    statement = (
        f"UPDATE {_TABLE} SET next_at = {largest}(next_at, {clock}) + %s, paused_until = {paused}"  # noqa: S608
        f" WHERE id = 1 RETURNING next_at, paused_until, {clock}{undurable}"
    )
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, [seconds, pause])
            # All of them: on SQLite a statement that isn't read to its end keeps its lock.
            rows = cursor.fetchall()
        if rows:
            next_at, paused_until, now = map(float, rows[0][:3])
            return next_at, paused_until, now
        StripeBudget.objects.bulk_create([StripeBudget(pk=1)], ignore_conflicts=True)
