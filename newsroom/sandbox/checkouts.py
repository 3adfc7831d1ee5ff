"""Checkout Sessions: created by the API, completed by a payment, or expired."""

import copy
from typing import Any

from newsroom.sandbox import (
    catalogue,
    clock,
    context,
    discounts,
    documents,
    events,
    limits,
    promotion_codes,
    taxes,
    trials,
)
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError, check_address
from newsroom.sandbox.models import StripeObject

HOURS_OPEN = 24
DEBIT_CURRENCIES = frozenset({"eur"})


def create_session(params: Document) -> StripeObject:
    """Create a session. Raise ApiError where Stripe does, for example for mixed currencies."""
    mode = params["mode"]
    for one, other in (("customer", "customer_email"), ("allow_promotion_codes", "discounts")):
        if params.get(one) and params.get(other):
            raise ApiError(f"You may only specify one of these parameters: {one}, {other}.")
    if len(params.get("discounts", [])) > 1:
        raise ApiError("You can only apply one discount.", param="discounts")
    check_address(params, "customer_email")
    lines = [
        make_line_item(item, path=f"line_items[{i}]")
        for i, item in enumerate(params.get("line_items", []))
    ]
    if not lines:
        raise ApiError(
            f"`line_items` are required in `{mode}` mode.",
            code="parameter_missing",
            param="line_items",
        )
    currencies = {line["currency"] for line in lines}
    if len(currencies) > 1 or (params.get("currency") or lines[0]["currency"]) not in currencies:
        raise ApiError("All line items must be in the same currency.", param="line_items")
    recurring = [line for line in lines if line["price"]["type"] == "recurring"]
    _check_mode(mode, params, recurring=bool(recurring))
    currency = lines[0]["currency"]
    trial_end = _find_trial_end(params.get("subscription_data", {}))
    due_now = [line for line in lines if not (trial_end and line["price"]["type"] == "recurring")]
    for line in lines:
        taxes.check_price(line["price"], params)
    wanted = [
        discounts.find_discount(each, currency=currency, path=f"discounts[{i}]")
        for i, each in enumerate(params.get("discounts", []))
    ]
    subtotal = sum(line["amount_subtotal"] for line in due_now)
    total = _discount_items(due_now, wanted)
    limits.check_session_total(total, currency)
    expires_at = _choose_expiry(params)
    customer = None
    if params.get("customer"):
        customer = documents.get("customer", params["customer"], param="customer", status=400)
    email = params.get("customer_email") or (customer.body["email"] if customer else None)
    stripe_id = documents.make_id("checkout.session")
    body = _make_body(stripe_id, params, currency=currency, total=subtotal, expires_at=expires_at)
    _set_total(body, total, wanted)
    body["customer"] = customer.stripe_id if customer else None
    body["customer_details"] = make_customer_details(email=email) if email else None
    notes = {
        "line_items": lines,
        "trial_end": trial_end,
        "intent": None,
        "payment_intent_data": params.get("payment_intent_data", {}),
        "subscription_data": params.get("subscription_data", {}),
    }
    return documents.create(body, notes=notes, due_at=expires_at)


def _discount_items(lines: list[Document], wanted: list[Document]) -> int:
    """Write the discount on the line items that are due now, and return their new total."""
    subtotals: list[int] = [line["amount_subtotal"] for line in lines]
    amounts = [0] * len(lines)
    for each in wanted:
        amounts = discounts.split_discount(subtotals, documents.fetch(each["coupon"]).body)
    for line, amount in zip(lines, amounts, strict=True):
        line.update(amount_discount=amount, amount_total=line["amount_subtotal"] - amount)
    return sum(subtotals) - sum(amounts)


def _set_total(body: Document, total: int, wanted: list[Document]) -> None:
    body.update(amount_total=total, discounts=wanted)
    body["total_details"]["amount_discount"] = body["amount_subtotal"] - total


