"""Switches between monthly and yearly prices: the preview and the switch itself.

Stripe computes the difference. We show its figures and charge the same ones, as of one second.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from campaigns import catalogue, stripe_api
from campaigns.members.subscriptions import settle_soon
from campaigns.models import Membership, Price
from campaigns.stripe_api import Subscription


class SwitchClosed(Exception):
    """The subscription differs at Stripe: cancelled, paused, unpaid or switched meanwhile."""


class PriceRefused(Exception):
    """Stripe refuses the price, for example because it was archived; it's no longer offered."""


@dataclass(frozen=True)
class Switch:
    """The effect of another price; amounts in minor units of its currency."""

    price: Price
    item_id: str
    at: int | None  # None: the period is free, nothing is prorated
    renews_at: datetime | None
    due_minor: int = 0
    left_minor: int = 0  # the unused part of the paid period
    credit_minor: int = 0  # the rest beyond the new price, credited to later payments

    @property
    def figures(self) -> str:
        """Return the amounts as text, to check that a member confirms the amounts they saw."""
        return f"{self.due_minor}:{self.left_minor}:{self.credit_minor}"


def prices_to_switch_to(membership: Membership) -> QuerySet[Price]:
    """Return prices to switch to; none if Stripe charged in another currency than the price has."""
    now = membership.price_now
    if now is None or membership.payments.exclude(currency=now.currency).exists():
        return Price.objects.none()
    return (
        Price.objects.for_joining(currency=now.currency)
        .filter(kind__in=[Price.Kind.MONTH, Price.Kind.YEAR])
        .exclude(pk=now.pk)
    )


def plan_switch(membership: Membership, price: Price) -> Switch:
    """Preview a switch at Stripe.

    Raises SwitchClosed, PriceRefused and the errors of stripe_api.
    """
    assert membership.subscription_id is not None
    subscription = stripe_api.fetch_subscription(membership.subscription_id)
    items = subscription.items
    if not may_switch(subscription) or len(items) != 1:
        raise SwitchClosed
    item = items[0]
    if item.price_id == price.stripe_price_id or subscription.currency != price.currency:
        raise SwitchClosed
    if subscription.status == "trialing":
        return Switch(price, item.id, at=None, renews_at=item.period_ends_at)
    in_period = min(max(timezone.now(), item.period_starts_at), item.period_ends_at)
    at = int(in_period.timestamp())
    with _withdrawing(price):
        invoice = stripe_api.preview_switch(
            membership.subscription_id, item.id, price.stripe_price_id, at=at
        )
    ends = [line.period_ends_at for line in invoice.lines if line.amount_minor > 0]
    return Switch(
        price,
        item.id,
        at=at,
        renews_at=max(ends, default=None),
        due_minor=invoice.due_minor,
        left_minor=-sum(line.amount_minor for line in invoice.lines if line.amount_minor < 0),
        credit_minor=max(-invoice.total_minor, 0),
    )


def may_switch(subscription: Subscription) -> bool:
    """Return whether a subscription renews and is neither paused nor unpaid."""
    is_halted = subscription.is_cancelling or subscription.pause is not None
    return subscription.status in {"active", "trialing"} and not is_halted


def make_switch(membership: Membership, switch: Switch) -> None:
    """Switch at Stripe.

    Raises PriceRefused and the errors of stripe_api; status 402 if the bank refused.
    """
    assert membership.subscription_id is not None
    settle_soon(membership)
    with _withdrawing(switch.price):
        stripe_api.switch_price(
            membership.subscription_id, switch.item_id, switch.price.stripe_price_id, at=switch.at
        )


@contextmanager
def _withdrawing(price: Price) -> Iterator[None]:
    """Stop offering the price if Stripe names it as the reason of a refusal."""
    try:
        yield
    except stripe_api.StripeRefused as error:
        if not catalogue.is_about_price(error):
            raise
        catalogue.withdraw_price(price, error)
        raise PriceRefused from error
