"""Switches between monthly and yearly prices: the preview and the switch itself.

Stripe computes the difference. We show its figures and charge the same ones, as of one second.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from campaigns import stripe_api
from campaigns.members.subscriptions import settle_soon
from campaigns.models import Membership, Price
from campaigns.stripe_api import Json


class SwitchClosed(Exception):
    """The subscription differs at Stripe: cancelled, paused, unpaid or switched meanwhile."""


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
    """Preview a switch at Stripe. Raises SwitchClosed and the errors of stripe_api."""
    assert membership.subscription_id is not None
    subscription = stripe_api.fetch_subscription(membership.subscription_id)
    items = subscription["items"]["data"]
    if not _may_switch(subscription) or len(items) != 1:
        raise SwitchClosed
    item = items[0]
    if item["price"]["id"] == price.stripe_price_id or subscription["currency"] != price.currency:
        raise SwitchClosed
    if subscription["status"] == "trialing":
        renews_at = stripe_api.moment(item["current_period_end"])
        return Switch(price, item["id"], at=None, renews_at=renews_at)
    at = max(int(timezone.now().timestamp()), item["current_period_start"])
    at = min(at, item["current_period_end"])
    invoice = stripe_api.preview_switch(
        membership.subscription_id, item["id"], price.stripe_price_id, at=at
    )
    lines = invoice["lines"]["data"]
    ends = [line["period"]["end"] for line in lines if line["amount"] > 0]
    return Switch(
        price,
        item["id"],
        at=at,
        renews_at=stripe_api.moment(max(ends)) if ends else None,
        due_minor=invoice["amount_due"],
        left_minor=-sum(line["amount"] for line in lines if line["amount"] < 0),
        credit_minor=max(-invoice["total"], 0),
    )


def _may_switch(subscription: Json) -> bool:
    is_ending = subscription.get("cancel_at_period_end") or subscription.get("cancel_at")
    is_halted = is_ending or subscription.get("pause_collection")
    return subscription["status"] in {"active", "trialing"} and not is_halted


def make_switch(membership: Membership, switch: Switch) -> None:
    """Switch at Stripe. Raises the errors of stripe_api; status 402 if the bank refused."""
    assert membership.subscription_id is not None
    settle_soon(membership)
    stripe_api.switch_price(
        membership.subscription_id, switch.item_id, switch.price.stripe_price_id, at=switch.at
    )
