"""/v1/checkout/sessions"""

from newsroom.sandbox import checkouts, documents
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.parameters import BOOL, INT, LIST_PARAMS, META, STR

from .catalogue import PRODUCT_DATA, RECURRING, TAX_BEHAVIORS
from .routing import endpoint

LOCALES = frozenset(
    [
        "auto",
        "bg",
        "cs",
        "da",
        "de",
        "el",
        "en",
        "en-GB",
        "es",
        "es-419",
        "et",
        "fi",
        "fil",
        "fr",
        "fr-CA",
        "hr",
        "hu",
        "id",
        "it",
        "ja",
        "ko",
        "lt",
        "lv",
        "ms",
        "mt",
        "nb",
        "nl",
        "pl",
        "pt",
        "pt-BR",
        "ro",
        "ru",
        "sk",
        "sl",
        "sv",
        "th",
        "tr",
        "vi",
        "zh",
        "zh-HK",
        "zh-TW",
    ]
)
_LINE_ITEM = {
    "metadata": META,
    "price": STR,
    "price_data": {
        "currency*": STR,
        "product": STR,
        "product_data": PRODUCT_DATA,
        "recurring": RECURRING,
        "tax_behavior": TAX_BEHAVIORS,
        "unit_amount": INT,
    },
    "quantity": INT,
}
_TEXT = ({"message*": STR}, {""})


@endpoint(
    "POST",
    "/v1/checkout/sessions",
    {
        "adaptive_pricing": {"enabled": {"false"}},
        "allow_promotion_codes": BOOL,
        "allowed_payment_method_types": [STR],
        "automatic_tax": {"enabled*": BOOL, "liability": {"type*": {"self"}}},
        "billing_address_collection": {"auto", "required"},
        "cancel_url": STR,
        "client_reference_id": STR,
        "currency": STR,
        "custom_text": {
            "after_submit": _TEXT,
            "shipping_address": _TEXT,
            "submit": _TEXT,
            "terms_of_service_acceptance": _TEXT,
        },
        "customer": STR,
        "customer_creation": {"always", "if_required"},
        "customer_email": STR,
        "discounts": [{"coupon": STR, "promotion_code": STR}],
        "excluded_payment_method_types": [STR],
        "expires_at": INT,
        "line_items": [_LINE_ITEM],
        "locale": LOCALES,
        "metadata": META,
        "mode*": {"payment", "subscription"},
        "payment_intent_data": {
            "description": STR,
            "metadata": META,
            "receipt_email": STR,
            "setup_future_usage": {"off_session", "on_session"},
        },
        "payment_method_collection": {"always", "if_required"},
        # Endive removed this parameter. It is listed so that the error can name the replacement.
        "payment_method_types": [STR],
        "submit_type": {"auto", "book", "donate", "pay", "subscribe"},
        "subscription_data": {
            "description": STR,
            "metadata": META,
            "trial_end": INT,
            "trial_period_days": INT,
            "trial_settings": {
                "end_behavior*": {"missing_payment_method*": {"cancel", "create_invoice", "pause"}}
            },
        },
        "success_url*": STR,
        "ui_mode": {"hosted_page"},
    },
)
def create_session(params: Document) -> Document:
    if "payment_method_types" in params:
        raise ApiError(
            "`payment_method_types` is no longer supported on Checkout Sessions since "
            "2026-09-30.endive. Leave it out, or use `allowed_payment_method_types` or "
            "`excluded_payment_method_types`.",
            code="payment_method_types_no_longer_supported",
            param="payment_method_types",
        )
    return checkouts.create_session(params).body


@endpoint(
    "GET",
    "/v1/checkout/sessions",
    {
        **LIST_PARAMS,
        "customer": STR,
        "customer_details": {"email*": STR},
        "payment_intent": STR,
        "status": {"complete", "expired", "open"},
        "subscription": STR,
    },
)
def list_sessions(params: Document) -> Document:
    links = {
        name: params[name]
        for name in ("customer", "payment_intent", "subscription")
        if name in params
    }
    rows = documents.select("checkout.session", **links)
    if "status" in params:
        rows = rows.filter(body__status=params["status"])
    if "customer_details" in params:
        rows = rows.filter(body__customer_details__email=params["customer_details"]["email"])
    return documents.make_page(rows, params, url="/v1/checkout/sessions")


@endpoint("GET", "/v1/checkout/sessions/{session}")
def retrieve_session(params: Document, *, session: str) -> Document:
    return documents.get("checkout.session", session).body


@endpoint("POST", "/v1/checkout/sessions/{session}", {"metadata": META})
def update_session(params: Document, *, session: str) -> Document:
    row = documents.get("checkout.session", session)
    if "metadata" in params:
        row.body["metadata"] = documents.merge_metadata(row.body["metadata"], params["metadata"])
        documents.save(row)
    return row.body


@endpoint("POST", "/v1/checkout/sessions/{session}/expire")
def expire_session(params: Document, *, session: str) -> Document:
    row = documents.get("checkout.session", session)
    checkouts.expire_session(row)
    return row.body


@endpoint(
    "GET",
    "/v1/checkout/sessions/{session}/line_items",
    {"limit": INT, "starting_after": STR, "ending_before": STR},
)
def list_line_items(params: Document, *, session: str) -> Document:
    row = documents.get("checkout.session", session)
    return page_lines(
        row.notes["line_items"], params, url=f"/v1/checkout/sessions/{session}/line_items"
    )


def page_lines(lines: list[Document], params: Document, *, url: str) -> Document:
    """Return a page of lines that are stored inside another object, in their own order."""
    limit = params.get("limit", 10)
    ids = [line["id"] for line in lines]
    if "starting_after" in params and params["starting_after"] in ids:
        lines = lines[ids.index(params["starting_after"]) + 1 :]
    elif "ending_before" in params and params["ending_before"] in ids:
        lines = lines[: ids.index(params["ending_before"])][-limit:]
    return documents.make_list(lines[:limit], url=url, has_more=len(lines) > limit)
