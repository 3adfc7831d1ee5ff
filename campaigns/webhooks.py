"""2 Webhooks: stored before they are answered, processed later by fetching what they name.

A payload stays the text that arrived. Only the event's envelope is read (`stripe_api.Event`); the
object that it names is fetched from Stripe. Text is only searched for the ids of erased people.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from campaigns import settlement, stripe_api
from campaigns.models import Checkout, ErasedAddress, StripeCursor, StripeEvent, StripeObject
from campaigns.models.due import LEASE, claim_row
from campaigns.models.erasure import NOWHERE
from campaigns.models.moves import states_before
from campaigns.stripe_api import Event

# The types of events that Stripe sends us.
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
_BATCH = 500
_OVERLAP = timedelta(hours=1)
# The pause doubles from two seconds to an hour: about twenty attempts on the first day.
_LONGEST_PAUSE = timedelta(hours=1)
# How long the events of a paid sale wait for their siblings, and all for another reading.
_GATHERING = timedelta(seconds=3)
_OTHER_READING = timedelta(seconds=1)
_URGENT = {"refund", "dispute"}


# Settled Checkouts by session and disputed charge, each with the error that was raised, if any.
Outcomes = dict[tuple[UUID, str | None, str], Exception | None]


class WebhookRefused(Exception):
    """The webhook isn't stored; the message says why, without any of its content."""


def store_event(body: bytes, *, signature: str) -> StripeEvent:
    """Store a signed webhook; one that is already stored changes nothing.

    Raises WebhookRefused if it is unsigned, stale, of the other mode, too large or not an event.
    """
    if len(body) > MAX_BYTES:
        raise WebhookRefused("larger than 1 MB")
    try:
        event = stripe_api.read_webhook(body, signature=signature)
    except (stripe_api.BadSignature, stripe_api.UnusableEvent) as error:
        raise WebhookRefused(str(error)) from error
    return store_fetched_event(event)


def store_fetched_event(event: Event) -> StripeEvent:
    """Store an event that was fetched from Stripe as if its webhook had arrived.

    Raises WebhookRefused if it is of the other mode, live or test.
    """
    if event.is_live is not stripe_api.is_live():
        raise WebhookRefused("the event is of the other mode, live or test")
    row = StripeEvent(
        event_id=event.id,
        type=event.type,
        object_type=event.object_type,
        object_id=event.object_id,
        is_live=event.is_live,
        payload=event.payload,
        created_at=event.created_at,
    )
    _insert_once(row)
    return row


def _insert_once(row: StripeEvent) -> None:
    """Insert with one statement: `bulk_create` would add a transaction, and Stripe is waiting."""
    try:
        if connection.in_atomic_block:
            with transaction.atomic():
                row.save(force_insert=True)
        else:
            row.save(force_insert=True)
    except IntegrityError:
        if not StripeEvent.objects.filter(event_id=row.event_id).exists():
            raise


def work_on_event(
    event_id: str, *, outcomes: Outcomes | None = None, may_wait: bool = False
) -> UUID | None:
    """Process a due event unless another process does; returns the Checkout that it concerns.

    A failure is saved on the event with the time of the next attempt; nothing is raised. The other
    due events of the same Checkout are closed by the same settlement. An event that happened before
    the last settlement began needs none. With `may_wait`, an event that doesn't change what was
    paid stays due for a moment, so that its siblings arrive and one settlement does for all. Pass
    the same `outcomes` for events that all happened before the first of them is processed: each
    Checkout is then settled once.
    """
    event_pk = claim_row(StripeEvent.objects.filter(event_id=event_id))
    if event_pk is None:
        return None
    return work_on_claimed_event(event_pk, outcomes=outcomes, may_wait=may_wait)


def work_on_claimed_event(
    event_pk: int, *, outcomes: Outcomes | None = None, may_wait: bool = True
) -> UUID | None:
    """Process a claimed event, as `work_on_event` does."""
    outcomes = {} if outcomes is None else outcomes
    event = StripeEvent.objects.get(pk=event_pk)
    try:
        # Staff replay an event because they doubt what we know: then its payload doesn't count.
        named = None if event.is_replayed else stripe_api.read_named(event.payload)
        for may_guess in (True, False):
            found = settlement.find_checkout(
                event.object_type, event.object_id, named, may_guess=may_guess
            )
            if found.checkout_id is not None:
                until = _settle_or_wait(event, found, outcomes, may_wait=may_wait)
                if until is not None:
                    _wait(event, until)
                    return None
            # What a payload names is only a guess until its settlement has found the object.
            if not found.is_guess or settlement.is_confirmed(event.object_id, found):
                break
        if found.sale is not None:
            settlement.note_stripe_sale(found.sale)
    except Exception as error:  # any error: the event must stay due
        _postpone(event, error)
        _strip_if_erased(event, None)
        return None
    _close(event, found)
    _strip_if_erased(event, found.checkout_id)
    return found.checkout_id