def apply_promotion_code(row: StripeObject, code: str) -> None:
    """Discount an open session as a customer does who types a code on its page."""
    body = row.body
    if not body["allow_promotion_codes"]:
        raise ApiError("This Checkout Session accepts no promotion codes.", param="promotion_code")
    found = promotion_codes.find_active(code)
    subtotal, currency = body["amount_subtotal"], body["currency"]
    if found is None or not promotion_codes.allows(
        found, amount_minor=subtotal, currency=currency, customer=body["customer"]
    ):
        raise ApiError("This code is invalid.", param="promotion_code")
    path = "promotion_code"
    wanted = discounts.find_discount({path: found.stripe_id}, currency=currency, path=path)
    trial_end = row.notes["trial_end"]
    due_now = [
        line
        for line in row.notes["line_items"]
        if not (trial_end and line["price"]["type"] == "recurring")
    ]
    total = _discount_items(due_now, [wanted])
    limits.check_session_total(total, currency)
    _set_total(body, total, [wanted])
    documents.save(row)


def change_currency(row: StripeObject, currency: str) -> None:
    """Switch an open session to another currency of its prices, as Checkout does abroad.

    The payment is then made in that currency, whatever the session was created in.
    https://docs.stripe.com/payments/checkout/localize-prices/manual-currency-prices
    """
    if currency == row.body["currency"]:
        return
    if row.body["mode"] != "payment":
        raise ApiError(
            "The sandbox can change the currency only in payment mode.", param="currency"
        )
    for line in row.notes["line_items"]:
        options = documents.fetch(line["price"]["id"]).notes.get("currency_options", {})
        if currency not in options:
            raise ApiError(
                f"The price specified does not support the currency {currency}.", param="currency"
            )
        amount = options[currency] * line["quantity"]
        line.update(currency=currency, amount_subtotal=amount, amount_total=amount)
    total = sum(line["amount_total"] for line in row.notes["line_items"])
    limits.check_session_total(total, currency)
    row.body.update(currency=currency, amount_subtotal=total, amount_total=total)
    documents.save(row)


def _check_mode(mode: str, params: Document, *, recurring: bool) -> None:
    if mode == "subscription" and not recurring:
        raise ApiError(
            "You must provide at least one recurring price in `subscription` mode when using "
            "prices.",
            param="line_items",
        )
    if mode == "payment" and recurring:
        raise ApiError(
            "You specified `payment` mode but passed a recurring price. Either switch to "
            "`subscription` mode or use only one-time prices.",
            param="line_items",
        )
    other = {"payment": "subscription_data", "subscription": "payment_intent_data"}[mode]
    if other in params:
        raise ApiError(f"You can not pass `{other}` in `{mode}` mode.", param=other)
    if mode == "subscription" and "customer_creation" in params:
        raise ApiError(
            "`customer_creation` can only be used in `payment` mode.", param="customer_creation"
        )


def _find_trial_end(data: Document) -> int | None:
    if "trial_end" in data and "trial_period_days" in data:
        raise ApiError(
            "You can not pass both trial_end and trial_period_days.",
            param="subscription_data[trial_period_days]",
        )
    if "trial_period_days" in data:
        trial_end = clock.now() + int(data["trial_period_days"]) * trials.DAY
        trials.check_trial_end(trial_end, param="subscription_data[trial_period_days]")
        return trial_end
    if "trial_end" not in data:
        return None
    trial_end = int(data["trial_end"])
    if trial_end < clock.now() + 2 * trials.DAY:
        raise ApiError(
            "The `trial_end` date has to be at least 2 days in the future.",
            param="subscription_data[trial_end]",
        )
    trials.check_trial_end(trial_end, param="subscription_data[trial_end]")
    return trial_end


def _choose_expiry(params: Document) -> int:
    now = clock.now()
    expires_at: int = params.get("expires_at", now + HOURS_OPEN * 3600)
    if "expires_at" in params and not now + 1800 <= expires_at <= now + HOURS_OPEN * 3600:
        raise ApiError(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.",
            param="expires_at",
        )
    return expires_at


