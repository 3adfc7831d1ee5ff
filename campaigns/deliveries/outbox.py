"""The outbox: events are written in the transaction of the change that they report."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from campaigns.deliveries.event_types import NAMES
from campaigns.deliveries.subscribers import adopt_subscriber, hash_subscriber
from campaigns.models import Erasure, Member, OutgoingEvent, WebhookDelivery, WebhookEndpoint
from campaigns.models.erasure import is_of_erased

ERASED = "member.erased"
# Deliveries that tell of an erasure.
OF_ERASURE = Q(event__type=ERASED) | Q(event__is_farewell=True)


def find_endpoints(type_: str) -> list[WebhookEndpoint]:
    """Return the endpoints that get this event. Paused ones get it once they are resumed."""
    active = WebhookEndpoint.objects.filter(is_active=True).only("pk", "events")
    return [endpoint for endpoint in active if type_ in endpoint.events]


def write_event(
    type_: str,
    data: dict[str, Any],
    *,
    member: Member | None = None,
    subscriber: str | None = None,
    is_farewell: bool = False,
    key: str | None = None,
    happened_at: datetime | None = None,
    endpoints: Collection[WebhookEndpoint] | None = None,
) -> OutgoingEvent | None:
    """Write an event for the endpoints that want it; return it, or None if there are none.

    Call it inside the transaction of the change. `member` is the one person whom the event names;
    `subscriber` is the canonical address of a newsletter subscriber who is no member. An event with
    a `key` that is known is not written again.
    """
    assert type_ in NAMES, f"{type_} is not in the table of events"
    assert transaction.get_connection().in_atomic_block, "an event belongs to a change"
    endpoints = find_endpoints(type_) if endpoints is None else endpoints
    if not endpoints:
        return None
    person = {"member": describe_member(member)} if member is not None else {}
    hashed = ""
    if member is not None:
        adopt_subscriber(member, [member.email])
    elif subscriber is not None:
        hashed = hash_subscriber(subscriber)
    values = {
        "type": type_,
        "member": member,
        "subscriber": hashed,
        "is_farewell": is_farewell,
        "data": person | data,
        "happened_at": happened_at or timezone.now(),
    }
    if key is None:
        event = OutgoingEvent.objects.create(**values)
    else:
        event, is_new = OutgoingEvent.objects.get_or_create(key=f"{type_}:{key}", defaults=values)
        if not is_new:
            return None
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(endpoint=each, event=event, member=member, subscriber=hashed)
            for each in endpoints
        ]
    )
    return event


def describe_member(member: Member) -> dict[str, Any]:
    """Return the person of an event, but only the ID once they asked to be erased."""
    return _describe(member, is_erased=Erasure.objects.filter(member=member).exists())


def _describe(member: Member, *, is_erased: bool) -> dict[str, Any]:
    is_erased = is_erased or is_of_erased(member.email)
    return {
        "id": member.pk,
        "email": None if is_erased else member.email,
        "name": "" if is_erased else member.name,
        "language": member.language,
    }


def drop_waiting(member: Member, addresses: Collection[str]) -> None:
    """Drop what endpoints didn't get of a person who is being erased."""
    adopt_subscriber(member, addresses)
    open_ = Q(due_at__isnull=False) | Q(failed_at__isnull=False)
    member.webhook_deliveries.filter(open_).delete()


def announce_erasure(member: Member) -> None:
    """Notify the endpoints that a person is being erased: the last event about them.

    Call it inside the transaction of the request, after `drop_waiting`. The event has the address
    until `forget_person`, since some systems know people by nothing else.
    """
    person = {"member": _describe(member, is_erased=False)}
    write_event(ERASED, person, member=member, is_farewell=True, key=str(member.pk))


def is_erasure_announced(member: Member) -> bool:
    """Return whether no endpoint that works still has to get the events of the erasure."""
    waiting = member.webhook_deliveries.filter(
        OF_ERASURE,
        due_at__isnull=False,
        endpoint__is_active=True,
        endpoint__paused_at=None,
    )
    return not waiting.exists()


def forget_person(member: Member) -> None:
    """Delete all events of a person and the log of them. The event of the erasure keeps the ID."""
    member.outgoing_events.exclude(type=ERASED).delete()
    member.webhook_deliveries.update(answer="")
    for event in member.outgoing_events.filter(type=ERASED):
        event.data = {"member": describe_member(member)}
        event.save(update_fields=["data"])
