"""What somebody bought for themselves. Callers hold the Checkout's lock."""

from datetime import UTC, datetime

from django.db.models import F
from django.utils import timezone

from campaigns import stripe_api
from campaigns.memberships.subscription_access import (
    Access,
    ended_at_of,
    read_access,
    read_gaps,
    status_of,
)
from campaigns.memberships.terms import add_months, lay_out_extensions
from campaigns.models import Checkout, Member, Membership, OutgoingMail, Payment, Price
from campaigns.payments import valid_interval
from campaigns.stripe_api import Json


def keep_subscription(
    subscription: Json, *, invoices: list[Json], checkout: Checkout, member: Member
) -> Membership:
    """The membership as Stripe's subscription has it, whatever was known before."""
    status, access = status_of(subscription), read_access(subscription, invoices)
    if status == Membership.Status.PAST_DUE and access.is_over(at=timezone.now()):
        status = Membership.Status.LAPSED
    price = _price_of(subscription, checkout)
    pause = subscription.get("pause_collection") or {}
    resumes_at = pause.get("resumes_at") if status == Membership.Status.PAUSED else None
    membership, _ = Membership.objects.update_or_create(
        checkout=checkout,
        defaults={
            "member": member,
            "plan": price.plan,
            "price": price,
            "source": Membership.Source.SUBSCRIPTION,
            "status": status,
            "started_at": stripe_api.moment(subscription["start_date"]),
            "ends_at": period_end(subscription),
            "ended_at": ended_at_of(subscription),
            "access_until": access.until,
            "gaps": read_gaps(invoices),
            "resumes_at": stripe_api.moment(resumes_at) if resumes_at else None,
            "is_cancelling": bool(
                subscription.get("cancel_at_period_end") or subscription.get("cancel_at")
            ),
            "subscription_id": subscription["id"],
        },
    )
    if membership.ended_at is not None and membership.extensions.exists():
        lay_out_extensions(membership)  # what was given does not wait for what is no more
    if status == Membership.Status.LAPSED:
        _notify_of_lapse(membership, access)
    elif status == Membership.Status.PAST_DUE and subscription["status"] == "past_due":
        _ask_to_mend(membership, subscription)
    return membership


def _price_of(subscription: Json, checkout: Checkout) -> Price:
    """What it renews at, which may be another by now; that of the Checkout if it is none of ours.

    Whoever changed it did so at Stripe: its owner by our page, or staff by Stripe's dashboard.
    """
    items = subscription["items"]["data"]
    at_stripe = items[0]["price"]["id"] if items else ""
    if not at_stripe or at_stripe == checkout.price.stripe_price_id:
        return checkout.price
    known = Price.objects.filter(stripe_price_id=at_stripe).select_related("plan")
    return known.order_by("pk").first() or checkout.price


def _notify_of_lapse(membership: Membership, access: Access) -> None:
    """A mail falls due once for each time that it lapses, known by the first unpaid invoice."""
    OutgoingMail.objects.get_or_create(
        key=f"lapsed:{access.unpaid_id}",
        defaults={
            "kind": OutgoingMail.Kind.LAPSED,
            "membership": membership,
            "language": membership.member.language,
        },
    )


def _ask_to_mend(membership: Membership, subscription: Json) -> None:
    """A mail falls due once for each invoice that failed, however often it is tried again.

    Of one that is "unpaid" no more is said: Stripe has stopped trying by then.
    """
    latest = subscription.get("latest_invoice")
    invoice_id = latest.get("id") if isinstance(latest, dict) else latest
    period = invoice_id or f"{subscription['id']}:{membership.ends_at}"
    OutgoingMail.objects.get_or_create(
        key=f"past_due:{period}",
        defaults={
            "kind": OutgoingMail.Kind.PAST_DUE,
            "membership": membership,
            "language": membership.member.language,
        },
    )


def period_end(subscription: Json) -> datetime | None:
    ends = [
        item["current_period_end"]
        for item in subscription["items"]["data"]
        if item.get("current_period_end")
    ]
    return stripe_api.moment(max(ends)) if ends else None


def upsert_one_off_membership(payment: Payment, *, checkout: Checkout) -> Membership:
    """The membership that a single payment bought, from the charge on."""
    months = checkout.price.months
    assert months is not None, "a price paid once says how long it lasts"
    zone = checkout.campaign.zone_info if checkout.campaign else UTC
    membership, _ = Membership.objects.get_or_create(
        checkout=checkout,
        defaults={
            "member": payment.member,
            "plan": checkout.price.plan,
            "source": Membership.Source.ONCE,
            "status": Membership.Status.ACTIVE,
            "started_at": payment.paid_at,
            "ends_at": add_months(payment.paid_at, months, zone=zone),
            "months": months,
        },
    )
    return membership


def follow_payment(membership: Membership, payment: Payment) -> None:
    """End what was paid for once when that payment no longer stands; begin it anew if it does.

    The caller holds the Checkout's lock.
    """
    standing = valid_interval(payment)
    reversed_at = standing[1] if standing else payment.paid_at
    moved = Membership.objects.filter(pk=membership.pk)
    if reversed_at is not None:  # one that had run out by then ended when it was to end
        ended_at = min(reversed_at, membership.ends_at or reversed_at)
        moved.update(status=Membership.Status.ENDED, ended_at=ended_at)
    else:  # one that ran out by itself ended when it was to end
        moved.filter(status=Membership.Status.ENDED, ended_at__lt=F("ends_at")).update(
            status=Membership.Status.ACTIVE, ended_at=None
        )
    if membership.extensions.exists():
        lay_out_extensions(Membership.objects.get(pk=membership.pk))


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