def make_line_item(params: Document, *, path: str) -> Document:
    quantity = params.get("quantity", 1)
    if quantity < 1:
        raise ApiError("This value must be greater than or equal to 1.", param=f"{path}[quantity]")
    if ("price" in params) == ("price_data" in params):
        raise ApiError(
            "You must specify either `price` or `price_data`.",
            code="parameter_missing",
            param=f"{path}[price]",
        )
    if "price" in params:
        price = documents.get("price", params["price"], param=f"{path}[price]", status=400)
        if not price.body["active"]:
            raise ApiError("The price specified is inactive.", param=f"{path}[price]")
    else:
        price = catalogue.create_price(params["price_data"], active=False)
    amount = price.body["unit_amount"] * quantity
    return {
        "id": documents.make_id("item"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price.body["currency"],
        "description": catalogue.get_product_name(price.body),
        "metadata": documents.merge_metadata(None, params.get("metadata", {})),
        "price": copy.deepcopy(price.body),
        "quantity": quantity,
    }


def make_customer_details(
    *, email: str | None, name: str | None = None, country: str | None = None
) -> Document:
    address: dict[str, Any] | None = None
    if country:
        address = dict.fromkeys(("city", "line1", "line2", "postal_code", "state"))
        address["country"] = country
    return {
        "address": address,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def _choose_method_types(params: Document, currency: str) -> list[str]:
    """Return the methods that Stripe would choose: cards, and SEPA debit for euros."""
    types = ["card", *(["sepa_debit"] if currency in DEBIT_CURRENCIES else [])]
    allowed = params.get("allowed_payment_method_types")
    excluded = params.get("excluded_payment_method_types", [])
    chosen = [name for name in types if name not in excluded and (not allowed or name in allowed)]
    if not chosen:
        raise ApiError(
            "No valid payment method types for this Checkout Session.",
            param="allowed_payment_method_types",
        )
    return chosen


def _make_body(
    stripe_id: str, params: Document, *, currency: str, total: int, expires_at: int
) -> Document:
    mode = params["mode"]
    url = f"{context.address.base_url}/c/pay/{stripe_id}"
    body: Document = {
        "id": stripe_id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": taxes.describe_session(params),
        "billing_address_collection": params.get("billing_address_collection"),
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": clock.now(),
        "currency": currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            name: params.get("custom_text", {}).get(name)
            for name in (
                "after_submit",
                "shipping_address",
                "submit",
                "terms_of_service_acceptance",
            )
        },
        "customer_creation": params.get("customer_creation", "if_required")
        if mode == "payment"
        else "always",
        "customer_email": params.get("customer_email"),
        "discounts": [],
        "expires_at": expires_at,
        "invoice": None,
        "invoice_creation": {
            "enabled": False,
            "invoice_data": {
                "account_tax_ids": None,
                "custom_fields": None,
                "description": None,
                "footer": None,
                "issuer": None,
                "metadata": {},
                "rendering_options": None,
            },
        }
        if mode == "payment"
        else None,
        "livemode": False,
        "locale": params.get("locale"),
        "metadata": documents.merge_metadata(None, params.get("metadata", {})),
        "mode": mode,
        "name_collection": {},
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": params.get(
            "payment_method_collection", "if_required" if mode == "payment" else "always"
        ),
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": _choose_method_types(params, currency),
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": params.get("submit_type"),
        "subscription": None,
        "success_url": params["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": url,
        "wallet_options": None,
    }
    if mode == "subscription" or body["customer_creation"] is None:
        body.pop("name_collection")
    return body


def expire_session(row: StripeObject) -> None:
    if row.body["status"] != "open":
        raise ApiError(
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Session has a status of {row.body['status']}."
        )
    row.body.update(status="expired", url=None)
    row.due_at = None
    documents.save(row)
    events.emit("checkout.session.expired", row)


def make_success_url(row: StripeObject) -> str:
    url: str = row.body["success_url"] or ""
    return url.replace("{CHECKOUT_SESSION_ID}", row.stripe_id)
