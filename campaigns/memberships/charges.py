"""The next charge of a subscription, moved to where the gifts that extend it end.

A due column says that Stripe has to be told, and a sweep tells it.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from campaigns import stripe_api
from campaigns.memberships.extensions import detach_extensions
from campaigns.memberships.subscription_access import STATUS_OF_SUBSCRIPTION
from campaigns.memberships.subscriptions import period_end
from campaigns.memberships.terms import lay_out_extensions
from campaigns.models import Checkout, Membership
from campaigns.stripe_api import Json

PUSH_LEASE = timedelta(minutes=2)
_PUSH_AGAIN = timedelta(minutes=10)
# Stripe takes a trial of two years at most; what is beyond is pushed again as time goes by.
_FARTHEST = timedelta(days=729)
_PUSH_FARTHER = timedelta(days=30)
# A trial that is to end now and then be cancelled ends in a while: "now" would charge at once.
_SOON = timedelta(minutes=10)


def claim_charge_moves(*, at: datetime, limit: int = 100) -> list[int]:
    """Subscriptions whose next charge has to be moved; claimed for a while each."""
    due = Membership.objects.filter(push_at__lte=at).order_by("push_at")
    return [
        membership_id
        for membership_id, push_at in due.values_list("pk", "push_at")[:limit]
        if Membership.objects.filter(pk=membership_id, push_at=push_at).update(
            push_at=at + PUSH_LEASE
        )
    ]


def move_charge(membership_id: int, *, at: datetime) -> None:
    """Move a subscription's next charge to where the gifts end; safe to repeat.

    One that turned out to be past due or cancelled is left alone: what it was to be extended by
    becomes a membership of its own. One of which collecting is paused is moved all the same: once
    it goes on, it charges after the gifts. Of Stripe's errors none is raised: it is noted, and
    tried again.
    """
    membership = Membership.objects.get(pk=membership_id)
    assert membership.subscription_id is not None
    try:
        subscription = stripe_api.fetch_subscription(membership.subscription_id)
        if _will_not_renew(subscription):
            with transaction.atomic():
                paid_until = _paid_until(subscription) or at
                detach_extensions(membership_id, paid_until=paid_until, at=at)
            return
        membership = _follow_renewal(membership_id, subscription)
        until = membership.gifted_until
        target = min(until or at, at + _FARTHEST)
        _update_trial_end(subscription, target=target, at=at)
    except stripe_api.StripeError as error:
        Membership.objects.filter(pk=membership_id).update(
            push_at=timezone.now() + _PUSH_AGAIN, push_error=type(error).__name__
        )
        return
    farther = at + _PUSH_FARTHER if until is not None and target < until else None
    Membership.objects.filter(pk=membership_id, gifted_until=until).update(
        push_at=farther, pushed_until=target, push_error=""
    )
    Checkout.objects.filter(membership=membership_id).update(settle_at=timezone.now())


def _update_trial_end(subscription: Json, *, target: datetime, at: datetime) -> None:
    told = subscription.get("trial_end") if subscription["status"] == "trialing" else None
    if told == int(target.timestamp()) or (told is None and target <= at):
        return  # told already, or never told and taken back again
    is_now = target <= at + timedelta(minutes=1)
    if is_now and _is_cancelling(subscription):
        is_now, target = False, at + _SOON
    stripe_api.move_next_charge(
        subscription["id"], trial_end=None if is_now else int(target.timestamp())
    )


def _is_cancelling(subscription: Json) -> bool:
    return bool(subscription.get("cancel_at_period_end") or subscription.get("cancel_at"))


def _will_not_renew(subscription: Json) -> bool:
    """Past due, ended, or cancelled before it was ever extended."""
    if STATUS_OF_SUBSCRIPTION[subscription["status"]] != Membership.Status.ACTIVE:
        return True
    return _is_cancelling(subscription) and subscription["status"] != "trialing"


def _paid_until(subscription: Json) -> datetime | None:
    """To where it is paid, if it is; one that is past due is paid for no longer."""
    is_paid = STATUS_OF_SUBSCRIPTION[subscription["status"]] == Membership.Status.ACTIVE
    return period_end(subscription) if is_paid else None


def _follow_renewal(membership_id: int, subscription: Json) -> Membership:
    """Begin where the paid period ends by Stripe's word, if it renewed before it was told.

    Or earlier, if it was switched from a year to a month: the rest of the year is a credit then.
    While collecting is paused the period moves on unpaid, and says nothing.
    """
    with transaction.atomic():
        rows = Membership.objects.select_for_update(of=("self",), no_key=True)
        base = rows.get(pk=membership_id)
        paid_until = period_end(subscription)
        if subscription["status"] != "active" or paid_until is None or base.gifted_from is None:
            return base
        if subscription.get("pause_collection"):
            return base
        untold = base.extensions.filter(
            gifted_from=base.gifted_from,
            ended_at__isnull=True,
            started_at__gte=base.pushed_until or base.gifted_from,
        )
        is_shorter = base.pushed_until is None and timezone.now() < paid_until < base.gifted_from
        stale = untold if is_shorter else untold.filter(started_at__lt=paid_until)
        if stale.exists():
            untold.update(gifted_from=paid_until)
            base.gifted_from, base.pushed_until = paid_until, None
            base.save(update_fields=["gifted_from", "pushed_until"])
            lay_out_extensions(base)
        return base
