"""Memberships that people buy for themselves. Callers hold the Checkout's lock."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F
from django.utils import timezone

from campaigns.memberships.subscription_access import (
    Access,
    read_access,
    read_end,
    read_gaps,
    read_status,
)
from campaigns.memberships.terms import add_months, lay_out_extensions
from campaigns.models import Checkout, Member, Membership, OutgoingMail, Payment, Price, find_zone
from campaigns.payments import valid_interval
from campaigns.stripe_api import Invoice, Subscription, SubscriptionItem


def upsert_subscription_membership(
    subscription: Subscription,
    *,
    invoices: Sequence[Invoice],
    next_invoice: Invoice | None = None,
    checkout: Checkout,
    member: Member,
) -> Membership:
    """Create or update the membership of a Stripe subscription.

    `next_invoice` is Stripe's preview, if the next payment may differ from the price.
    """
    status, access = read_status(subscription), read_access(subscription, invoices)
    if status == Membership.Status.PAST_DUE and access.is_over(at=timezone.now()):
        status = Membership.Status.LAPSED
    price = _find_price(subscription, checkout)
    chosen = subscription.items[0].amount_minor if subscription.items else checkout.amount_minor
    pause = subscription.pause if status == Membership.Status.PAUSED else None
    membership, _ = Membership.objects.update_or_create(
        checkout=checkout,
        defaults={
            "member": member,
            "plan": price.plan,
            "price": price,
            "amount_minor": chosen if price.is_open else None,
            "source": Membership.Source.SUBSCRIPTION,
            "status": status,
            "started_at": subscription.started_at,
            "ends_at": period_end(subscription),
            "ended_at": read_end(subscription),
            "access_until": access.until,
            "gaps": read_gaps(invoices),
            "resumes_at": pause.resumes_at if pause else None,
            "is_cancelling": subscription.is_cancelling,
            "cancel_reason": subscription.cancel_reason[:40],
            "subscription_id": subscription.id,
            **_describe_next_payment(next_invoice),
        },
    )
    if membership.ended_at is not None and membership.extensions.exists():
        lay_out_extensions(membership)  # a gift doesn't wait for a membership that has ended
    if status == Membership.Status.LAPSED:
        _notify_of_lapse(membership, access)
    elif status == Membership.Status.PAST_DUE and subscription.status == "past_due":
        _ask_for_payment(membership, subscription)
    return membership


def _describe_next_payment(invoice: Invoice | None) -> dict[str, int | None]:
    """Return the columns of the next payment; all are None if the price is charged."""
    if invoice is None:
        return dict.fromkeys(("next_due_minor", "next_credit_minor", "next_discount_minor"))
    return {
        "next_due_minor": invoice.due_minor,
        "next_credit_minor": max(invoice.total_minor - invoice.due_minor, 0),
        "next_discount_minor": invoice.discount_minor,
    }


def note_next_payment(membership: Membership, invoice: Invoice) -> None:
    """Note Stripe's preview of the next payment, unless the membership was cancelled meanwhile."""
    terms = membership.terms_now
    differs = terms is None or (invoice.due_minor, invoice.discount_minor) != (
        terms.amount_minor,
        0,
    )
    figures = _describe_next_payment(invoice if differs else None)
    renewing = Membership.objects.filter(status=Membership.Status.ACTIVE, is_cancelling=False)
    renewing.filter(pk=membership.pk).update(**figures)


def _find_price(subscription: Subscription, checkout: Checkout) -> Price:
    """Return the price at which a subscription renews; the Checkout's if it isn't ours.

    It can change at Stripe: by its owner on our page, or by staff in the dashboard. An amount that
    its owner chose has a price of its own there; then the product and the interval decide.
    """
    item = subscription.items[0] if subscription.items else None
    if item is None or item.price_id == checkout.price.stripe_price_id:
        return checkout.price
    prices = Price.objects.select_related("plan").order_by("pk")
    known = prices.filter(stripe_price_id=item.price_id).first()
    if known is not None or _fits(checkout.price, item):
        return known or checkout.price
    chosen = prices.filter(
        is_open=True,
        kind=item.interval,
        currency=subscription.currency,
        plan__stripe_product_id=item.product_id,
    )
    return chosen.first() or checkout.price


def _fits(price: Price, item: SubscriptionItem) -> bool:
    is_same = (price.kind, price.plan.stripe_product_id) == (item.interval, item.product_id)
    return price.is_open and is_same


def _notify_of_lapse(membership: Membership, access: Access) -> None:
    """Schedule one e-mail for each lapse, which its first unpaid invoice identifies."""
    OutgoingMail.objects.get_or_create(
        key=f"lapsed:{access.unpaid_id}",
        defaults={
            "kind": OutgoingMail.Kind.LAPSED,
            "membership": membership,
            "language": membership.member.language,
        },
    )


def _ask_for_payment(membership: Membership, subscription: Subscription) -> None:
    """Schedule one e-mail for each invoice that failed, however often Stripe tries it again.

    An "unpaid" subscription gets none: Stripe has stopped trying by then.
    """
    period = subscription.latest_invoice_id or f"{subscription.id}:{membership.ends_at}"
    OutgoingMail.objects.get_or_create(
        key=f"past_due:{period}",
        defaults={
            "kind": OutgoingMail.Kind.PAST_DUE,
            "membership": membership,
            "language": membership.member.language,
        },
    )


def period_end(subscription: Subscription) -> datetime | None:
    """Return the end of the current period; None if the subscription has no items."""
    return max((item.period_ends_at for item in subscription.items), default=None)


def upsert_one_off_membership(payment: Payment, *, checkout: Checkout) -> Membership:
    """Return the membership that a single payment bought; it starts with the charge."""
    months = checkout.price.months
    assert months is not None, "a one-off price has a number of months"
    zone = find_zone(checkout.campaign)
    membership, _ = Membership.objects.get_or_create(
        checkout=checkout,
        defaults={
            "member": payment.member,
            "plan": checkout.price.plan,
            "amount_minor": payment.amount_minor if checkout.price.is_open else None,
            "source": Membership.Source.ONCE,
            "status": Membership.Status.ACTIVE,
            "started_at": payment.paid_at,
            "ends_at": add_months(payment.paid_at, months, zone=zone),
            "months": months,
        },
    )
    return membership


def follow_payment(membership: Membership, payment: Payment) -> None:
    """End a one-off membership when its payment is reversed; reactivate it if that is undone.

    The caller holds the Checkout's lock.
    """
    interval = valid_interval(payment)
    reversed_at = interval[1] if interval else payment.paid_at
    memberships = Membership.objects.filter(pk=membership.pk)
    if reversed_at is not None:  # a membership that had already run out keeps its end date
        ended_at = min(reversed_at, membership.ends_at or reversed_at)
        memberships.update(status=Membership.Status.ENDED, ended_at=ended_at)
    else:  # only a membership that ended early becomes active again
        memberships.filter(status=Membership.Status.ENDED, ended_at__lt=F("ends_at")).update(
            status=Membership.Status.ACTIVE, ended_at=None
        )
    if membership.extensions.exists():
        lay_out_extensions(Membership.objects.get(pk=membership.pk))


def welcome(membership: Membership, *, language: str) -> None:
    """Schedule the welcome e-mail once, with the first payment that succeeds."""
    OutgoingMail.objects.get_or_create(
        key=f"welcome:{membership.checkout_id or membership.pk}",
        defaults={
            "kind": OutgoingMail.Kind.WELCOME,
            "membership": membership,
            "language": language,
        },
    )
