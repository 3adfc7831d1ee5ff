"""From a month to a year and back: what a person would pay, and that they pay it.

Stripe reckons the difference; we show its own figures and let it charge them, as of one second.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from campaigns import stripe_api
from campaigns.members.subscriptions import settle_soon
from campaigns.models import Membership, Price
from campaigns.stripe_api import Subscription


class SwitchClosed(Exception):
    """At Stripe it is not as our row has it: cancelled, paused, unpaid or switched by now."""


@dataclass(frozen=True)
class Switch:
    """What another price changes; amounts in minor units of that price's currency."""

    price: Price
    item_id: str
    at: int | None  # None: nothing is reckoned, since it is free just now
    renews_at: datetime | None
    due_minor: int = 0
    left_minor: int = 0  # of what was paid for time that is still to come
    credit_minor: int = 0  # what is more than the new price, and pays for what comes next

    @property
    def figures(self) -> str:
        """What was shown, so that nobody agrees to other amounts than those that they saw."""
        return f"{self.due_minor}:{self.left_minor}:{self.credit_minor}"


def prices_to_switch_to(membership: Membership) -> QuerySet[Price]:
    """None for whoever pays in another currency than our prices have: Stripe showed them theirs."""
    now = membership.price_now
    if now is None or membership.payments.exclude(currency=now.currency).exists():
        return Price.objects.none()
    return (
        Price.objects.for_joining(currency=now.currency)
        .filter(kind__in=[Price.Kind.MONTH, Price.Kind.YEAR])
        .exclude(pk=now.pk)
    )


def plan_switch(membership: Membership, price: Price) -> Switch:
    """What would change, by Stripe's own reckoning; raises SwitchClosed and its errors."""
    assert membership.subscription_id is not None
    subscription = stripe_api.fetch_subscription(membership.subscription_id)
    items = subscription.items
    if not _may_switch(subscription) or len(items) != 1:
        raise SwitchClosed
    item = items[0]
    if item.price_id == price.stripe_price_id or subscription.currency != price.currency:
        raise SwitchClosed
    if subscription.status == "trialing":
        return Switch(price, item.id, at=None, renews_at=item.period_ends_at)
    in_period = min(max(timezone.now(), item.period_starts_at), item.period_ends_at)
    at = int(in_period.timestamp())
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


def _may_switch(subscription: Subscription) -> bool:
    is_halted = subscription.is_cancelling or subscription.pause is not None
    return subscription.status in {"active", "trialing"} and not is_halted


def make_switch(membership: Membership, switch: Switch) -> None:
    """Raises the errors of stripe_api; with status 402 the bank said no, and nothing changed."""
    assert membership.subscription_id is not None
    settle_soon(membership)
    stripe_api.switch_price(
        membership.subscription_id, switch.item_id, switch.price.stripe_price_id, at=switch.at
    )
