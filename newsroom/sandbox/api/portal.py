"""/v1/billing_portal/configurations and /v1/billing_portal/sessions"""

from typing import Any

from newsroom.sandbox import clock, context, documents
from newsroom.sandbox.documents import Document
from newsroom.sandbox.models import StripeObject
from newsroom.sandbox.parameters import BOOL, LIST_PARAMS, META, STR, UNSET

from .checkout import LOCALES
from .routing import endpoint

_MODES = {"at_period_end", "immediately"}
_PRORATION = {"always_invoice", "create_prorations", "none"}
_OPTIONS = {
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
}
_FEATURES = {
    "customer_update": {"allowed_updates": [STR], "enabled": BOOL},
    "invoice_history": {"enabled*": BOOL},
    "payment_method_update": {"enabled*": BOOL},
    "subscription_cancel": {
        "cancellation_reason": {"enabled*": BOOL, "options*": [_OPTIONS]},
        "enabled*": BOOL,
        "mode": _MODES,
        "proration_behavior": _PRORATION,
    },
    "subscription_update": {
        "default_allowed_updates": [STR],
        "enabled": BOOL,
        "proration_behavior": _PRORATION,
    },
}
_FIELDS: dict[str, Any] = {
    "business_profile": {
        "headline": UNSET,
        "privacy_policy_url": STR,
        "terms_of_service_url": STR,
    },
    "default_return_url": UNSET,
    "login_page": {"enabled*": BOOL},
    "metadata": META,
    "name": UNSET,
}
_DEFAULT_FEATURES: Document = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {"enabled": False, "options": []},
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_update": {
        "billing_cycle_anchor": None,
        "default_allowed_updates": [],
        "enabled": False,
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    },
}


def _merge_features(old: Document, change: Document) -> Document:
    merged = {name: dict(value) for name, value in old.items()}
    for name, value in change.items():
        merged[name].update(value)
    return merged


def _create_configuration(params: Document, *, is_default: bool = False) -> StripeObject:
    now = clock.now()
    profile = params.get("business_profile", {})
    names = ("headline", "privacy_policy_url", "terms_of_service_url")
    return documents.create(
        {
            "id": documents.make_id("billing_portal.configuration"),
            "object": "billing_portal.configuration",
            "active": True,
            "application": None,
            "business_profile": {name: profile.get(name) for name in names},
            "created": now,
            "default_return_url": params.get("default_return_url") or None,
            "features": _merge_features(_DEFAULT_FEATURES, params["features"]),
            "is_default": is_default,
            "livemode": False,
            "login_page": {"enabled": False, "url": None},
            "metadata": documents.merge_metadata(None, params.get("metadata", {})),
            "name": params.get("name") or None,
            "updated": now,
        }
    )


@endpoint("POST", "/v1/billing_portal/configurations", {**_FIELDS, "features*": _FEATURES})
def create_configuration(params: Document) -> Document:
    return _create_configuration(params).body


@endpoint(
    "GET",
    "/v1/billing_portal/configurations",
    {
        **{name: LIST_PARAMS[name] for name in LIST_PARAMS if name != "created"},
        "active": BOOL,
        "is_default": BOOL,
    },
)
def list_configurations(params: Document) -> Document:
    rows = documents.select("billing_portal.configuration")
    for name in ("active", "is_default"):
        if name in params:
            rows = rows.filter(**{f"body__{name}": params[name]})
    return documents.make_page(rows, params, url="/v1/billing_portal/configurations")


@endpoint("GET", "/v1/billing_portal/configurations/{configuration}")
def retrieve_configuration(params: Document, *, configuration: str) -> Document:
    return documents.get("billing_portal.configuration", configuration).body


@endpoint(
    "POST",
    "/v1/billing_portal/configurations/{configuration}",
    {**_FIELDS, "active": BOOL, "features": _FEATURES},
)
def update_configuration(params: Document, *, configuration: str) -> Document:
    row = documents.get("billing_portal.configuration", configuration)
    for name, value in params.items():
        if name == "features":
            row.body["features"] = _merge_features(row.body["features"], value)
        elif name == "metadata":
            row.body["metadata"] = documents.merge_metadata(row.body["metadata"], value)
        elif name in ("business_profile", "login_page"):
            row.body[name] = {**row.body[name], **value}
        else:
            row.body[name] = value if value != "" else None
    row.body["updated"] = clock.now()
    return documents.save(row).body


@endpoint(
    "POST",
    "/v1/billing_portal/sessions",
    {"configuration": STR, "customer*": STR, "locale": LOCALES, "return_url": STR},
)
def create_session(params: Document) -> Document:
    customer = documents.get("customer", params["customer"], param="customer", status=400)
    if "configuration" in params:
        configuration = documents.get(
            "billing_portal.configuration",
            params["configuration"],
            param="configuration",
            status=400,
        )
    else:
        configuration = _find_default()
    stripe_id = documents.make_id("billing_portal.session")
    return documents.create(
        {
            "id": stripe_id,
            "object": "billing_portal.session",
            "configuration": configuration.stripe_id,
            "created": clock.now(),
            "customer": customer.stripe_id,
            "customer_account": None,
            "flow": None,
            "livemode": False,
            "locale": params.get("locale"),
            "on_behalf_of": None,
            "return_url": params.get("return_url") or configuration.body["default_return_url"],
            "url": f"{context.address.base_url}/p/session/{stripe_id}",
        }
    ).body


def _find_default() -> StripeObject:
    """Return the account's default configuration. Create it on first use, with all features."""
    known = documents.select("billing_portal.configuration").filter(body__is_default=True).first()
    on = {"enabled": True}
    features = dict.fromkeys(
        ("invoice_history", "payment_method_update", "subscription_cancel"), on
    )
    return known or _create_configuration({"features": features}, is_default=True)
