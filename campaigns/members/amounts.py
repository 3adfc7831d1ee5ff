"""The amount that members pay at an open price: what it is, and from when a new one applies."""

from campaigns import catalogue, stripe_api
from campaigns.members.subscriptions import settle_soon
from campaigns.members.switches import SwitchClosed, may_switch
from campaigns.models import Membership


def can_change_amount(membership: Membership) -> bool:
    """Return whether a renewing membership has an open price that is still at Stripe."""
    price = membership.price_now
    return price is not None and price.is_open and bool(price.plan.stripe_product_id)


def change_amount(membership: Membership, *, amount_minor: int) -> None:
    """Charge another amount from the next payment on; nothing is charged or credited now.

    Raises SwitchClosed if the subscription was cancelled, paused or switched at Stripe meanwhile,
    and the errors of stripe_api.
    """
    assert membership.subscription_id is not None
    price = membership.price_now
    assert price is not None, "only a membership with a price is changed"
    subscription = stripe_api.fetch_subscription(membership.subscription_id)
    items = subscription.items
    if not may_switch(subscription) or len(items) != 1:
        raise SwitchClosed
    item = items[0]
    if (subscription.currency, item.interval) != (price.currency, price.kind):
        raise SwitchClosed
    settle_soon(membership)
    if item.amount_minor != amount_minor:
        stripe_api.change_amount(
            membership.subscription_id,
            item.id,
            catalogue.describe_price(price, amount_minor),
        )
