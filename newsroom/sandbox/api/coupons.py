"""/v1/coupons"""

from newsroom.sandbox import discounts, documents
from newsroom.sandbox.documents import Document
from newsroom.sandbox.parameters import DECIMAL, INT, LIST_PARAMS, META, STR

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
        "metadata": META,
        "name": STR,
        "percent_off": DECIMAL,
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