def _settle_or_wait(
    event: StripeEvent, found: settlement.Found, outcomes: Outcomes, *, may_wait: bool
) -> datetime | None:
    """Settle the event's Checkout unless that is needless; return until when it should wait."""
    assert found.checkout_id is not None, "the event belongs to a Checkout"
    checkout = Checkout.objects.get(pk=found.checkout_id)
    is_doubted = event.is_replayed or found.disputed_id
    if not is_doubted and settlement.covers(checkout, event.created_at):
        return None
    until = _find_wait(event, checkout, at=timezone.now()) if may_wait else None
    if until is None:
        _settle_once(event, found, outcomes)
    return until


def _find_wait(event: StripeEvent, checkout: Checkout, *, at: datetime) -> datetime | None:
    """Return until when an event should wait; None if it shouldn't.

    While another process reads the same Checkout, a second reading would only repeat its calls.
    Once a sale is paid, its further events come in groups: they wait until they are _GATHERING old.
    Money that moves back doesn't wait, and neither does an event that staff replay.
    """
    if event.is_replayed or event.object_type in _URGENT:
        return None
    if settlement.is_being_read(checkout, at=at):
        return at + _OTHER_READING
    until = event.received_at + _GATHERING
    return until if checkout.status == Checkout.Status.PAID and until > at else None


def _wait(event: StripeEvent, until: datetime) -> None:
    """Leave an event due at that time, as if this attempt had not been made."""
    StripeEvent.objects.filter(pk=event.pk, attempts=event.attempts).update(
        due_at=until, attempts=event.attempts - 1
    )


def _settle_once(event: StripeEvent, found: settlement.Found, outcomes: Outcomes) -> None:
    """Settle a Checkout unless `outcomes` has it; raises the error of that settlement again.

    It is settled again for another session (the one that was paid) or a new dispute.
    """
    checkout_id = found.checkout_id
    assert checkout_id is not None, "the event belongs to a Checkout"
    session_id = Checkout.objects.values_list("session_id", flat=True).get(pk=checkout_id)
    key = (checkout_id, session_id, found.disputed_id)
    if key not in outcomes:
        outcomes[key] = None
        newest = StripeEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        try:
            checkout = settlement.settle_checkout(
                checkout_id, disputed_id=found.disputed_id, finds_inquiries=False
            )
        except Exception as error:
            outcomes[key] = error
        else:
            if checkout.is_complete:
                _close_siblings(event, checkout, newest=newest)
    if (failure := outcomes[key]) is not None:
        raise failure


def _close_siblings(event: StripeEvent, checkout: Checkout, *, newest: int) -> None:
    """Close the other due events of a Checkout that had arrived before its settlement began.

    `newest` is the last event that was stored then: no clock decides. Every object that Stripe has
    for the Checkout was read, so the events of those that we know are covered; a new dispute's are
    not, because its charge has to be named. The attempt is counted, so that a process that works on
    one of them can't postpone it any more.
    """
    known = StripeObject.objects.filter(checkout=checkout).values("object_id")
    of_checkout = Q(object_id__in=known) | Q(object_id=checkout.session_id)
    due = StripeEvent.objects.filter(due_at__isnull=False, is_replayed=False)
    arrived = due.filter(of_checkout, pk__lte=newest).exclude(pk=event.pk)
    siblings = list(arrived.values_list("pk", flat=True))
    due.filter(pk__in=siblings).update(
        status=StripeEvent.Status.DONE,
        due_at=None,
        attempts=F("attempts") + 1,
        error="",
        reason="",
    )
    if siblings and _is_of_erased(checkout.pk):
        for event_pk in siblings:
            strip_event(event_pk, at=timezone.now())


def _close(event: StripeEvent, found: settlement.Found) -> None:
    status = StripeEvent.Status.DONE if found.checkout_id else StripeEvent.Status.IGNORED
    # Only while the lease is held: after it another attempt has begun.
    StripeEvent.objects.filter(pk=event.pk, attempts=event.attempts).update(
        status=status,
        due_at=None,
        error="",
        reason=found.reason or "",
        is_replayed=False,
    )


def _strip_if_erased(event: StripeEvent, checkout_id: UUID | None) -> None:
    """Strip personal data from an event about an erased member, once it is processed.

    Events that arrived before their rows were stripped are stripped by the erasure itself.
    """
    if checkout_id is not None:
        is_erased = _is_of_erased(checkout_id)
    else:
        is_erased = ErasedAddress.objects.are_named_in(event.payload)
    if is_erased:
        strip_event(event.pk, at=timezone.now())


