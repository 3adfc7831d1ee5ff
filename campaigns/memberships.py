"""5 Activate, renew, lapse and extend memberships. Callers of `keep_*` hold the Checkout's lock."""

from calendar import monthrange
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from campaigns import stripe_api
from campaigns.models import Checkout, Member, Membership, OutgoingMail, Payment, Plan
from campaigns.models.moves import states_before
from campaigns.payments import standing_interval
from campaigns.stripe_api import Json

_STATUS_OF_SUBSCRIPTION = {
    "incomplete": Membership.Status.PENDING,
    "incomplete_expired": Membership.Status.ENDED,
    "trialing": Membership.Status.ACTIVE,
    "active": Membership.Status.ACTIVE,
    "past_due": Membership.Status.PAST_DUE,
    "unpaid": Membership.Status.PAST_DUE,
    "paused": Membership.Status.PAUSED,
    "canceled": Membership.Status.ENDED,
}


def add_months(start: datetime, months: int) -> datetime:
    """The same day and time that many months later, clamped to the month's last day.

    Always reckon from the first start, so that 31 January runs to 28 February and then to
    31 March: clamping never drifts.
    """
    month = start.month - 1 + months
    year, month = start.year + month // 12, month % 12 + 1
    return start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))


def keep_subscription(subscription: Json, *, checkout: Checkout, member: Member) -> Membership:
    """The membership as Stripe's subscription has it, whatever was known before."""
    status = _STATUS_OF_SUBSCRIPTION[subscription["status"]]
    started_at = stripe_api.moment(subscription["start_date"])
    period_ends = [
        item["current_period_end"]
        for item in subscription["items"]["data"]
        if item.get("current_period_end")
    ]
    ends_at = stripe_api.moment(max(period_ends)) if period_ends else None
    ended_at = None
    if status == Membership.Status.ENDED:
        ended_at = stripe_api.moment(
            subscription.get("ended_at")
            or subscription.get("canceled_at")
            or subscription["start_date"]
        )
    membership, _ = Membership.objects.update_or_create(
        checkout=checkout,
        defaults={
            "member": member,
            "plan": checkout.price.plan,
            "source": Membership.Source.SUBSCRIPTION,
            "status": status,
            "started_at": started_at,
            "ends_at": ends_at,
            "ended_at": ended_at,
            "is_cancelling": bool(
                subscription.get("cancel_at_period_end") or subscription.get("cancel_at")
            ),
            "subscription_id": subscription["id"],
        },
    )
    return membership


def keep_membership_paid_once(payment: Payment, *, checkout: Checkout) -> Membership:
    """The membership that a single payment bought, from the charge on."""
    months = checkout.price.months
    assert months is not None, "a price paid once says how long it lasts"
    membership, _ = Membership.objects.get_or_create(
        checkout=checkout,
        defaults={
            "member": payment.member,
            "plan": checkout.price.plan,
            "source": Membership.Source.ONCE,
            "status": Membership.Status.ACTIVE,
            "started_at": payment.paid_at,
            "ends_at": add_months(payment.paid_at, months),
        },
    )
    return membership


def follow_payment(membership: Membership, payment: Payment) -> None:
    """End what was paid for once when that payment no longer stands; begin it anew if it does.

    The caller holds the Checkout's lock.
    """
    standing = standing_interval(payment)
    fell_at = standing[1] if standing else payment.paid_at
    moved = Membership.objects.filter(pk=membership.pk)
    if fell_at is not None:
        moved.filter(status__in=states_before(Membership.MOVES, Membership.Status.ENDED)).update(
            status=Membership.Status.ENDED, ended_at=fell_at
        )
    else:  # one that ran out by itself ended when it was to end
        moved.filter(status=Membership.Status.ENDED, ended_at__lt=F("ends_at")).update(
            status=Membership.Status.ACTIVE, ended_at=None
        )


def welcome(membership: Membership, *, language: str) -> None:
    """The welcome falls due once, with the first payment that succeeds."""
    OutgoingMail.objects.get_or_create(
        key=f"welcome:{membership.checkout_id or membership.pk}",
        defaults={
            "kind": OutgoingMail.Kind.WELCOME,
            "membership": membership,
            "language": language,
        },
    )


def give_membership(
    member: Member,
    *,
    plan: Plan | None,
    source: Membership.Source,
    starts_at: datetime,
    months: int,
    granted_by: User | None = None,
    note: str = "",
) -> Membership:
    """A membership for a span of months that nobody's subscription renews."""
    return Membership.objects.create(
        member=member,
        plan=plan,
        source=source,
        started_at=starts_at,
        ends_at=add_months(starts_at, months),
        granted_by=granted_by,
        note=note,
    )


def lapse_memberships(*, at: datetime) -> int:
    """End those that ran out by that moment; how many. A subscription ends when Stripe says so."""
    running = states_before(Membership.MOVES, Membership.Status.ENDED)
    due = Membership.objects.filter(
        status__in=running, ended_at__isnull=True, ends_at__lte=at
    ).exclude(source=Membership.Source.SUBSCRIPTION)
    lapsed = 0
    for membership_id, ends_at in due.values_list("pk", "ends_at")[:500]:
        with transaction.atomic():
            lapsed += Membership.objects.filter(
                pk=membership_id, status__in=running, ends_at=ends_at
            ).update(status=Membership.Status.ENDED, ended_at=ends_at)
    return lapsed
