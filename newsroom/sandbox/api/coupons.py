"""/v1/coupons and /v1/promotion_codes"""

from newsroom.sandbox import discounts, documents, promotion_codes
from newsroom.sandbox.documents import Document
from newsroom.sandbox.parameters import BOOL, DECIMAL, INT, LIST_PARAMS, META, STR

from .routing import endpoint


@endpoint(
    "POST",
    "/v1/coupons",
    {
        "amount_off": INT,
        "currency": STR,
        "duration": {"forever", "once", "repeating"},
        "duration_in_months": INT,
        "id": STR,
        "max_redemptions": INT,
        "metadata": META,
        "name": STR,
        "percent_off": DECIMAL,
        "redeem_by": INT,
    },
)
def create_coupon(params: Document) -> Document:
    return discounts.create_coupon(params).body


@endpoint("GET", "/v1/coupons", LIST_PARAMS)
def list_coupons(params: Document) -> Document:
    return documents.make_page(documents.select("coupon"), params, url="/v1/coupons")


@endpoint("GET", "/v1/coupons/{coupon}")
def retrieve_coupon(params: Document, *, coupon: str) -> Document:
    return documents.get("coupon", coupon).body


@endpoint(
    "POST",
    "/v1/promotion_codes",
    {
        "active": BOOL,
        "code": STR,
        "expires_at": INT,
        "max_redemptions": INT,
        "metadata": META,
        "promotion*": {"coupon": STR, "type*": {"coupon"}},
        "restrictions": {
            "first_time_transaction": BOOL,
            "minimum_amount": INT,
            "minimum_amount_currency": STR,
        },
    },
)
def create_promotion_code(params: Document) -> Document:
    return promotion_codes.create_promotion_code(params).body


@endpoint("GET", "/v1/promotion_codes", {**LIST_PARAMS, "active": BOOL, "code": STR, "coupon": STR})
def list_promotion_codes(params: Document) -> Document:
    rows = documents.select("promotion_code")
    if "active" in params:
        rows = rows.filter(body__active=params["active"])
    if "code" in params:
        rows = rows.filter(body__code__iexact=params["code"])
    if "coupon" in params:
        rows = rows.filter(body__promotion__coupon=params["coupon"])
    return documents.make_page(rows, params, url="/v1/promotion_codes")


@endpoint("GET", "/v1/promotion_codes/{promotion_code}")
def retrieve_promotion_code(params: Document, *, promotion_code: str) -> Document:
    return documents.get("promotion_code", promotion_code).body


@endpoint("POST", "/v1/promotion_codes/{promotion_code}", {"active": BOOL, "metadata": META})
def update_promotion_code(params: Document, *, promotion_code: str) -> Document:
    row = documents.get("promotion_code", promotion_code)
    if "metadata" in params:
        row.body["metadata"] = documents.merge_metadata(row.body["metadata"], params["metadata"])
    row.body["active"] = params.get("active", row.body["active"])
    return documents.save(row).body
