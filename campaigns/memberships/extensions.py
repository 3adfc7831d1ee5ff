"""A gift to somebody who is a member already adds to what they have.

Where a subscription would charge meanwhile, a due column says that its next charge has to be
moved, and a sweep moves it.
"""

from datetime import datetime, timedelta, tzinfo

from django.db import transaction
from django.utils import timezone

from campaigns import stripe_api
from campaigns.memberships.subscriptions import STATUS_OF_SUBSCRIPTION, period_end
from campaigns.memberships.terms import add_months, give_membership, lay_out_extensions
from campaigns.models import Checkout, Member, Membership, Plan
from campaigns.stripe_api import Json


def running_memberships(member: Member, *, at: datetime) -> list[Membership]:
    """Those that give access at that moment, locked: whoever adds to one waits for the other."""
    ids = member.memberships.active_at(at).values_list("pk", flat=True)
    rows = Membership.objects.select_for_update(of=("self",)).filter(pk__in=list(ids))
    return list(rows.order_by("pk"))


def add_gift(
    member: Member,
    *,
    plan: Plan,
    months: int,
    zone: tzinfo,
    running: list[Membership],
    at: datetime,
) -> Membership:
    """The membership that a gift becomes, given those that are running now.

    It extends a subscription that will be charged, otherwise the membership that ends last; one
    past due or being cancelled gets none added, but a membership of its own, after what is paid.
    """
    renewing = [
        each
        for each in running
        if each.source == Membership.Source.SUBSCRIPTION
        and each.status == Membership.Status.ACTIVE
        and not each.is_cancelling
    ]
    spans = [
        each
        for each in running
        if each.source != Membership.Source.SUBSCRIPTION and each.ends_at is not None
    ]
    base = renewing[0] if renewing else None
    if base is None and spans:
        last = max(spans, key=lambda each: (each.ends_at, each.pk))
        base = last.extends or last
    paid = [
        each.ends_at
        for each in running
        if each.is_cancelling and each.status == Membership.Status.ACTIVE and each.ends_at
    ]
    given = give_membership(
        member,
        plan=plan,
        source=Membership.Source.GIFT,
        starts_at=max([at, *paid]),
        months=months,
        zone=zone,
        extends=base,
    )
    if base is not None:
        _join_chain(given, base, at=at)
        lay_out_extensions(base)
        given.refresh_from_db()
    return given


def _join_chain(given: Membership, base: Membership, *, at: datetime) -> None:
    """Of a subscription, gifts that follow one another make a chain; renewed since, a new one."""
    if base.source != Membership.Source.SUBSCRIPTION:
        return
    if base.gifted_until is None or base.gifted_until <= at:
        base.gifted_from = max(base.ends_at or at, at)
        base.gifted_until = base.pushed_until = None
        base.save(update_fields=["gifted_from", "gifted_until", "pushed_until"])
    given.gifted_from = base.gifted_from
    given.save(update_fields=["gifted_from"])


# The next charge of a subscription, moved to where the gifts end


PUSH_LEASE = timedelta(minutes=2)
_PUSH_AGAIN = timedelta(minutes=10)
# Stripe takes a trial of two years at most; what is beyond is pushed again as time goes by.
_FARTHEST = timedelta(days=729)
_PUSH_FARTHER = timedelta(days=30)


def due_push_ids(*, at: datetime, limit: int = 100) -> list[int]:
    """Subscriptions whose next charge has to be moved; claimed for a while each."""
    due = (
        Membership.objects.filter(push_at__lte=at).order_by("push_at").values_list("pk", "push_at")
    )
    return [
        membership_id
        for membership_id, push_at in due.values_list("pk", "push_at")[:limit]
        if Membership.objects.filter(pk=membership_id, push_at=push_at).update(
            push_at=at + PUSH_LEASE
        )
    ]


def push_charge(membership_id: int, *, at: datetime) -> None:
    """Move a subscription's next charge to where the gifts end; safe to repeat.

    One that turned out to be past due or cancelled is left alone: what it was to be extended by
    becomes a membership of its own. Raises nothing: a refusal is noted, and tried again.
    """
    membership = Membership.objects.get(pk=membership_id)
    assert membership.subscription_id is not None
    try:
        subscription = stripe_api.fetch_subscription(membership.subscription_id)
        if _cannot_be_extended(subscription):
            _detach_extensions(membership_id, at=at)
            return
        membership = _follow_renewal(membership_id, subscription, at=at)
        assert membership.gifted_until is not None
        target = min(membership.gifted_until, at + _FARTHEST)
        _tell_stripe(subscription, target=target, at=at)
    except stripe_api.StripeError as error:
        Membership.objects.filter(pk=membership_id).update(
            push_at=timezone.now() + _PUSH_AGAIN, push_error=type(error).__name__
        )
        return
    farther = at + _PUSH_FARTHER if target < membership.gifted_until else None
    Membership.objects.filter(pk=membership_id, gifted_until=membership.gifted_until).update(
        push_at=farther, pushed_until=target, push_error=""
    )
    Checkout.objects.filter(membership=membership_id).update(look_at=timezone.now())


def _tell_stripe(subscription: Json, *, target: datetime, at: datetime) -> None:
    told = subscription.get("trial_end") if subscription["status"] == "trialing" else None
    until = int(target.timestamp())
    if told == until or (told is None and target <= at):
        return  # told already, or never told and taken back again
    stripe_api.move_next_charge(
        subscription["id"], trial_end=until if target > at + timedelta(minutes=1) else None
    )


def _cannot_be_extended(subscription: Json) -> bool:
    return (
        STATUS_OF_SUBSCRIPTION[subscription["status"]] != Membership.Status.ACTIVE
        or bool(subscription.get("cancel_at_period_end") or subscription.get("cancel_at"))
    ) and subscription["status"] != "trialing"


def _follow_renewal(membership_id: int, subscription: Json, *, at: datetime) -> Membership:
    """Begin where the paid period ends by Stripe's word, if it renewed before it was told."""
    with transaction.atomic():
        base = Membership.objects.select_for_update(of=("self",)).get(pk=membership_id)
        paid_until = period_end(subscription)
        assert base.gifted_from is not None
        if (
            base.pushed_until is None
            and subscription["status"] == "active"
            and paid_until is not None
            and paid_until > base.gifted_from
        ):
            base.extensions.filter(gifted_from=base.gifted_from).update(gifted_from=paid_until)
            base.gifted_from = paid_until
            base.save(update_fields=["gifted_from"])
            lay_out_extensions(base)
    return base


def _detach_extensions(membership_id: int, *, at: datetime) -> None:
    """What was to extend a subscription that will not renew is a membership of its own."""
    with transaction.atomic():
        base = Membership.objects.select_for_update(of=("self",)).get(pk=membership_id)
        runs_on = base.is_cancelling and base.status == Membership.Status.ACTIVE
        start = max(base.ends_at or at, at) if runs_on else at
        waiting = base.extensions.filter(
            gifted_from=base.gifted_from, ended_at__isnull=True, started_at__gt=at
        )
        first = None
        for row in waiting.select_for_update().order_by("pk"):
            row.extends, row.gifted_from = first, None
            row.started_at, row.ends_at = start, add_months(start, row.months or 0)
            row.save(update_fields=["extends", "gifted_from", "started_at", "ends_at"])
            first = first or row
        if first is not None:
            lay_out_extensions(first)
        base.gifted_from = base.gifted_until = base.push_at = None
        base.save(update_fields=["gifted_from", "gifted_until", "push_at"])
