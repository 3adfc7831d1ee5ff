"""Coupons, and the discounts that they give on a subscription's invoices."""

from newsroom.sandbox import clock, documents, events
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.models import StripeObject
from newsroom.sandbox.periods import add_intervals


def create_coupon(params: Document) -> StripeObject:
    if ("percent_off" in params) == ("amount_off" in params):
        raise ApiError("You must pass either percent_off or amount_off.", param="percent_off")
    if "amount_off" in params and "currency" not in params:
        raise ApiError("You must pass currency when passing amount_off.", param="currency")
    percent = params.get("percent_off")
    if percent is not None and not 0 < percent <= 100:
        raise ApiError("Invalid decimal; must be above 0 and at most 100.", param="percent_off")
    duration = params.get("duration", "once")
    if (duration == "repeating") != ("duration_in_months" in params):
        raise ApiError(
            "Pass duration_in_months if, and only if, the duration is repeating.",
            param="duration_in_months",
        )
    stripe_id = params.get("id") or documents.make_id("coupon")
    if documents.find(stripe_id) is not None:
        raise ApiError("Coupon already exists.", code="resource_already_exists")
    row = documents.create(
        {
            "id": stripe_id,
            "object": "coupon",
            "amount_off": params.get("amount_off"),
            "created": clock.now(),
            "currency": params.get("currency"),
            "duration": duration,
            "duration_in_months": params.get("duration_in_months"),
            "livemode": False,
            "max_redemptions": None,
            "metadata": documents.merge_metadata(None, params.get("metadata", {})),
            "name": params.get("name"),
            "percent_off": percent,
            "redeem_by": None,
            "times_redeemed": 0,
            "valid": True,
        }
    )
    events.emit("coupon.created", row)
    return row


def set_discounts(subscription: StripeObject, wanted: list[Document]) -> None:
    """Replace the discounts of a subscription. The caller saves it."""
    subscription.body["discounts"] = [
        _create_discount(subscription, each["coupon"], path=f"discounts[{i}][coupon]")
        for i, each in enumerate(wanted)
    ]


def _create_discount(subscription: StripeObject, coupon_id: str, *, path: str) -> str:
    coupon = documents.get("coupon", coupon_id, param=path, status=400)
    if coupon.body["currency"] not in (None, subscription.body["currency"]):
        raise ApiError("The coupon has another currency than the subscription.", param=path)
    coupon.body["times_redeemed"] += 1
    documents.save(coupon)
    now, months = clock.now(), coupon.body["duration_in_months"]
    monthly = {"interval": "month", "interval_count": 1}
    row = documents.create(
        {
            "id": documents.make_id("discount"),
            "object": "discount",
            "checkout_session": None,
            "customer": subscription.body["customer"],
            "end": add_intervals(now, monthly, months) if months else None,
            "invoice": None,
            "invoice_item": None,
            "promotion_code": None,
            "source": {"coupon": coupon_id, "type": "coupon"},
            "start": now,
            "subscription": subscription.stripe_id,
            "subscription_item": None,
        }
    )
    return row.stripe_id


def apply_discounts(lines: list[Document], subscription: StripeObject) -> list[Document]:
    """Write the discounts on the lines, and return the sum of each.

    A discount that is over or was for one invoice only leaves the subscription, which the caller
    saves.
    """
    sums, kept = [], []
    for stripe_id in subscription.body["discounts"]:
        discount = documents.fetch(stripe_id).body
        if discount["end"] is not None and discount["end"] <= clock.now():
            continue
        coupon = documents.fetch(discount["source"]["coupon"]).body
        amount = _discount_lines(lines, stripe_id, coupon)
        if amount:
            sums.append({"amount": amount, "discount": stripe_id})
        if not amount or coupon["duration"] != "once":
            kept.append(stripe_id)
    subscription.body["discounts"] = kept
    return sums


def _discount_lines(lines: list[Document], stripe_id: str, coupon: Document) -> int:
    """Discount each line, round half up; return the sum in minor units."""
    left, total = coupon["amount_off"], 0
    for line in lines:
        before = line["amount"] - sum(each["amount"] for each in line["discount_amounts"])
        if not line["discountable"] or before <= 0:
            continue
        if left is None:
            amount = int(before * coupon["percent_off"] / 100 + 0.5)
        else:
            amount = min(left, before)
            left -= amount
        if amount:
            line["discount_amounts"].append({"amount": amount, "discount": stripe_id})
            line["discounts"].append(stripe_id)
            total += amount
    return total
