"""2 Webhooks: stored before they are answered, worked on later, by fetching what they name."""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from campaigns import settlement, stripe_api
from campaigns.models import Checkout, ErasedAddress, StripeCursor, StripeEvent
from campaigns.models.erasure import NOWHERE
from campaigns.models.moves import states_before
from campaigns.stripe_api import Json

# What Stripe is asked to tell us of.
EVENTS = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "invoice.voided",
    "invoice.marked_uncollectible",
    "invoice_payment.paid",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.canceled",
    "charge.succeeded",
    "charge.failed",
    "charge.refunded",
    "charge.updated",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "refund.created",
    "refund.updated",
    "refund.failed",
]
MAX_BYTES = 1_000_000  # Stripe's own are a few kB
LEASE = timedelta(seconds=40)
_BATCH = 500
_OVERLAP = timedelta(hours=1)
_EVENT_ID = re.compile(r"[A-Za-z0-9_]{1,255}\Z")
_TYPE = re.compile(r"[a-z0-9_.]{1,120}\Z")
_OBJECT_TYPE = re.compile(r"[a-z0-9_.]{1,60}\Z")
_OBJECT_ID = re.compile(r"[A-Za-z0-9_.-]{1,255}\Z")
# Doubling from two seconds, at most an hour: about twenty tries in the first day.
_LONGEST_PAUSE = timedelta(hours=1)


# Which Checkouts were settled, by which session, for which disputed charge; what went wrong.
Outcomes = dict[tuple[UUID, str | None, str], Exception | None]


class WebhookRefused(Exception):
    """The webhook is not stored; the message tells why, without a word of its content."""


def store_event(body: bytes, *, signature: str) -> StripeEvent:
    """Keep a signed webhook. One that is known already changes nothing.

    Raises WebhookRefused if it is unsigned, stale, of the other mode, too large or no event.
    """
    if len(body) > MAX_BYTES:
        raise WebhookRefused("larger than 1 MB")
    try:
        event = stripe_api.read_webhook(body, signature=signature)
    except stripe_api.BadSignature as error:
        raise WebhookRefused(str(error)) from error
    except ValueError as error:
        raise WebhookRefused("signed, but no JSON object") from error
    row = _row_of(event, body.decode())
    _insert_once(row)
    return row


def store_fetched_event(event: Json) -> StripeEvent:
    """Keep an event that Stripe itself answered with, as if its webhook had come.

    Raises WebhookRefused if it is of the other mode or no event.
    """
    row = _row_of(event, json.dumps(event, default=str))  # the library reads decimals
    _insert_once(row)
    return row


def _insert_once(row: StripeEvent) -> None:
    """One statement, where `bulk_create` would put a transaction around it: this is the door."""
    try:
        if connection.in_atomic_block:
            with transaction.atomic():
                row.save(force_insert=True)
        else:
            row.save(force_insert=True)
    except IntegrityError:
        if not StripeEvent.objects.filter(event_id=row.event_id).exists():
            raise


def _row_of(event: Json, payload: str) -> StripeEvent:
    event_id, event_type, created = event.get("id"), event.get("type"), event.get("created")
    if not isinstance(event_id, str) or not _EVENT_ID.match(event_id):
        raise WebhookRefused("the event has no usable id")
    if not isinstance(event_type, str) or not _TYPE.match(event_type):
        raise WebhookRefused("the event has no usable type")
    if event.get("livemode") is not stripe_api.is_live():
        raise WebhookRefused("the event is of the other mode, live or test")
    if type(created) is not int or not 0 < created < 2**40:
        raise WebhookRefused("the event has no usable time")
    try:
        created_at = stripe_api.moment(created)
    except (ValueError, OverflowError, OSError) as error:
        raise WebhookRefused("the event has no usable time") from error
    named = _named_object(event)
    return StripeEvent(
        event_id=event_id,
        type=event_type,
        object_type=named[0],
        object_id=named[1],
        is_live=event["livemode"],
        payload=payload,
        created_at=created_at,
    )


