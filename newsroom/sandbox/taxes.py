"""Automatic tax of an account without tax registrations: it is switched on, and no tax is due.

https://docs.stripe.com/tax/checkout
"""

from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError


def is_on(params: Document) -> bool:
    """Return whether a request asks for automatic tax."""
    return bool(params.get("automatic_tax", {}).get("enabled"))


def check_price(price: Document, params: Document) -> None:
    """Raise ApiError if a price doesn't say whether it includes the tax, and tax is on."""
    if is_on(params) and price["tax_behavior"] == "unspecified":
        raise ApiError(
            f"The price {price['id']} has no `tax_behavior`, which automatic tax needs: inclusive "
            "or exclusive.",
            param="line_items",
        )


def describe_session(params: Document) -> Document:
    """Return `automatic_tax` of a new session: the customer's address is still to come."""
    if not is_on(params):
        return {"enabled": False, "liability": None, "provider": None, "status": None}
    return {
        "enabled": True,
        "liability": {"type": "self"},
        "provider": "stripe",
        "status": "requires_location_inputs",
    }


def complete_session(body: Document) -> None:
    """Set the status that a session has once the customer's address is known."""
    if body["automatic_tax"]["enabled"]:
        body["automatic_tax"]["status"] = "complete"


def switch_on(subscription: Document) -> None:
    """Let the invoices of a subscription have automatic tax."""
    subscription["automatic_tax"] = {
        "disabled_reason": None,
        "enabled": True,
        "liability": {"type": "self"},
    }


def describe_invoice(subscription: Document | None) -> Document:
    """Return `automatic_tax` of an invoice."""
    enabled = subscription is not None and subscription["automatic_tax"]["enabled"]
    return {
        "disabled_reason": None,
        "enabled": enabled,
        "liability": {"type": "self"} if enabled else None,
        "provider": "stripe" if enabled else None,
        "status": "complete" if enabled else None,
    }
