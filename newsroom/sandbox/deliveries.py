"""Webhooks on their way: queued with the event, sent by one thread, retried until taken."""

import contextlib
import hashlib
import hmac
import http.client
import json
import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.db import connection, transaction
from django.db.models import QuerySet

from newsroom.sandbox import clock, documents
from newsroom.sandbox.faults import take_faults
from newsroom.sandbox.models import Delivery, Event

logger = logging.getLogger(__name__)

# Seconds of real time before each further attempt. Stripe takes hours; a person at a demo does
# not wait that long.
BACK_OFF_SECONDS = (1, 2, 5, 10, 30, 60)
MOST_ATTEMPTS = 20
TIMEOUT_SECONDS = 20.0
REORDER_PATIENCE_SECONDS = 5.0
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Listener:
    url: str
    secret: str


def is_loopback(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in LOOPBACK


def find_listeners(event_type: str) -> list[Listener]:
    """The default receiver and the registered endpoints that ask for this type.

    Endpoints elsewhere than on this machine are registered but never called: a pretence stays at
    home.
    """
    standing = clock.load_standing()
    listeners = []
    if standing.webhook_url:
        listeners.append(Listener(standing.webhook_url, standing.webhook_secret))
    for row in documents.select("webhook_endpoint").order_by("seq"):
        wanted = row.body["enabled_events"]
        if row.body["status"] != "enabled" or not is_loopback(row.body["url"]):
            continue
        if "*" in wanted or event_type in wanted:
            listeners.append(Listener(row.body["url"], row.notes["secret"]))
    return listeners


def queue(event: Event, listeners: list[Listener]) -> None:
    if not listeners:
        return
    struck = take_faults("webhook", event.type)
    kinds = {fault.kind: fault for fault in struck}
    now = time.time()
    for i, listener in enumerate(listeners):
        position = event.seq + i / 100
        delivery = Delivery(
            event=event,
            url=listener.url,
            secret=listener.secret,
            position=position,
            next_attempt_at=now,
            failures_ahead=1 if "error" in kinds else 0,
        )
        if "drop" in kinds:
            delivery.state = Delivery.State.DROPPED
        elif "hold" in kinds:
            delivery.state = Delivery.State.HELD
        elif "delay" in kinds:
            delivery.next_attempt_at = now + kinds["delay"].seconds
        if "reorder" in kinds:
            # Goes out after the next event, or alone if none comes.
            delivery.waits_for_next = True
            delivery.next_attempt_at = now + REORDER_PATIENCE_SECONDS
        else:
            Delivery.objects.filter(
                url=listener.url, state=Delivery.State.PENDING, waits_for_next=True
            ).update(position=position + 0.001, next_attempt_at=now, waits_for_next=False)
        delivery.save()
        if "duplicate" in kinds:
            Delivery.objects.create(
                event=event,
                url=listener.url,
                secret=listener.secret,
                position=position + 0.0005,
                next_attempt_at=delivery.next_attempt_at,
            )
    transaction.on_commit(wake)


def render(event: Event) -> str:
    return json.dumps(event.body, separators=(",", ":"), ensure_ascii=False)


def sign(body: str, *, secret: str, at: int | None = None) -> str:
    """The Stripe-Signature header. `at` is the wall clock's, because the receiver checks it
    against its own.
    """
    stamp = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def count_pending(*, event: Event | None = None) -> int:
    rows: QuerySet[Delivery] = Delivery.objects.filter(state=Delivery.State.PENDING)
    return rows.filter(event=event).count() if event else rows.count()


def count_pending_of(events: list[Event]) -> Counter[int]:
    """By the event's key, for a page of them."""
    rows = Delivery.objects.filter(event__in=events, state=Delivery.State.PENDING)
    return Counter(rows.values_list("event", flat=True))


def release_held() -> int:
    """Lets go what a `hold` kept back, in the order in which it happened."""
    with documents.writing():
        released = Delivery.objects.filter(state=Delivery.State.HELD).update(
            state=Delivery.State.PENDING, next_attempt_at=time.time()
        )
    wake()
    return released


def deliver_again(event: Event) -> int:
    """Sends an event now, delivered before or not, to everybody who listens now."""
    with documents.writing():
        Delivery.objects.filter(
            event=event, state__in=[Delivery.State.HELD, Delivery.State.PENDING]
        ).delete()
        listeners = find_listeners(event.type)
        for i, listener in enumerate(listeners):
            Delivery.objects.create(
                event=event,
                url=listener.url,
                secret=listener.secret,
                position=event.seq + i / 100,
                next_attempt_at=time.time(),
            )
    wake()
    return len(listeners)


_wake = threading.Event()
_stop = threading.Event()
_busy = threading.Lock()


def wake() -> None:
    _wake.set()


def stop() -> None:
    _stop.set()
    _wake.set()


@contextlib.contextmanager
def paused(*, patience_seconds: float = 2.0) -> Any:
    """Waits for the delivery under way, so that a reset leaves nothing of the last test in the
    air.
    """
    held = _busy.acquire(timeout=patience_seconds)
    try:
        yield
    finally:
        if held:
            _busy.release()


class Courier(threading.Thread):
    """The one thread that speaks to receivers. A slow one delays other webhooks, never an API
    answer.
    """

    def __init__(self) -> None:
        super().__init__(name="courier", daemon=True)
        self._connections: dict[tuple[str, int], http.client.HTTPConnection] = {}

    def run(self) -> None:
        while not _stop.is_set():
            _wake.clear()
            try:
                with _busy:
                    sent = self._deliver_next()
            except Exception:
                logger.exception("The courier stumbled")
                sent = False
            if not sent:
                _wake.wait(self._count_seconds_to_next())
        connection.close()

    def _count_seconds_to_next(self) -> float:
        soonest = (
            Delivery.objects.filter(state=Delivery.State.PENDING)
            .order_by("next_attempt_at")
            .values_list("next_attempt_at", flat=True)
            .first()
        )
        return 30.0 if soonest is None else min(max(soonest - time.time(), 0.01), 30.0)

    def _deliver_next(self) -> bool:
        delivery = (
            Delivery.objects.filter(state=Delivery.State.PENDING, next_attempt_at__lte=time.time())
            .select_related("event")
            .order_by("position")
            .first()
        )
        if delivery is None:
            return False
        if delivery.failures_ahead > 0:
            status, note = 0, "an error by a fault"
        else:
            status, note = self._post(delivery)
        taken = 200 <= status < 300
        attempts = delivery.attempts + 1
        pause = BACK_OFF_SECONDS[min(attempts, len(BACK_OFF_SECONDS)) - 1]
        state = Delivery.State.PENDING
        if taken:
            state = Delivery.State.DELIVERED
        elif attempts >= MOST_ATTEMPTS:
            state = Delivery.State.FAILED
        answer = {"at": time.time(), "status": status, "note": note}
        with documents.writing():
            Delivery.objects.filter(pk=delivery.pk).update(
                state=state,
                attempts=attempts,
                failures_ahead=max(delivery.failures_ahead - 1, 0),
                next_attempt_at=time.time() + pause,
                answers=[*delivery.answers, answer][-MOST_ATTEMPTS:],
            )
        return True

    def _post(self, delivery: Delivery) -> tuple[int, str]:
        body = render(delivery.event)
        parts = urlsplit(delivery.url)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "newsroom-sandbox (a pretend Stripe)",
            "Stripe-Signature": sign(body, secret=delivery.secret),
        }
        target = parts.path or "/"
        if parts.query:
            target = f"{target}?{parts.query}"
        for attempt in (1, 2):
            held = self._connect(parts)
            reused = held.sock is not None
            try:
                held.request("POST", target, body.encode(), headers)
                response = held.getresponse()
                response.read()
            except (OSError, http.client.HTTPException) as error:
                held.close()
                # The receiver may have closed a connection that we kept: that
                # alone is worth a second try at once.
                closed = isinstance(error, ConnectionError | http.client.RemoteDisconnected)
                if reused and attempt == 1 and closed:
                    continue
                return 0, type(error).__name__
            return response.status, ""
        return 0, "closed"

    def _connect(self, parts: SplitResult) -> http.client.HTTPConnection:
        key = (parts.hostname or "127.0.0.1", parts.port or 80)
        if key not in self._connections:
            self._connections[key] = http.client.HTTPConnection(*key, timeout=TIMEOUT_SECONDS)
        return self._connections[key]