def _named_object(event: Json) -> tuple[str, str]:
    """The type and id of the object that the event names; empty if it names none."""
    data = event.get("data")
    named = data.get("object") if isinstance(data, dict) else None
    if not isinstance(named, dict):
        return "", ""
    object_type, object_id = named.get("object"), named.get("id")
    if not isinstance(object_type, str) or not isinstance(object_id, str):
        return "", ""
    if not _OBJECT_TYPE.match(object_type) or not _OBJECT_ID.match(object_id):
        return "", ""
    return object_type, object_id


def list_due_events(*, at: datetime, limit: int = 500) -> list[str]:
    """The events to work on, oldest first."""
    due = StripeEvent.objects.filter(next_attempt_at__lte=at).order_by("next_attempt_at", "pk")
    return list(due.values_list("event_id", flat=True)[:limit])


def work_on_event(event_id: str, *, outcomes: Outcomes | None = None) -> UUID | None:
    """Work on an event if nobody else does; the Checkout that was settled by it, if any.

    A failure is kept on the event, with the time of the next attempt; nothing is raised. Of events
    that were all there before the first of them is worked on, `outcomes` lets each Checkout be
    settled once.
    """
    now = timezone.now()
    due = StripeEvent.objects.filter(event_id=event_id, next_attempt_at__lte=now)
    if not due.update(next_attempt_at=now + LEASE, attempts=F("attempts") + 1):
        return None
    event = StripeEvent.objects.get(event_id=event_id)
    try:
        found = settlement.find_checkout(event.object_type, event.object_id)
        if found.checkout_id is not None:
            _settle_once(found.checkout_id, found.disputed_id, {} if outcomes is None else outcomes)
    except Exception as error:  # whatever it is, the event must stay due
        _postpone(event, error)
        _forget_erased(event, None)
        return None
    _close(event, found)
    _forget_erased(event, found.checkout_id)
    return found.checkout_id


def _settle_once(checkout_id: UUID, disputed_id: str, outcomes: Outcomes) -> None:
    """What came of it the first time holds for all; raises what was raised then.

    A session that turned out to be the one that was paid is another outcome, and so is a dispute
    that is news.
    """
    session_id = Checkout.objects.values_list("session_id", flat=True).get(pk=checkout_id)
    key = (checkout_id, session_id, disputed_id)
    if key not in outcomes:
        outcomes[key] = None
        try:
            settlement.settle_checkout(checkout_id, disputed_id=disputed_id)
        except Exception as error:
            outcomes[key] = error
    if (failure := outcomes[key]) is not None:
        raise failure


def _close(event: StripeEvent, found: settlement.Found) -> None:
    status = StripeEvent.Status.DONE if found.checkout_id else StripeEvent.Status.IGNORED
    # Only by whoever holds the lease: after it another attempt has begun.
    StripeEvent.objects.filter(pk=event.pk, attempts=event.attempts).update(
        status=status, next_attempt_at=None, error="", reason=found.reason or ""
    )


def _forget_erased(event: StripeEvent, checkout_id: UUID | None) -> None:
    """What still comes of somebody who was erased leaves ids alone, once it was looked at.

    What came before their rows were stripped the erasure reads itself.
    """
    if checkout_id is not None:
        of_erased = Q(member__erased_at__isnull=False) | Q(email__endswith=NOWHERE)
        is_erased = Checkout.objects.filter(of_erased, pk=checkout_id).exists()
    else:
        is_erased = ErasedAddress.objects.are_named_in(event.payload)
    if is_erased:
        strip_event(event.pk, at=timezone.now())


def _postpone(event: StripeEvent, error: Exception) -> None:
    pause = min(timedelta(seconds=2 ** min(event.attempts, 12)), _LONGEST_PAUSE)
    StripeEvent.objects.filter(pk=event.pk, attempts=event.attempts).update(
        status=StripeEvent.Status.FAILED,
        next_attempt_at=timezone.now() + pause,
        error=f"{type(error).__name__}: {error}",
    )


