"""Products and prices."""

from typing import Any

from newsroom.sandbox import clock, documents, events, limits
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.models import StripeObject


def create_product(params: Document) -> StripeObject:
    stripe_id = params.get("id") or documents.make_id("product")
    if documents.find(stripe_id) is not None:
        raise ApiError(f"Product already exists: {stripe_id}", code="resource_already_exists")
    now = clock.now()
    row = documents.create(
        {
            "id": stripe_id,
            "object": "product",
            "active": params.get("active", True),
            "created": now,
            "default_price": None,
            "description": params.get("description"),
            "images": params.get("images", []),
            "livemode": False,
            "marketing_features": params.get("marketing_features", []),
            "metadata": documents.merge_metadata(None, params.get("metadata", {})),
            "name": params["name"],
            "package_dimensions": None,
            "shippable": params.get("shippable"),
            "statement_descriptor": params.get("statement_descriptor"),
            "tax_code": params.get("tax_code"),
            "unit_label": params.get("unit_label"),
            "updated": now,
            "url": params.get("url"),
        }
    )
    events.emit("product.created", row)
    return row


def create_price(params: Document, *, active: bool = True) -> StripeObject:
    """Create a price. `params` names an existing product or describes a new one."""
    amount = params.get("unit_amount")
    if amount is None:
        raise ApiError(
            "The sandbox needs a unit_amount for each price.",
            code="parameter_missing",
            param="unit_amount",
        )
    limits.check_unit_amount(amount)
    lookup_key = params.get("lookup_key")
    if lookup_key:
        _release_lookup_key(lookup_key, transfer=params.get("transfer_lookup_key", False))
    recurring = params.get("recurring")
    row = documents.create(
        {
            "id": documents.make_id("price"),
            "object": "price",
            "active": params.get("active", active),
            "billing_scheme": "per_unit",
            "created": clock.now(),
            "currency": params["currency"].lower(),
            "custom_unit_amount": None,
            "livemode": False,
            "lookup_key": lookup_key,
            "metadata": documents.merge_metadata(None, params.get("metadata", {})),
            "nickname": params.get("nickname"),
            "product": _find_product(params),
            "recurring": _make_recurring(recurring) if recurring else None,
            "tax_behavior": params.get("tax_behavior", "unspecified"),
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "recurring" if recurring else "one_time",
            "unit_amount": amount,
            "unit_amount_decimal": str(amount),
        },
        notes={"currency_options": _read_currency_options(params.get("currency_options", {}))},
    )
    events.emit("price.created", row)
    return row


def _read_currency_options(options: Document) -> Document:
    return {currency.lower(): option["unit_amount"] for currency, option in options.items()}


def _find_product(params: Document) -> str:
    if "product" in params:
        return documents.get("product", params["product"], param="product", status=400).stripe_id
    if "product_data" in params:
        return create_product(params["product_data"]).stripe_id
    raise ApiError(
        "You must specify either `product` or `product_data` when creating a price.",
        code="parameter_missing",
        param="product",
    )


def _make_recurring(recurring: Document) -> Document:
    count = recurring.get("interval_count", 1)
    longest = {"day": 1095, "week": 156, "month": 36, "year": 3}[recurring["interval"]]
    if not 1 <= count <= longest:
        raise ApiError(
            f"This value must be between 1 and {longest}.", param="recurring[interval_count]"
        )
    return {
        "interval": recurring["interval"],
        "interval_count": count,
        "meter": None,
        "usage_type": "licensed",
    }


def _release_lookup_key(lookup_key: str, *, transfer: bool) -> None:
    for row in documents.select("price").filter(body__lookup_key=lookup_key):
        if not transfer:
            raise ApiError(
                f"A price (`{row.stripe_id}`) already uses that lookup key.",
                param="lookup_key",
            )
        row.body["lookup_key"] = None
        documents.save(row)


def update_product(row: StripeObject, params: Document) -> StripeObject:
    _apply_params(
        row, params, nullable=("description", "url", "unit_label", "statement_descriptor")
    )
    row.body["updated"] = clock.now()
    documents.save(row)
    events.emit("product.updated", row)
    return row


def update_price(row: StripeObject, params: Document) -> StripeObject:
    params = dict(params)
    transfer = params.pop("transfer_lookup_key", False)
    row.notes.setdefault("currency_options", {}).update(
        _read_currency_options(params.pop("currency_options", {}))
    )
    if params.get("lookup_key") and params["lookup_key"] != row.body["lookup_key"]:
        _release_lookup_key(params["lookup_key"], transfer=transfer)
    _apply_params(row, params, nullable=("nickname", "lookup_key"))
    documents.save(row)
    events.emit("price.updated", row)
    return row


def _apply_params(row: StripeObject, params: Document, *, nullable: tuple[str, ...]) -> None:
    for name, value in params.items():
        if name == "metadata":
            row.body["metadata"] = documents.merge_metadata(row.body["metadata"], value)
        else:
            row.body[name] = None if value == "" and name in nullable else value


def get_product_name(price: Document) -> str:
    """Return the name that line items and invoices show."""
    product: dict[str, Any] = documents.fetch(price["product"]).body
    return str(product["name"])
