"""The one function for each change of a subscription.

Each is a conditional update: if another process was first, nothing changes and it returns False.
Each change writes the events for other systems in its transaction.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from campaigns.models import GhostMember, Newsletter, Subscription
from campaigns.models.moves import states_before
from campaigns.newsletters.announcements import (
    announce_confirmation,
    announce_end,
    announce_erasure,
)

_Status = Subscription.Status


def request_subscription(
    newsletter: Newsletter, address: str, *, at: datetime, **consent: Any
) -> Subscription:
    """Return the subscription of a canonical address, pending unless it is confirmed already.

    `consent` are columns: language, campaign, origin, consent_wording and form_url. They replace
    those of an earlier request, but never those of a confirmed subscription. If the address
    unsubscribed before, the row keeps when and why until it is confirmed: anybody can ask.
    """
    subscription, is_new = Subscription.objects.get_or_create(
        newsletter=newsletter, email=address, defaults={"requested_at": at, **consent}
    )
    if is_new:
        return subscription
    before = [_Status.PENDING, *states_before(Subscription.MOVES, _Status.PENDING)]
    Subscription.objects.filter(pk=subscription.pk, status__in=before).update(
        status=_Status.PENDING,
        requested_at=at,
        confirmed_at=None,
        proof="",
        **consent,
    )
    subscription.refresh_from_db()
    return subscription


def confirm_subscription(
    subscription: Subscription, *, proof: Subscription.Proof, at: datetime
) -> bool:
    """Subscribe an address that its owner confirmed; return whether that changed anything."""
    before = states_before(Subscription.MOVES, _Status.CONFIRMED)
    values = {"confirmed_at": at, "proof": proof, "ended_at": None, "cause": ""}
    with transaction.atomic():
        if not _move(subscription, before, _Status.CONFIRMED, **values):
            return False
        announce_confirmation(subscription, at=at)
    return True


def end_subscription(
    subscription: Subscription, *, cause: Subscription.Cause, at: datetime
) -> bool:
    """Unsubscribe an address, or drop its request; return whether that changed anything.

    No system was notified of a request, so none is notified of its end.
    """
    values = {"ended_at": at, "cause": cause}
    with transaction.atomic():
        if _move(subscription, [_Status.CONFIRMED], _Status.UNSUBSCRIBED, **values):
            announce_end(subscription, at=at)
            return True
        before = states_before(Subscription.MOVES, _Status.UNSUBSCRIBED)
        return _move(subscription, before, _Status.UNSUBSCRIBED, **values)


def end_left_in_ghost(address: str, slugs: Iterable[str], *, at: datetime) -> None:
    """End the subscriptions to newsletters that their reader left in Ghost, by slugs there."""
    left = Subscription.objects.of(address).confirmed().filter(newsletter__ghost_slug__in=slugs)
    for subscription in left:
        end_subscription(subscription, cause=Subscription.Cause.TOOL, at=at)


def erase_subscriptions(addresses: Collection[str], *, at: datetime) -> int:
    """Delete the subscriptions of a person's addresses; return how many.

    Their e-mails go with them. Systems that know of a subscription learn that it ended.
    """
    with transaction.atomic():
        rows = Subscription.objects.filter(email__in=addresses).select_related("newsletter")
        own = list(rows.select_for_update(of=("self",)).order_by("pk"))
        for each in own:
            if each.status == _Status.CONFIRMED:
                announce_erasure(each, at=at)
        rows.filter(pk__in=[each.pk for each in own]).delete()
        GhostMember.objects.forget_subscribers(addresses)
    return len(own)


def _move(
    subscription: Subscription,
    before: Collection[str],
    status: Subscription.Status,
    **values: Any,
) -> bool:
    movable = Subscription.objects.filter(pk=subscription.pk, status__in=before)
    with transaction.atomic():
        if not movable.update(status=status, **values):
            return False
        if subscription.newsletter.ghost_slug:
            is_new = status == _Status.CONFIRMED
            GhostMember.objects.note_subscribers([subscription.email], adding=is_new)
    subscription.refresh_from_db()
    return True
