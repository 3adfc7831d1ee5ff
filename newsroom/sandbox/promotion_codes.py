"""Promotion codes: what a customer types on the Checkout page to get a coupon."""

import secrets
import string

from newsroom.sandbox import clock, documents, events
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.models import StripeObject

_LETTERS = string.ascii_uppercase + string.digits


def create_promotion_code(params: Document) -> StripeObject:
    promotion = params["promotion"]
    if "coupon" not in promotion:
        raise ApiError(
            "Missing required param: promotion[coupon].",
            code="parameter_missing",
            param="promotion[coupon]",
        )
    documents.get("coupon", promotion["coupon"], param="promotion[coupon]", status=400)
    code = params.get("code") or "".join(secrets.choice(_LETTERS) for _ in range(8))
    if find_active(code) is not None:
        raise ApiError(
            f"An active promotion code with `code: {code}` already exists.", param="code"
        )
    restrictions = params.get("restrictions", {})
    if ("minimum_amount" in restrictions) != ("minimum_amount_currency" in restrictions):
        raise ApiError(
            "You must pass minimum_amount and minimum_amount_currency together.",
            param="restrictions[minimum_amount]",
        )
    row = documents.create(
        {
            "id": documents.make_id("promotion_code"),
            "object": "promotion_code",
            "active": params.get("active", True),
            "code": code,
            "created": clock.now(),
            "customer": None,
            "expires_at": params.get("expires_at"),
            "livemode": False,
            "max_redemptions": params.get("max_redemptions"),
            "metadata": documents.merge_metadata(None, params.get("metadata", {})),
            "promotion": {"coupon": promotion["coupon"], "type": "coupon"},
            "restrictions": {
                "first_time_transaction": restrictions.get("first_time_transaction", False),
                "minimum_amount": restrictions.get("minimum_amount"),
                "minimum_amount_currency": restrictions.get("minimum_amount_currency"),
            },
            "times_redeemed": 0,
        }
    )
    events.emit("promotion_code.created", row)
    return row


def find_active(code: str) -> StripeObject | None:
    """Return the usable promotion code with these letters, whatever their case."""
    rows = documents.select("promotion_code").filter(body__code__iexact=code.strip())
    return next((row for row in rows if is_usable(row)), None)


def is_usable(row: StripeObject) -> bool:
    """Return whether a code is active, hasn't expired and isn't used up."""
    body = row.body
    is_used_up = body["max_redemptions"] and body["times_redeemed"] >= body["max_redemptions"]
    is_over = body["expires_at"] is not None and body["expires_at"] <= clock.now()
    return bool(body["active"] and not is_used_up and not is_over)


def allows(row: StripeObject, *, amount_minor: int, currency: str, customer: str | None) -> bool:
    """Return whether the restrictions of a code allow a purchase of that amount."""
    restrictions = row.body["restrictions"]
    least = restrictions["minimum_amount"]
    if least is not None and (
        amount_minor < least or currency != restrictions["minimum_amount_currency"]
    ):
        return False
    if not restrictions["first_time_transaction"] or customer is None:
        return True
    charges = documents.select("charge", customer=customer)
    return not charges.filter(body__status="succeeded").exists()
