"""Changes of subscriptions at Stripe, their invoices and cards."""

from contextlib import suppress
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

import stripe

from campaigns import stripe_api
from campaigns.models import Membership, Price
from newsroom.sandbox.control import SandboxControl, SandboxError

GOOD, DECLINED_LATER = "4242424242424242", "4000000000000341"
# Changes that are one call of Stripe's API. The others take more than that.
SIMPLE_CHANGES: dict[str, Any] = {
    "cancel at period end": {"cancel_at_period_end": True},
    "keep": {"cancel_at_period_end": False},
    "pause": {"pause_collection": {"behavior": "void"}},
    "resume": {"pause_collection": ""},
}
CHANGES = (
    *SIMPLE_CHANGES,
    "switch",
    "cancel now",
    "fail to renew",
    "replace the card",
    "end in three months",
)


def change_at_stripe(membership: Membership, **changes: Any) -> None:
    """Change the subscription in Stripe's dashboard, without settling it."""
    subscriptions = stripe_api.client().v1.subscriptions
    subscriptions.update(str(membership.subscription_id), changes)  # type: ignore[arg-type]


def list_invoices_of(membership: Membership) -> list[stripe_api.Invoice]:
    """Return the subscription's invoices, newest first."""
    return stripe_api.list_invoices(str(membership.subscription_id))


def pay_newest_invoice(membership: Membership) -> None:
    stripe_api.client().v1.invoices.pay(list_invoices_of(membership)[0].id)


def replace_card(membership: Membership, card: str = GOOD) -> None:
    """Replace the card on Stripe's portal page."""
    assert membership.checkout is not None
    replace_card_of(membership.checkout.customer_id, card)


def replace_card_of(customer_id: str, card: str = GOOD) -> None:
    url = stripe_api.create_portal_session(
        customer_id, return_url="http://127.0.0.1:9/", language="auto"
    )
    parts = urlsplit(f"{url}/card")
    typed = {"method": "card", "number": card, "expiry": "04 / 31", "cvc": "123", "name": "Ada"}
    connection = HTTPConnection(parts.hostname or "", parts.port)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", parts.path, urlencode(typed), headers)
    assert connection.getresponse().status == 303
    connection.close()


def change_subscription(sandbox: SandboxControl, subscription_id: str, change: str) -> None:
    """Make one of `CHANGES`. Does nothing to a subscription that has ended."""
    v1, simple = stripe_api.client().v1, SIMPLE_CHANGES.get(change)
    subscription = stripe_api.fetch_subscription(subscription_id)
    if subscription.status == "canceled":
        return
    with suppress(SandboxError, stripe.CardError):
        if change == "cancel now":
            v1.subscriptions.cancel(subscription_id)
        elif change == "fail to renew":
            sandbox.renew(subscription_id, outcome="failed")
        elif change == "replace the card":
            replace_card_of(subscription.customer_id)
            newest = stripe_api.list_invoices(subscription_id)[0]
            if newest.status == "open" and subscription.status in {"past_due", "unpaid"}:
                v1.invoices.pay(newest.id)
        elif change == "end in three months":
            v1.subscriptions.update(subscription_id, {"cancel_at": sandbox.now() + 90 * 86400})
        else:
            v1.subscriptions.update(subscription_id, simple or _switch(subscription))


def _switch(subscription: stripe_api.Subscription) -> Any:
    """Switch from month to year or back; the difference is charged or credited at once."""
    [item] = subscription.items
    is_monthly = Price.objects.filter(stripe_price_id=item.price_id, kind="month").exists()
    other = "year" if is_monthly else "month"
    price = Price.objects.get(kind=other, currency=subscription.currency)
    items = [{"id": item.id, "price": price.stripe_price_id}]
    return {"items": items, "proration_behavior": "always_invoice"}
