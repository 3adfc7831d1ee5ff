"""What is changed of a payment, a subscription or a customer."""

from collections.abc import Mapping
from typing import Any, cast

import stripe

from campaigns.stripe_api.connection import Json, client, plain, translated


@translated
def refund_payment(
    intent_id: str,
    *,
    amount_minor: int,
    reason: str = "requested_by_customer",
    metadata: Mapping[str, str] | None = None,
    idempotency_key: str,
) -> Json:
    """Give back that much of a payment; the same key gives it back once."""
    params = {
        "payment_intent": intent_id,
        "amount": amount_minor,
        "reason": reason,
        "metadata": dict(metadata or {}),
    }
    answer = client().v1.refunds.create(cast(Any, params), {"idempotency_key": idempotency_key})
    return plain(answer)


@translated
def move_next_charge(subscription_id: str, *, trial_end: int | None) -> Json:
    """Let a subscription charge nothing until that moment; None: charge from now on again."""
    params = {"trial_end": trial_end or "now", "proration_behavior": "none"}
    return plain(client().v1.subscriptions.update(subscription_id, cast(Any, params)))


@translated
def cancel_subscription_at_period_end(
    subscription_id: str, *, feedback: str = "", comment: str = ""
) -> Json:
    """Let it run out with what is paid; the reason, if one was given, stands at Stripe with it."""
    params: Json = {"cancel_at_period_end": True}
    reason = {"feedback": feedback, "comment": comment}
    if given := {name: text for name, text in reason.items() if text}:
        params["cancellation_details"] = given
    return plain(client().v1.subscriptions.update(subscription_id, cast(Any, params)))


@translated
def keep_subscription(subscription_id: str) -> Json:
    """Take its cancellation back, whichever way it was asked for."""
    known = plain(client().v1.subscriptions.retrieve(subscription_id))
    by_period = known.get("cancel_at_period_end") or not known.get("cancel_at")
    params = {"cancel_at_period_end": False} if by_period else {"cancel_at": ""}
    return plain(client().v1.subscriptions.update(subscription_id, cast(Any, params)))


@translated
def end_subscription(subscription_id: str) -> Json:
    """Over now, and nothing is given back; one that is over already stays as it is."""
    try:
        return plain(client().v1.subscriptions.cancel(subscription_id))
    except stripe.InvalidRequestError as error:
        if error.http_status != 404:
            raise
        return plain(client().v1.subscriptions.retrieve(subscription_id))


@translated
def forget_comment(subscription_id: str) -> Json:
    """Take out what its owner wrote when they cancelled it."""
    params = {"cancellation_details": {"comment": ""}}
    return plain(client().v1.subscriptions.update(subscription_id, cast(Any, params)))


@translated
def preview_switch(subscription_id: str, item_id: str, price_id: str, *, at: int) -> Json:
    """The invoice that `switch_price` would make at once, reckoned as of that second."""
    params = {
        "subscription": subscription_id,
        "subscription_details": {
            "items": [{"id": item_id, "price": price_id}],
            "proration_behavior": "always_invoice",
            "proration_date": at,
        },
    }
    return plain(client().v1.invoices.create_preview(cast(Any, params)))


@translated
def switch_price(subscription_id: str, item_id: str, price_id: str, *, at: int | None) -> Json:
    """Renew at another price from now on; the difference is charged or credited at once.

    If the bank says no, nothing is changed. Without a moment nothing is reckoned: while it is
    free, say.
    """
    params: Json = {
        "items": [{"id": item_id, "price": price_id}],
        "payment_behavior": "error_if_incomplete",
        "proration_behavior": "none",
    }
    if at is not None:
        params |= {"proration_behavior": "always_invoice", "proration_date": at}
    return plain(client().v1.subscriptions.update(subscription_id, cast(Any, params)))


@translated
def update_customer(customer_id: str, *, email: str, name: str) -> Json:
    """Let a customer have that address, and that name if there is one."""
    params = {"email": email, "name": name} if name else {"email": email}
    return plain(client().v1.customers.update(customer_id, cast(Any, params)))


@translated
def delete_customer(customer_id: str) -> Json:
    """For good, with name, address and cards; its payments stay. What it renews is cancelled."""
    return plain(client().v1.customers.delete(customer_id))
