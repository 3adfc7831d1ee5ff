"""The next charge of a subscription, moved to the end of the gifts that extend it.

A due column says that Stripe has to be updated, and a job does it.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from campaigns import stripe_api
from campaigns.memberships.announcements import announce_access
from campaigns.memberships.extensions import detach_extensions
from campaigns.memberships.subscription_access import STATUS_OF_SUBSCRIPTION
from campaigns.memberships.subscriptions import period_end
from campaigns.memberships.terms import lay_out_extensions
from campaigns.models import Checkout, Membership
from campaigns.stripe_api import Subscription

_PUSH_AGAIN = timedelta(minutes=10)
# Stripe accepts a trial of two years at most; a later charge is moved again as time passes.
_FARTHEST = timedelta(days=729)
_PUSH_FARTHER = timedelta(days=30)
# For a subscription that is being cancelled a trial ends soon instead of now, which would charge.
_SOON = timedelta(minutes=10)


def move_charge(membership_id: int, *, at: datetime | None = None) -> None:
    """Move a subscription's next charge to the end of its gifts; safe to repeat.

    If it turns out to be past due or cancelled, its extensions become memberships of their own
    instead. If collection is paused, the charge is still moved: once resumed, it comes after
    the gifts. Stripe's errors are noted on the membership, and the job tries again.
    """
    at = at or timezone.now()
    membership = Membership.objects.get(pk=membership_id)
    assert membership.subscription_id is not None
    try:
        subscription = stripe_api.fetch_subscription(membership.subscription_id)
        if _will_not_renew(subscription):
            with transaction.atomic():
                paid_until = _paid_until(subscription) or at
                detach_extensions(membership_id, paid_until=paid_until, at=at)
                announce_access([membership.member])
            return
        membership = _follow_renewal(membership_id, subscription)
        until = membership.gifted_until
        target = min(until or at, at + _FARTHEST)
        _update_trial_end(subscription, target=target, at=at)
    except stripe_api.StripeError as error:
        Membership.objects.filter(pk=membership_id).update(
            due_at=timezone.now() + _PUSH_AGAIN, push_error=type(error).__name__
        )
        return
    farther = at + _PUSH_FARTHER if until is not None and target < until else None
    Membership.objects.filter(pk=membership_id, gifted_until=until).update(
        due_at=farther, pushed_until=target, push_error=""
    )
    Checkout.objects.filter(membership=membership_id).update(due_at=timezone.now())


def _update_trial_end(subscription: Subscription, *, target: datetime, at: datetime) -> None:
    trial_ends_at = subscription.trial_ends_at if subscription.status == "trialing" else None
    if trial_ends_at == target.replace(microsecond=0) or (trial_ends_at is None and target <= at):
        return  # Stripe has it already, or never had a trial that would have to end
    is_now = target <= at + timedelta(minutes=1)
    if is_now and subscription.is_cancelling:
        is_now, target = False, at + _SOON
    stripe_api.move_next_charge(subscription.id, charge_at=None if is_now else target)


def _will_not_renew(subscription: Subscription) -> bool:
    """Return whether it is past due, ended, or was cancelled before it was ever extended."""
    if STATUS_OF_SUBSCRIPTION[subscription.status] != Membership.Status.ACTIVE:
        return True
    return subscription.is_cancelling and subscription.status != "trialing"


def _paid_until(subscription: Subscription) -> datetime | None:
    """Return until when an active subscription is paid; None for one that is past due or ended."""
    is_paid = STATUS_OF_SUBSCRIPTION[subscription.status] == Membership.Status.ACTIVE
    return period_end(subscription) if is_paid else None


def _follow_renewal(membership_id: int, subscription: Subscription) -> Membership:
    """Start the extensions at the end of the paid period, if that moved before Stripe was updated.

    It moves later by a renewal, or earlier by a switch from a year to a month, whose rest becomes
    a credit. While collection is paused the period moves on unpaid and is ignored.
    """
    with transaction.atomic():
        rows = Membership.objects.select_for_update(of=("self",), no_key=True)
        base = rows.get(pk=membership_id)
        paid_until = period_end(subscription)
        if subscription.status != "active" or paid_until is None or base.gifted_from is None:
            return base
        if subscription.pause is not None:
            return base
        pending = base.extensions.filter(
            gifted_from=base.gifted_from,
            ended_at__isnull=True,
            started_at__gte=base.pushed_until or base.gifted_from,
        )
        is_shorter = base.pushed_until is None and timezone.now() < paid_until < base.gifted_from
        stale = pending if is_shorter else pending.filter(started_at__lt=paid_until)
        if stale.exists():
            pending.update(gifted_from=paid_until)
            base.gifted_from, base.pushed_until = paid_until, None
            base.save(update_fields=["gifted_from", "pushed_until"])
            lay_out_extensions(base)
        return base
