"""Changes that we ask of Stripe: to a payment, a subscription or a customer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import stripe

from campaigns.stripe_api.connection import Json, client, plain, translated
from campaigns.stripe_api.invoices import Invoice, read_invoice
from campaigns.stripe_api.snapshots import Refund, read_refund


@translated
def refund_payment(
    intent_id: str,
    *,
    amount_minor: int,
    reason: str = "requested_by_customer",
    metadata: Mapping[str, str] | None = None,
    idempotency_key: str,
) -> Refund:
    """Refund that amount of a payment; a repeated key refunds it once."""
    params = {
        "payment_intent": intent_id,
        "amount": amount_minor,
        "reason": reason,
        "metadata": dict(metadata or {}),
    }
    answer = client().v1.refunds.create(cast(Any, params), {"idempotency_key": idempotency_key})
    return read_refund(plain(answer))


@translated
def move_next_charge(subscription_id: str, *, charge_at: datetime | None) -> None:
    """Move a subscription's next charge to that time; None charges now."""
    trial_end = int(charge_at.timestamp()) if charge_at else "now"
    params = {"trial_end": trial_end, "proration_behavior": "none"}
    client().v1.subscriptions.update(subscription_id, cast(Any, params))


@translated
def cancel_subscription_at_period_end(
    subscription_id: str, *, feedback: str = "", comment: str = ""
) -> None:
    """Cancel a subscription at the end of the paid period; Stripe keeps the reason, if any."""
    params: Json = {"cancel_at_period_end": True}
    reason = {"feedback": feedback, "comment": comment}
    if given := {name: text for name, text in reason.items() if text}:
        params["cancellation_details"] = given
    client().v1.subscriptions.update(subscription_id, cast(Any, params))


@translated
def undo_cancellation(subscription_id: str) -> None:
    """Let a subscription renew again, whether it was to end with its period or at a date."""
    known = plain(client().v1.subscriptions.retrieve(subscription_id))
    by_period = known.get("cancel_at_period_end") or not known.get("cancel_at")
    params = {"cancel_at_period_end": False} if by_period else {"cancel_at": ""}
    client().v1.subscriptions.update(subscription_id, cast(Any, params))


@translated
def end_subscription(subscription_id: str) -> None:
    """End a subscription now, without a refund; one that has ended already stays as it is."""
    try:
        client().v1.subscriptions.cancel(subscription_id)
    except stripe.InvalidRequestError as error:
        if error.http_status != 404:
            raise
        client().v1.subscriptions.retrieve(subscription_id)  # raises if it never existed


@translated
def delete_cancellation_comment(subscription_id: str) -> None:
    """Delete the comment that a person wrote when they cancelled."""
    params = {"cancellation_details": {"comment": ""}}
    client().v1.subscriptions.update(subscription_id, cast(Any, params))


@translated
def preview_switch(subscription_id: str, item_id: str, price_id: str, *, at: int) -> Invoice:
    """Return the invoice that `switch_price` would make, prorated as of epoch second `at`."""
    params = {
        "subscription": subscription_id,
        "subscription_details": {
            "items": [{"id": item_id, "price": price_id}],
            "proration_behavior": "always_invoice",
            "proration_date": at,
        },
    }
    return read_invoice(plain(client().v1.invoices.create_preview(cast(Any, params))))


@translated
def switch_price(subscription_id: str, item_id: str, price_id: str, *, at: int | None) -> None:
    """Renew a subscription at another price, and charge or credit the difference at once.

    The difference is prorated as of epoch second `at`; None prorates nothing, for example while
    the subscription is free. If the bank declines, nothing changes.
    """
    params: Json = {
        "items": [{"id": item_id, "price": price_id}],
        "payment_behavior": "error_if_incomplete",
        "proration_behavior": "none",
    }
    if at is not None:
        params |= {"proration_behavior": "always_invoice", "proration_date": at}
    client().v1.subscriptions.update(subscription_id, cast(Any, params))


@translated
def change_amount(subscription_id: str, item_id: str, price_data: Mapping[str, Any]) -> None:
    """Renew a subscription at a price made of these parameters, from the next period on.

    Nothing is charged or credited for the current period.
    """
    params = {
        "items": [{"id": item_id, "price_data": dict(price_data)}],
        "proration_behavior": "none",
    }
    client().v1.subscriptions.update(subscription_id, cast(Any, params))


@translated
def update_customer(customer_id: str, *, email: str, name: str) -> None:
    """Set a customer's e-mail address, and their name unless it is empty."""
    params = {"email": email, "name": name} if name else {"email": email}
    client().v1.customers.update(customer_id, cast(Any, params))


@translated
def delete_customer(customer_id: str) -> None:
    """Delete a customer with name, address and cards. Payments stay, subscriptions end."""
    client().v1.customers.delete(customer_id)
