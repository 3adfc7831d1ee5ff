"""Stored webhook events that name an erased person: they keep ids only."""

import re
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from campaigns import webhooks
from campaigns.erasures.traces import stripe_ids_of
from campaigns.models import ErasedAddress, Erasure, Member, StripeEvent
from campaigns.models.erasure import hash_addresses_in

_BATCH = 500
# Stripe's ids, and the ids of our Checkouts that Stripe has as metadata.
_ID = re.compile(r"[A-Za-z0-9_-]{8,}")


def strip_events(erasure: Erasure, *, until: datetime) -> bool:
    """Strip all stored events that name the person by a Stripe id or an address.

    Return whether all were read by `until`; the next call continues after the last batch. Events
    that arrive later are stripped as soon as they are processed.
    """
    member = Member.objects.get(pk=erasure.member_id)
    assert member.erased_at is not None, "rows are stripped before events"
    ids = stripe_ids_of(member)
    erased = ErasedAddress.objects.filter(erased_at=member.erased_at)
    hashes = set(erased.values_list("address_hash", flat=True))
    while batch := _events_after(erasure.events_read_to):
        for event in batch:
            named = hash_addresses_in(event.payload) | hash_addresses_in(event.error)
            if ids & set(_ID.findall(event.payload)) or hashes & named:
                _strip(event)
        erasure.events_read_to = batch[-1].pk
        Erasure.objects.filter(pk=erasure.pk, due_at=erasure.due_at).update(
            events_read_to=erasure.events_read_to
        )
        if timezone.now() >= until:
            return False
    return True


def _events_after(pk: int) -> list[StripeEvent]:
    has_text = Q(stripped_at__isnull=True) | ~Q(error="")
    rows = StripeEvent.objects.filter(has_text, pk__gt=pk).order_by("pk")
    return list(rows.only("payload", "error")[:_BATCH])


def _strip(event: StripeEvent) -> None:
    webhooks.strip_event(event.pk, at=timezone.now())
    # A database error can quote the value that it refused.
    kind = event.error.partition(":")[0]
    StripeEvent.objects.filter(pk=event.pk, error=event.error).update(error=kind)