def _is_of_erased(checkout_id: UUID) -> bool:
    of_erased = Q(member__erased_at__isnull=False) | Q(email__endswith=NOWHERE)
    return Checkout.objects.filter(of_erased, pk=checkout_id).exists()


def _postpone(event: StripeEvent, error: Exception) -> None:
    pause = min(timedelta(seconds=2 ** min(event.attempts, 12)), _LONGEST_PAUSE)
    StripeEvent.objects.filter(pk=event.pk, attempts=event.attempts).update(
        status=StripeEvent.Status.FAILED,
        due_at=timezone.now() + pause,
        error=f"{type(error).__name__}: {error}",
    )


def replay_events(event_ids: list[str]) -> int:
    """Make processed events due again, so that Stripe is read again; returns how many changed."""
    closed = states_before(StripeEvent.MOVES, StripeEvent.Status.NEW)
    return StripeEvent.objects.filter(event_id__in=event_ids, status__in=closed).update(
        status=StripeEvent.Status.NEW, due_at=timezone.now(), is_replayed=True
    )


@dataclass
class CaughtUp:
    """The number of Stripe's events that were checked, and of those that had not arrived."""

    since: datetime | None = None
    seen: int = 0
    missed: int = 0


def catch_up(*, since: datetime | None = None, dry_run: bool = False) -> CaughtUp:
    """Import and process the events since the cursor (or `since`) that had not arrived.

    Each Checkout is settled once for all its events: they all happened before the list was
    started, so one settlement covers them. The cursor moves once the list is read, unless `since`
    skipped events that it has not passed yet. `dry_run` only counts. Raises the errors of
    stripe_api: events that were imported before stay.
    """
    usual = settlement.find_start(StripeCursor.Of.EVENTS, overlap=_OVERLAP)
    start = since or usual
    result = CaughtUp(since=start)
    if start is None:
        return result
    read_until = None
    outcomes: Outcomes = {}
    events = stripe_api.walk_events(since=start)
    while batch := list(islice(events, _BATCH)):
        result.seen += len(batch)
        newest = max(event.created_at for event in batch)
        read_until = max(read_until or newest, newest)
        missed = _find_missed(batch)
        result.missed += len(missed)
        if not dry_run:
            for event_id in [store_fetched_event(event).event_id for event in missed]:
                work_on_event(event_id, outcomes=outcomes)
    if not dry_run and usual is not None and start <= usual:
        settlement.move_cursor(StripeCursor.Of.EVENTS, read_until=read_until)
    return result


def _find_missed(events: list[Event]) -> list[Event]:
    """Return the events that are not stored, those of sessions first.

    Once a session is settled, the objects of its other events are found without asking Stripe.
    """
    wanted = {event.id: event for event in events if event.type in EVENTS}
    known = StripeEvent.objects.filter(event_id__in=wanted).values_list("event_id", flat=True)
    stored = set(known)
    missed = [event for event_id, event in wanted.items() if event_id not in stored]
    return sorted(missed, key=lambda event: event.object_type != "checkout.session")


def retry_events(event_ids: list[str]) -> int:
    """Make failed events due now, except those being processed; returns how many were changed."""
    now = timezone.now()
    waiting = StripeEvent.objects.filter(status=StripeEvent.Status.FAILED, due_at__gt=now + LEASE)
    return waiting.filter(event_id__in=event_ids).update(due_at=now)


def select_old_events(*, at: datetime) -> QuerySet[StripeEvent]:
    """Return the processed events whose retention time is over, but not stripped yet."""
    if not settings.EVENT_RETENTION_DAYS:
        return StripeEvent.objects.none()
    old = StripeEvent.objects.filter(
        stripped_at__isnull=True,
        received_at__lt=at - timedelta(days=settings.EVENT_RETENTION_DAYS),
        status__in=(StripeEvent.Status.DONE, StripeEvent.Status.IGNORED),
    )
    return old.order_by("received_at")


def strip_event(event_pk: int, *, at: datetime | None = None) -> None:
    """Leave only ids and the time in a payload; a replay still works, as it fetches the object."""
    event = StripeEvent.objects.defer("payload").get(pk=event_pk)
    named = {"object": event.object_type, "id": event.object_id}
    stripped = {
        "id": event.event_id,
        "object": "event",
        "type": event.type,
        "created": int(event.created_at.timestamp()),
        "livemode": event.is_live,
        "data": {"object": named if event.object_id else {}},
    }
    StripeEvent.objects.filter(pk=event_pk, stripped_at__isnull=True).update(
        payload=json.dumps(stripped), stripped_at=at or timezone.now()
    )
