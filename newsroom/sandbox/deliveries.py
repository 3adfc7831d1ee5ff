"""Webhooks: queued with their event, sent by one thread, retried until they are accepted."""

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

from newsroom.sandbox import documents
from newsroom.sandbox.faults import take_matching_faults
from newsroom.sandbox.models import Delivery, Event

logger = logging.getLogger(__name__)

# Seconds of real time before each retry. Stripe takes hours; nobody at a demo waits that long.
BACK_OFF_SECONDS = (1, 2, 5, 10, 30, 60)
MOST_ATTEMPTS = 20
TIMEOUT_SECONDS = 20.0
REORDER_PATIENCE_SECONDS = 5.0
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Receiver:
    url: str
    secret: str


def is_loopback(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in LOOPBACK


def find_receivers(event_type: str) -> list[Receiver]:
    """Return the registered endpoints that want this type of event.

    Endpoints on other machines can be registered but are never called.
    """
    receivers = []
    for row in documents.select("webhook_endpoint").order_by("seq"):
        wanted = row.body["enabled_events"]
        if row.body["status"] != "enabled" or not is_loopback(row.body["url"]):
            continue
        if "*" in wanted or event_type in wanted:
            receivers.append(Receiver(row.body["url"], row.notes["secret"]))
    return receivers


def queue_event(event: Event, receivers: list[Receiver]) -> None:
    if not receivers:
        return
    matching = take_matching_faults("webhook", event.type)
    kinds = {fault.kind: fault for fault in matching}
    now = time.time()
    for i, receiver in enumerate(receivers):
        position = event.seq + i / 100
        delivery = Delivery(
            event=event,
            url=receiver.url,
            secret=receiver.secret,
            position=position,
            next_attempt_at=now,
            planned_failures=1 if "error" in kinds else 0,
        )
        if "drop" in kinds:
            delivery.state = Delivery.State.DROPPED
        elif "hold" in kinds:
            delivery.state = Delivery.State.HELD
        elif "delay" in kinds:
            delivery.next_attempt_at = now + kinds["delay"].seconds
        if "reorder" in kinds:
            # Sent after the next event, or after a few seconds if there is none.
            delivery.waits_for_next = True
            delivery.next_attempt_at = now + REORDER_PATIENCE_SECONDS
        else:
            Delivery.objects.filter(
                url=receiver.url, state=Delivery.State.PENDING, waits_for_next=True
            ).update(position=position + 0.001, next_attempt_at=now, waits_for_next=False)
        delivery.save()
        if "duplicate" in kinds:
            Delivery.objects.create(
                event=event,
                url=receiver.url,
                secret=receiver.secret,
                position=position + 0.0005,
                next_attempt_at=delivery.next_attempt_at,
            )
    transaction.on_commit(wake_sender)


def render_body(event: Event) -> str:
    return json.dumps(event.body, separators=(",", ":"), ensure_ascii=False)


def sign_body(body: str, *, secret: str, at: int | None = None) -> str:
    """Return the Stripe-Signature header. `at` is wall clock time, as the receiver checks it."""
    stamp = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def count_pending(*, event: Event | None = None) -> int:
    rows: QuerySet[Delivery] = Delivery.objects.filter(state=Delivery.State.PENDING)
    return rows.filter(event=event).count() if event else rows.count()


def count_pending_by_event(events: list[Event]) -> Counter[int]:
    """Return the number of pending deliveries for each event's primary key."""
    rows = Delivery.objects.filter(event__in=events, state=Delivery.State.PENDING)
    return Counter(rows.values_list("event", flat=True))


def release_held() -> int:
    """Send the held webhooks in the order of their events, and return their number."""
    with documents.write_transaction():
        released = Delivery.objects.filter(state=Delivery.State.HELD).update(
            state=Delivery.State.PENDING, next_attempt_at=time.time()
        )
    wake_sender()
    return released


def resend_event(event: Event) -> int:
    """Send an event to all current receivers, delivered before or not; return their number."""
    with documents.write_transaction():
        Delivery.objects.filter(
            event=event, state__in=[Delivery.State.HELD, Delivery.State.PENDING]
        ).delete()
        receivers = find_receivers(event.type)
        for i, receiver in enumerate(receivers):
            Delivery.objects.create(
                event=event,
                url=receiver.url,
                secret=receiver.secret,
                position=event.seq + i / 100,
                next_attempt_at=time.time(),
            )
    wake_sender()
    return len(receivers)


_wake_up = threading.Event()
_stopping = threading.Event()
_sending = threading.Lock()


def wake_sender() -> None:
    _wake_up.set()


def stop_sender() -> None:
    _stopping.set()
    _wake_up.set()


@contextlib.contextmanager
def pause_sending(*, patience_seconds: float = 2.0) -> Any:
    """Wait for the current delivery, so that no webhook of the last test arrives after a reset."""
    acquired = _sending.acquire(timeout=patience_seconds)
    try:
        yield
    finally:
        if acquired:
            _sending.release()


class WebhookSender(threading.Thread):
    """The one thread that sends webhooks. A slow receiver delays other webhooks, not the API."""

    def __init__(self) -> None:
        super().__init__(name="webhook sender", daemon=True)
        self._connections: dict[tuple[str, int], http.client.HTTPConnection] = {}

    def run(self) -> None:
        while not _stopping.is_set():
            _wake_up.clear()
            try:
                with _sending:
                    sent = self._deliver_next()
            except Exception:
                logger.exception("Sending a webhook failed")
                sent = False
            if not sent:
                _wake_up.wait(self._get_seconds_to_next())
        connection.close()

    def _get_seconds_to_next(self) -> float:
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
        if delivery.planned_failures > 0:
            status, note = 0, "error caused by a fault"
        else:
            status, note = self._post(delivery)
        accepted = 200 <= status < 300
        attempts = delivery.attempts + 1
        pause = BACK_OFF_SECONDS[min(attempts, len(BACK_OFF_SECONDS)) - 1]
        state = Delivery.State.PENDING
        if accepted:
            state = Delivery.State.DELIVERED
        elif attempts >= MOST_ATTEMPTS:
            state = Delivery.State.FAILED
        answer = {"at": time.time(), "status": status, "note": note}
        with documents.write_transaction():
            Delivery.objects.filter(pk=delivery.pk).update(
                state=state,
                attempts=attempts,
                planned_failures=max(delivery.planned_failures - 1, 0),
                next_attempt_at=time.time() + pause,
                answers=[*delivery.answers, answer][-MOST_ATTEMPTS:],
            )
        return True

    def _post(self, delivery: Delivery) -> tuple[int, str]:
        body = render_body(delivery.event)
        parts = urlsplit(delivery.url)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "newsroom-sandbox (a pretend Stripe)",
            "Stripe-Signature": sign_body(body, secret=delivery.secret),
        }
        target = parts.path or "/"
        if parts.query:
            target = f"{target}?{parts.query}"
        for attempt in (1, 2):
            http_connection = self._connect(parts)
            reused = http_connection.sock is not None
            try:
                http_connection.request("POST", target, body.encode(), headers)
                response = http_connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException) as error:
                http_connection.close()
                # The receiver may have closed the connection since: only then try again now.
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