def replay_events(event_ids: list[str]) -> int:
    """Make worked-on events due again; how many were."""
    closed = states_before(StripeEvent.MOVES, StripeEvent.Status.NEW)
    return StripeEvent.objects.filter(event_id__in=event_ids, status__in=closed).update(
        status=StripeEvent.Status.NEW, next_attempt_at=timezone.now()
    )


@dataclass
class CaughtUp:
    """How many of Stripe's events were looked at, and how many of them had never come."""

    since: datetime | None = None
    seen: int = 0
    missed: int = 0


def catch_up(*, since: datetime | None = None, dry_run: bool = False) -> CaughtUp:
    """Take in the events since the cursor (or `since`) whose webhook never came, and work on them.

    Each Checkout is settled once for all of its events: the list has only what had happened before
    it was begun, so whatever was read since then knows of it. The cursor moves when all were read,
    unless `since` left out what it has not passed yet.
    `dry_run` only counts. Raises the errors of stripe_api: what was taken in until then stays.
    """
    usual = settlement.find_start(StripeCursor.Of.EVENTS, overlap=_OVERLAP)
    start = since or usual
    told = CaughtUp(since=start)
    if start is None:
        return told
    read_until = None
    outcomes: Outcomes = {}
    events = stripe_api.walk_events(since=start)
    while batch := list(islice(events, _BATCH)):
        told.seen += len(batch)
        newest = max(stripe_api.moment(event["created"]) for event in batch)
        read_until = max(read_until or newest, newest)
        missed = _never_came(batch)
        told.missed += len(missed)
        if not dry_run:
            for event_id in [store_fetched_event(event).event_id for event in missed]:
                work_on_event(event_id, outcomes=outcomes)
    if not dry_run and usual is not None and start <= usual:
        settlement.move_cursor(StripeCursor.Of.EVENTS, read_until=read_until)
    return told


def _never_came(events: list[Json]) -> list[Json]:
    """Those of sessions first: what they lead to is found without asking Stripe after that."""
    wanted = {event["id"]: event for event in events if event["type"] in EVENTS}
    known = StripeEvent.objects.filter(event_id__in=wanted).values_list("event_id", flat=True)
    came = set(known)
    missed = [event for event_id, event in wanted.items() if event_id not in came]
    return sorted(missed, key=lambda event: _named_object(event)[0] != "checkout.session")


def retry_events(event_ids: list[str]) -> int:
    """Make failed events due at once; how many were. One that is being worked on is let be."""
    now = timezone.now()
    waiting = StripeEvent.objects.filter(
        status=StripeEvent.Status.FAILED, next_attempt_at__gt=now + LEASE
    )
    return waiting.filter(event_id__in=event_ids).update(next_attempt_at=now)


def list_old_events(*, at: datetime, limit: int = 200) -> list[int]:
    """The worked-on events whose retention time is over and whose payload is still whole."""
    if not settings.EVENT_RETENTION_DAYS:
        return []
    old = StripeEvent.objects.filter(
        stripped_at__isnull=True,
        received_at__lt=at - timedelta(days=settings.EVENT_RETENTION_DAYS),
        status__in=(StripeEvent.Status.DONE, StripeEvent.Status.IGNORED),
    )
    return list(old.order_by("received_at").values_list("pk", flat=True)[:limit])


def strip_event(event_pk: int, *, at: datetime) -> None:
    """Leave only ids and the time of the payload. A replay fetches what they name, as before."""
    event = StripeEvent.objects.defer("payload").get(pk=event_pk)
    named = {"object": event.object_type, "id": event.object_id}
    left = {
        "id": event.event_id,
        "object": "event",
        "type": event.type,
        "created": int(event.created_at.timestamp()),
        "livemode": event.is_live,
        "data": {"object": named if event.object_id else {}},
    }
    StripeEvent.objects.filter(pk=event_pk, stripped_at__isnull=True).update(
        payload=json.dumps(left), stripped_at=at
    )
