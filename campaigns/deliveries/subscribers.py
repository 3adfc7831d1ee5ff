"""Events about newsletter subscribers who are no members: their order, and their erasure.

A hash of the address stands for the person, in place of a member. Once a member has the address,
the events are the member's, so that their order goes on and their erasure finds them.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from campaigns.models import Member, OutgoingEvent, WebhookDelivery

# After this time the address is deleted even if an endpoint didn't get the last event.
_WAIT = timedelta(days=1)


def hash_subscriber(address: str) -> str:
    """Return the key of a subscriber's events, by the canonical address."""
    return hashlib.sha256(f"subscriber:{address}".encode()).hexdigest()


def adopt_subscriber(member: Member, addresses: Collection[str]) -> None:
    """Make the events of a subscriber those of the member to whom these addresses belong."""
    hashes = [hash_subscriber(each) for each in addresses]
    if OutgoingEvent.objects.filter(subscriber__in=hashes).exists():
        WebhookDelivery.objects.filter(event__subscriber__in=hashes).update(
            member=member, subscriber=""
        )
        OutgoingEvent.objects.filter(subscriber__in=hashes).update(member=member, subscriber="")


def forget_subscriber(address: str) -> None:
    """Delete all events of a subscriber, delivered or not, and the log of them."""
    OutgoingEvent.objects.filter(subscriber=hash_subscriber(address)).delete()


def strip_farewells(*, at: datetime) -> None:
    """Remove the address from events that told of a subscriber's erasure.

    It is needed until each endpoint that works has the event, and for a day at most.
    """
    for event in _select_farewells(at=at):
        with transaction.atomic():
            event.data["subscriber"]["email"] = None
            event.subscriber, event.is_farewell = "", False
            event.save(update_fields=["data", "subscriber", "is_farewell"])
            event.deliveries.update(subscriber="")


def _select_farewells(*, at: datetime) -> QuerySet[OutgoingEvent]:
    """Return events whose address is no longer needed. A member's erasure has steps of its own."""
    waiting = WebhookDelivery.objects.filter(
        event=OuterRef("pk"),
        due_at__isnull=False,
        endpoint__is_active=True,
        endpoint__paused_at=None,
    )
    farewells = OutgoingEvent.objects.filter(is_farewell=True, member=None)
    return farewells.filter(Q(happened_at__lte=at - _WAIT) | ~Exists(waiting))
