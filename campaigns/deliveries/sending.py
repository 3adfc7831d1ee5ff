"""The job that delivers events: one worker at a time for each endpoint, in order for each person.

A delivery that fails is tried again after growing pauses for three days. The later events of its
person wait for it, those of other people don't: several are on their way at once, at most one of
each person, once the endpoint has accepted one. An endpoint that fails several times in a row
rests, and one that failed for three days without a success is paused until staff let it go on.

An event may arrive twice: if this process dies after the receiver has answered. Its ID tells.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from campaigns import outgoing_addresses
from campaigns.deliveries.background import Background
from campaigns.deliveries.rows import Attempt, read_due, save_attempts
from campaigns.deliveries.signatures import make_headers
from campaigns.deliveries.subscribers import strip_farewells
from campaigns.models import OutgoingEvent, WebhookDelivery, WebhookEndpoint
from campaigns.outgoing_addresses import RefusedAddress, Unreachable
from campaigns.outgoing_requests import Answer, Lines

log = structlog.get_logger(__name__)

# For one request. It has to be much less than the lease.
TIME_LIMIT_SECONDS = 10.0
# A delivery is given up, and an endpoint paused, after this time.
PATIENCE = timedelta(days=3)
# Pauses after the first attempts; the last one repeats.
PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (10, 30, 60, 300, 900, 1800, 3600, 2 * 3600, 4 * 3600, 8 * 3600)
)
# After so many failures in a row an endpoint rests.
_FAILURES = 3
_LONGEST_REST = timedelta(minutes=15)
_LONGEST_RETRY_AFTER = timedelta(hours=1)
_LEASE = timedelta(seconds=60)
_TURN_SECONDS = 10.0
_BATCH = 500
# Written to the database after so many deliveries, or this time: what a crash would repeat.
_WRITTEN_EVERY, _WRITTEN_AFTER_SECONDS = 500, 1.0
_KEPT = timedelta(days=30)
# Posts on their way to one endpoint at the same time.
AT_ONCE = 4
HEADERS = {"Content-Type": "application/json", "User-Agent": "newsroom-webhooks/1"}


@dataclass(slots=True)
class _Outcome:
    status: int | None = None
    answer: str = ""
    error: str = ""
    retry_after: int | None = None
    is_accepted: bool = False
    milliseconds: int = 0

    @property
    def is_of_endpoint(self) -> bool:
        """Return whether the endpoint as a whole fails, rather than this one event."""
        return (
            self.status is None
            or self.status in {401, 403, 404, 408, 410, 429}
            or (300 <= self.status < 400 or self.status >= 500)
        )


def find_busy_endpoints(*, at: datetime) -> list[int]:
    """Return the endpoints with due deliveries that no worker is delivering to."""
    due = WebhookDelivery.objects.filter(endpoint=OuterRef("pk"), due_at__lte=at)
    return list(
        WebhookEndpoint.objects.filter(
            Exists(due),
            _free(at),
            Q(rests_until=None) | Q(rests_until__lte=at),
            is_active=True,
            paused_at=None,
        )
        .order_by("busy_until", "pk")
        .values_list("pk", flat=True)
    )


def _free(at: datetime) -> Q:
    return Q(busy_until=None) | Q(busy_until__lte=at)


def deliver_events(endpoint_id: int) -> bool:
    """Deliver what is due for an endpoint, for some seconds; return whether anything was."""
    now = timezone.now()
    until = now + _LEASE
    mine = WebhookEndpoint.objects.filter(pk=endpoint_id)
    if not mine.filter(_free(now)).update(busy_until=until):
        return False
    try:
        return _Turn(mine.get()).run()
    finally:
        strip_farewells(at=timezone.now())
        mine.filter(busy_until=until).update(busy_until=None)


class _Turn:
    """One worker's deliveries to one endpoint."""

    def __init__(self, endpoint: WebhookEndpoint) -> None:
        self.endpoint = endpoint
        self.ends_at = time.monotonic() + _TURN_SECONDS
        self.failures = endpoint.failures
        self.failing_since = endpoint.failing_since
        self.rests_until: datetime | None = None
        self.paused_for = ""
        self.blocked: set[int | str] = set()
        self.unwritten: list[Attempt] = []
        self.written_at = time.monotonic()
        # One post at a time, until the endpoint has accepted one.
        self.width = 1
        self.has_failed = False

    def run(self) -> bool:
        with Background() as self.background:
            self.last_write: Future[None] = self.background.submit(save_attempts, [])
            return self._run_target()

    def _run_target(self) -> bool:
        try:
            target = outgoing_addresses.find_target(self.endpoint.url)
        except (RefusedAddress, Unreachable) as error:
            refused = _Outcome(error=str(error)[:200])
            return self._run(lambda wave: [refused] * len(wave))
        with Lines(target, number=AT_ONCE, seconds=TIME_LIMIT_SECONDS) as lines:
            return self._run(lambda wave: self._post(lines, wave))

    def _run(self, send: Callable[[list[Attempt]], list["_Outcome"]]) -> bool:
        number = 0
        for wave in self._take_waves():
            for attempt, outcome in zip(wave, send(wave), strict=True):
                self._note(attempt, outcome)
            number += len(wave)
            if len(self.unwritten) >= _WRITTEN_EVERY or (
                time.monotonic() - self.written_at > _WRITTEN_AFTER_SECONDS
            ):
                self._write()
        self._write()
        self.last_write.result()
        return bool(number)

    @property
    def _is_over(self) -> bool:
        is_late = time.monotonic() >= self.ends_at
        return is_late or self.rests_until is not None or bool(self.paused_for)

    def _take_waves(self) -> Iterator[list[Attempt]]:
        """Yield deliveries that can be sent at the same time: at most one of each person."""
        coming = self._read_after(0)
        while not self._is_over:
            batch = coming.result()
            # While these are sent, the next ones are read.
            coming = self._read_after(batch[-1].id) if len(batch) == _BATCH else coming
            self.has_failed = False
            left = deque(batch)
            while left and not self._is_over:
                if wave := self._take_wave(left):
                    yield wave
            self._write()
            if len(batch) < _BATCH:
                return
            if self.has_failed:  # later events of these people have to wait: read again
                coming = self._read_after(batch[-1].id)

    def _read_after(self, seen: int) -> "Future[list[Attempt]]":
        return self.background.submit(
            read_due, self.endpoint, after=seen, number=_BATCH, at=timezone.now()
        )

    def _take_wave(self, left: "deque[Attempt]") -> list[Attempt]:
        """Take the next deliveries; later ones of the same people stay, in their order."""
        wave: list[Attempt] = []
        later: list[Attempt] = []
        people: set[int | str] = set()
        while left and len(wave) < self.width:
            each = left.popleft()
            if each.person is None:
                wave.append(each)
            elif each.person in people:
                later.append(each)
            elif each.person not in self.blocked:
                wave.append(each)
                people.add(each.person)
        left.extendleft(reversed(later))
        return wave

    def _post(self, lines: Lines, wave: list[Attempt]) -> list["_Outcome"]:
        now = timezone.now()
        secrets = self.endpoint.list_secrets(at=now)
        requests = [
            (
                each.body,
                make_headers(each.message_id, each.body, secrets=secrets, at=now) | HEADERS,
            )
            for each in wave
        ]
        return [_read_outcome(*result) for result in lines.send("POST", requests)]

    def _note(self, attempt: Attempt, outcome: "_Outcome") -> None:
        now = timezone.now()
        attempt.attempts += 1
        attempt.attempted_at = now
        # Nothing more is stored about a person who is being erased.
        attempt.answer = "" if attempt.is_last else outcome.answer
        attempt.status = outcome.status
        attempt.error, attempt.milliseconds = outcome.error, outcome.milliseconds
        self.unwritten.append(attempt)
        if outcome.is_accepted:
            attempt.delivered_at = now
            self.failures, self.failing_since = 0, None
            self.width = AT_ONCE
            return
        self.width, self.has_failed = 1, True
        if attempt.person is not None:
            self.blocked.add(attempt.person)
        pause = PAUSES[min(attempt.attempts, len(PAUSES)) - 1]
        if outcome.retry_after is not None:
            wanted = min(timedelta(seconds=outcome.retry_after), _LONGEST_RETRY_AFTER)
            pause = max(pause, wanted)
        attempt.due_at = now + pause
        if outcome.is_of_endpoint:
            self._note_failure(outcome, pause, at=now)
        if not self.paused_for and now - attempt.happened_at >= PATIENCE:
            self._give_up(attempt, at=now)

    def _note_failure(self, outcome: _Outcome, pause: timedelta, *, at: datetime) -> None:
        self.failures += 1
        self.failing_since = self.failing_since or at
        if outcome.status == 410:
            self.paused_for = WebhookEndpoint.PausedFor.GONE
        elif at - self.failing_since >= PATIENCE:
            self.paused_for = WebhookEndpoint.PausedFor.FAILING
        elif outcome.retry_after is not None:
            self.rests_until = at + pause
        elif self.failures >= _FAILURES:
            rest = timedelta(seconds=5 * 2 ** min(self.failures, 12))
            self.rests_until = at + min(rest, _LONGEST_REST)

    def _give_up(self, attempt: Attempt, *, at: datetime) -> None:
        """Give up an event that the endpoint refuses while it accepts others."""
        if self.failing_since is None or self.failures < _FAILURES:
            attempt.due_at, attempt.failed_at = None, at

    def _write(self) -> None:
        """Save what was done. A delivery that was dropped meanwhile stays dropped."""
        if self.unwritten:
            self.last_write.result()  # raises its error
            self.last_write = self.background.submit(save_attempts, self.unwritten)
            self.unwritten = []
        self.written_at = time.monotonic()
        endpoint = self.endpoint
        changes: dict[str, object] = {
            "failures": self.failures,
            "failing_since": self.failing_since,
            "rests_until": self.rests_until,
        }
        if self.paused_for and endpoint.paused_at is None:
            changes |= {"paused_for": self.paused_for, "paused_at": timezone.now()}
            log.warning("webhook_endpoint_paused", endpoint=endpoint.pk, reason=self.paused_for)
        changes = {
            name: value for name, value in changes.items() if getattr(endpoint, name) != value
        }
        if changes:
            rows = WebhookEndpoint.objects.filter(pk=endpoint.pk)
            self.background.submit(rows.update, **changes).result()
            for name, value in changes.items():
                setattr(endpoint, name, value)


def _read_outcome(answer: Answer | Unreachable, seconds: float) -> _Outcome:
    milliseconds = int(seconds * 1000)
    if isinstance(answer, Unreachable):
        return _Outcome(error=str(answer)[:200], milliseconds=milliseconds)
    return _Outcome(
        status=answer.status,
        answer=answer.text.replace("\0", ""),  # PostgreSQL stores no NUL
        retry_after=answer.retry_after,
        is_accepted=answer.is_accepted,
        milliseconds=milliseconds,
    )


def find_next_delivery() -> datetime | None:
    """Return when the next delivery to a working endpoint is due."""
    due = WebhookDelivery.objects.filter(
        due_at__isnull=False, endpoint__is_active=True, endpoint__paused_at=None
    )
    first = due.order_by("due_at").values_list("due_at", "endpoint__rests_until").first()
    return max(filter(None, first)) if first else None


def select_old_outgoing(*, at: datetime) -> QuerySet[OutgoingEvent]:
    """Return events from more than 30 days ago, delivered or not."""
    return OutgoingEvent.objects.filter(happened_at__lt=at - _KEPT)
