"""/v1/products and /v1/prices"""

from newsroom.sandbox import catalogue, documents, events
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.parameters import BOOL, INT, LIST_PARAMS, META, STR, UNSET

from .routing import endpoint

PRODUCT_DATA = {
    "active": BOOL,
    "description": STR,
    "images": [STR],
    "metadata": META,
    "name*": STR,
    "statement_descriptor": STR,
    "tax_code": STR,
    "unit_label": STR,
}
TAX_BEHAVIORS = {"exclusive", "inclusive", "unspecified"}
RECURRING = {
    "interval*": {"day", "week", "month", "year"},
    "interval_count": INT,
    "usage_type": {"licensed"},
}
# Stripe accepts any currency.
OPTIONS = {
    currency: {"unit_amount*": INT}
    for currency in ("chf", "eur", "gbp", "jpy", "kwd", "pln", "uah", "usd")
}
_PRODUCT_FIELDS = {
    "active": BOOL,
    "description": UNSET,
    "images": [STR],
    "marketing_features": [{"name*": STR}],
    "metadata": META,
    "shippable": BOOL,
    "statement_descriptor": UNSET,
    "tax_code": UNSET,
    "unit_label": UNSET,
    "url": UNSET,
}


@endpoint("POST", "/v1/products", {**_PRODUCT_FIELDS, "id": STR, "name*": STR})
def create_product(params: Document) -> Document:
    return catalogue.create_product(params).body


@endpoint("GET", "/v1/products", {**LIST_PARAMS, "active": BOOL, "ids": [STR], "url": STR})
def list_products(params: Document) -> Document:
    rows = documents.select("product")
    if "active" in params:
        rows = rows.filter(body__active=params["active"])
    if "ids" in params:
        rows = rows.filter(stripe_id__in=params["ids"])
    if "url" in params:
        rows = rows.filter(body__url=params["url"])
    return documents.make_page(rows, params, url="/v1/products")


@endpoint("GET", "/v1/products/{product}")
def retrieve_product(params: Document, *, product: str) -> Document:
    return documents.get("product", product).body


@endpoint("POST", "/v1/products/{product}", {**_PRODUCT_FIELDS, "name": STR, "default_price": STR})
def update_product(params: Document, *, product: str) -> Document:
    row = documents.get("product", product)
    if "default_price" in params:
        documents.get("price", params["default_price"], param="default_price", status=400)
    return catalogue.update_product(row, params).body


@endpoint("DELETE", "/v1/products/{product}")
def delete_product(params: Document, *, product: str) -> Document:
    row = documents.get("product", product)
    if documents.select("price").filter(body__product=product).exists():
        raise ApiError(
            "This product cannot be deleted because it has one or more user-created prices."
        )
    events.emit("product.deleted", row)
    row.delete()
    return {"id": product, "object": "product", "deleted": True}


@endpoint(
    "POST",
    "/v1/prices",
    {
        "active": BOOL,
        "billing_scheme": {"per_unit"},
        "currency*": STR,
        "currency_options": OPTIONS,
        "lookup_key": STR,
        "metadata": META,
        "nickname": STR,
        "product": STR,
        "product_data": {**PRODUCT_DATA, "id": STR},
        "recurring": RECURRING,
        "tax_behavior": TAX_BEHAVIORS,
        "transfer_lookup_key": BOOL,
        "unit_amount": INT,
    },
)
def create_price(params: Document) -> Document:
    return catalogue.create_price(params).body


@endpoint(
    "GET",
    "/v1/prices",
    {
        **LIST_PARAMS,
        "active": BOOL,
        "currency": STR,
        "lookup_keys": [STR],
        "product": STR,
        "recurring": {"interval": STR, "usage_type": STR},
        "type": {"one_time", "recurring"},
    },
)
def list_prices(params: Document) -> Document:
    rows = documents.select("price")
    for name in ("active", "currency", "product", "type"):
        if name in params:
            rows = rows.filter(**{f"body__{name}": params[name]})
    if "lookup_keys" in params:
        rows = rows.filter(body__lookup_key__in=params["lookup_keys"])
    for name, value in params.get("recurring", {}).items():
        rows = rows.filter(**{f"body__recurring__{name}": value})
    return documents.make_page(rows, params, url="/v1/prices")


@endpoint("GET", "/v1/prices/{price}")
def retrieve_price(params: Document, *, price: str) -> Document:
    return documents.get("price", price).body


@endpoint(
    "POST",
    "/v1/prices/{price}",
    {
        "active": BOOL,
        "currency_options": OPTIONS,
        "lookup_key": UNSET,
        "metadata": META,
        "nickname": UNSET,
        "tax_behavior": TAX_BEHAVIORS,
        "transfer_lookup_key": BOOL,
    },
)
def update_price(params: Document, *, price: str) -> Document:
    return catalogue.update_price(documents.get("price", price), params).body
