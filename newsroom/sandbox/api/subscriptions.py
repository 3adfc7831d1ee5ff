"""/v1/subscriptions and /v1/subscription_items"""

from newsroom.sandbox import changes, documents, starts, subscriptions
from newsroom.sandbox.documents import Document
from newsroom.sandbox.parameters import BOOL, INT, LIST_PARAMS, META, STR, UNSET

from .catalogue import RECURRING, TAX_BEHAVIORS
from .routing import endpoint

_FEEDBACK = {
    "",
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
}
_DETAILS = {"comment": UNSET, "feedback": _FEEDBACK}
_PRICE_DATA = {
    "currency*": STR,
    "product*": STR,
    "recurring*": RECURRING,
    "tax_behavior": TAX_BEHAVIORS,
    "unit_amount": INT,
}
PRORATION = {"always_invoice", "create_prorations", "none"}
_DISCOUNTS = [{"coupon": STR, "promotion_code": STR}]
_TRIAL_SETTINGS = {
    "end_behavior*": {"missing_payment_method*": {"cancel", "create_invoice", "pause"}}
}


@endpoint(
    "POST",
    "/v1/subscriptions",
    {
        "cancel_at_period_end": BOOL,
        # The sandbox sends no invoices.
        "collection_method": {"charge_automatically"},
        "customer*": STR,
        "default_payment_method": STR,
        "description": STR,
        "discounts": _DISCOUNTS,
        "items": [{"metadata": META, "price*": STR, "quantity": INT}],
        "metadata": META,
        "off_session": BOOL,
        "payment_behavior": {"allow_incomplete", "default_incomplete", "error_if_incomplete"},
        "trial_end": (INT, {"now"}),
        "trial_period_days": INT,
        "trial_settings": _TRIAL_SETTINGS,
    },
)
def create_subscription(params: Document) -> Document:
    return starts.start_by_api(params).body


@endpoint(
    "GET",
    "/v1/subscriptions",
    {
        **LIST_PARAMS,
        "collection_method": STR,
        "customer": STR,
        "price": STR,
        "status": {
            "active",
            "all",
            "canceled",
            "ended",
            "incomplete",
            "incomplete_expired",
            "past_due",
            "paused",
            "trialing",
            "unpaid",
        },
    },
)
def list_subscriptions(params: Document) -> Document:
    """List subscriptions. Without `status` the cancelled ones are omitted, as at Stripe."""
    links = {"customer": params["customer"]} if "customer" in params else {}
    rows = documents.select("subscription", **links)
    if "price" in params:
        items = documents.select("subscription_item").filter(body__price__id=params["price"])
        rows = rows.filter(stripe_id__in=items.values("subscription"))
    if "collection_method" in params:
        rows = rows.filter(body__collection_method=params["collection_method"])
    match params.get("status"):
        case None:
            rows = rows.exclude(body__status="canceled")
        case "ended":
            rows = rows.filter(body__status__in=subscriptions.ENDED)
        case "all":
            pass
        case status:
            rows = rows.filter(body__status=status)
    return documents.make_page(rows, params, url="/v1/subscriptions")


@endpoint("GET", "/v1/subscriptions/{subscription}")
def retrieve_subscription(params: Document, *, subscription: str) -> Document:
    return documents.get("subscription", subscription).body


@endpoint(
    "POST",
    "/v1/subscriptions/{subscription}",
    {
        "billing_cycle_anchor": {"now", "unchanged"},
        "cancel_at": (INT, {""}),
        "cancel_at_period_end": BOOL,
        "cancellation_details": _DETAILS,
        "default_payment_method": UNSET,
        "description": UNSET,
        "discounts": _DISCOUNTS,
        "items": [
            {
                "deleted": BOOL,
                "id": STR,
                "metadata": META,
                "price": STR,
                "price_data": _PRICE_DATA,
                "quantity": INT,
            }
        ],
        "metadata": META,
        "off_session": BOOL,
        "pause_collection": (
            {"behavior*": {"keep_as_draft", "mark_uncollectible", "void"}, "resumes_at": INT},
            {""},
        ),
        "payment_behavior": {"allow_incomplete", "error_if_incomplete"},
        "proration_behavior": PRORATION,
        "proration_date": INT,
        "trial_end": (INT, {"now"}),
        "trial_settings": _TRIAL_SETTINGS,
    },
)
def update_subscription(params: Document, *, subscription: str) -> Document:
    row = documents.get("subscription", subscription)
    changes.update_subscription(row, params)
    return row.body


@endpoint(
    "DELETE",
    "/v1/subscriptions/{subscription}",
    {"cancellation_details": _DETAILS, "invoice_now": BOOL, "prorate": BOOL},
)
def cancel_subscription(params: Document, *, subscription: str) -> Document:
    row = documents.get("subscription", subscription)
    changes.cancel_immediately(
        row,
        details=params.get("cancellation_details", {}),
        invoice_now=params.get("invoice_now", False),
        prorate=params.get("prorate", False),
    )
    return row.body


@endpoint(
    "POST",
    "/v1/subscriptions/{subscription}/resume",
    {"billing_cycle_anchor": {"now", "unchanged"}, "proration_behavior": PRORATION},
)
def resume_subscription(params: Document, *, subscription: str) -> Document:
    row = documents.get("subscription", subscription)
    subscriptions.resume_subscription(row)
    return row.body


@endpoint("GET", "/v1/subscription_items", {**LIST_PARAMS, "subscription*": STR})
def list_items(params: Document) -> Document:
    rows = documents.select("subscription_item", subscription=params["subscription"])
    return documents.make_page(rows, params, url="/v1/subscription_items")


@endpoint("GET", "/v1/subscription_items/{item}")
def retrieve_item(params: Document, *, item: str) -> Document:
    return documents.get("subscription_item", item, param="item").body


@endpoint(
    "POST",
    "/v1/subscription_items/{item}",
    {
        "metadata": META,
        "price": STR,
        "price_data": _PRICE_DATA,
        "proration_behavior": PRORATION,
        "quantity": INT,
    },
)
def update_item(params: Document, *, item: str) -> Document:
    known = documents.get("subscription_item", item, param="item")
    row = documents.fetch(known.subscription)
    change = {name: value for name, value in params.items() if name != "proration_behavior"}
    behaviour = params.get("proration_behavior", "create_prorations")
    changes.update_subscription(
        row, {"items": [{**change, "id": item}], "proration_behavior": behaviour}
    )
    return documents.fetch(item).body
