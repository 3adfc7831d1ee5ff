"""Coupons, and the discounts that they give on sessions and on a subscription's invoices."""

from newsroom.sandbox import clock, documents, events, promotion_codes
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
            "max_redemptions": params.get("max_redemptions"),
            "metadata": documents.merge_metadata(None, params.get("metadata", {})),
            "name": params.get("name"),
            "percent_off": percent,
            "redeem_by": params.get("redeem_by"),
            "times_redeemed": 0,
            "valid": True,
        }
    )
    events.emit("coupon.created", row)
    return row


def find_discount(wanted: Document, *, currency: str, path: str) -> Document:
    """Return the ids of the coupon and of the promotion code that a request names.

    Raise ApiError if there is no such coupon, or it can't be used any more or in this currency.
    """
    if ("coupon" in wanted) == ("promotion_code" in wanted):
        raise ApiError("You must pass either coupon or promotion_code.", param=path)
    promotion_code = None
    if "promotion_code" in wanted:
        promotion_code = wanted["promotion_code"]
        path = f"{path}[promotion_code]"
        row = documents.get("promotion_code", promotion_code, param=path, status=400)
        if not promotion_codes.is_usable(row):
            raise ApiError("This promotion code is not active.", param=path)
        coupon_id = row.body["promotion"]["coupon"]
    else:
        coupon_id, path = wanted["coupon"], f"{path}[coupon]"
    coupon = documents.get("coupon", coupon_id, param=path, status=400)
    if not is_valid(coupon):
        raise ApiError(f"Coupon expired: {coupon_id}", code="coupon_expired", param=path)
    if coupon.body["currency"] not in (None, currency):
        raise ApiError("The coupon has another currency than the purchase.", param=path)
    return {"coupon": coupon_id, "promotion_code": promotion_code}


def is_valid(coupon: StripeObject) -> bool:
    """Return whether a coupon can still be redeemed."""
    body = coupon.body
    is_used_up = body["max_redemptions"] and body["times_redeemed"] >= body["max_redemptions"]
    return not is_used_up and (body["redeem_by"] is None or body["redeem_by"] > clock.now())


def redeem(discount: Document) -> None:
    """Count the use of a coupon, and of its promotion code if it had one."""
    for stripe_id in filter(None, (discount["coupon"], discount["promotion_code"])):
        row = documents.fetch(stripe_id)
        row.body["times_redeemed"] += 1
        if row.object == "coupon":
            row.body["valid"] = is_valid(row)
        documents.save(row)


def set_discounts(subscription: StripeObject, wanted: list[Document]) -> None:
    """Replace the discounts of a subscription. The caller saves it."""
    currency = subscription.body["currency"]
    subscription.body["discounts"] = [
        start_discount(subscription, find_discount(each, currency=currency, path=f"discounts[{i}]"))
        for i, each in enumerate(wanted)
    ]


def start_discount(
    subscription: StripeObject, discount: Document, *, session: str | None = None
) -> str:
    """Redeem a coupon for a subscription and return the id of the discount."""
    redeem(discount)
    coupon = documents.fetch(discount["coupon"])
    now, months = clock.now(), coupon.body["duration_in_months"]
    monthly = {"interval": "month", "interval_count": 1}
    row = documents.create(
        {
            "id": documents.make_id("discount"),
            "object": "discount",
            "checkout_session": session,
            "customer": subscription.body["customer"],
            "end": add_intervals(now, monthly, months) if months else None,
            "invoice": None,
            "invoice_item": None,
            "promotion_code": discount["promotion_code"],
            "source": {"coupon": discount["coupon"], "type": "coupon"},
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
    """Discount each line; return the sum in minor units."""
    left = [
        line["amount"] - sum(each["amount"] for each in line["discount_amounts"])
        if line["discountable"]
        else 0
        for line in lines
    ]
    amounts = split_discount(left, coupon)
    for line, amount in zip(lines, amounts, strict=True):
        if amount:
            line["discount_amounts"].append({"amount": amount, "discount": stripe_id})
            line["discounts"].append(stripe_id)
    return sum(amounts)


def split_discount(amounts: list[int], coupon: Document) -> list[int]:
    """Return the discount on each amount, rounded half up, in minor units."""
    left, found = coupon["amount_off"], []
    for amount in amounts:
        if left is None:
            found.append(int(max(amount, 0) * coupon["percent_off"] / 100 + 0.5))
        else:
            found.append(min(left, max(amount, 0)))
            left -= found[-1]
    return found
