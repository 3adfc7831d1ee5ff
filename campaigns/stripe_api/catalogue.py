"""The catalogue, the webhook endpoint and the billing portal that `stripe_setup` creates."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import stripe

from campaigns.stripe_api.connection import API_VERSION, Json, client, every, plain, translated

_KEPT_BY = {"kept_by": "stripe_setup"}


@translated
def upsert_product(product_id: str, *, name: str) -> str:
    """Create or update the product with that id; returns its id."""
    products = client().v1.products
    try:
        return products.update(product_id, {"name": name, "active": True}).id
    except stripe.InvalidRequestError as error:
        if error.http_status != 404:
            raise
        return products.create({"id": product_id, "name": name}).id


@translated
def upsert_price(params: Mapping[str, Any], *, known_id: str = "") -> str:
    """Return the id of an active price with these parameters.

    An archived price is unarchived. If the lookup key belongs to a price with other parameters, a
    new price takes it over: a price at Stripe never changes.
    """
    prices = client().v1.prices
    for price in _find_prices(params["lookup_key"], known_id):
        if _is_price(price, params):
            if not price["active"]:
                prices.update(str(price["id"]), {"active": True})
            return str(price["id"])
    return prices.create(cast(Any, {**params, "transfer_lookup_key": True})).id


def _find_prices(lookup_key: str, known_id: str) -> Iterator[Json]:
    """Yield the price that we know, then the one with that lookup key, archived or not."""
    prices = client().v1.prices
    if known_id:
        try:
            yield plain(prices.retrieve(known_id))
        except stripe.InvalidRequestError as error:
            if error.http_status != 404:
                raise
    yield from every(prices.list({"lookup_keys": [lookup_key], "limit": 1}))


def _is_price(price: Json, params: Mapping[str, Any]) -> bool:
    recurring = price["recurring"] or {}
    return (
        all(price[name] == params[name] for name in ("product", "currency", "unit_amount"))
        and recurring.get("interval") == params.get("recurring", {}).get("interval")
        and recurring.get("interval_count", 1) == 1
    )


@translated
def upsert_webhook_endpoint(url: str, *, events: list[str]) -> tuple[str, str]:
    """Create or update the webhook endpoint; returns its id and signing secret.

    The secret is empty unless the endpoint was created now: Stripe shows it only once.
    """
    endpoints = client().v1.webhook_endpoints
    for endpoint in endpoints.list({"limit": 100}).auto_paging_iter():
        if endpoint.url == url:
            endpoints.update(endpoint.id, cast(Any, {"enabled_events": events, "disabled": False}))
            return endpoint.id, ""
    made = endpoints.create(
        cast(Any, {"url": url, "enabled_events": events, "api_version": API_VERSION})
    )
    return made.id, made.secret or ""


@translated
def upsert_portal_configuration(params: Mapping[str, Any]) -> str:
    """Create or update our portal configuration; returns its id."""
    configurations = client().v1.billing_portal.configurations
    wanted = cast(Any, {**params, "metadata": _KEPT_BY})
    if known := _find_portal_configuration():
        return configurations.update(known, wanted).id
    return configurations.create(wanted).id


# The billing portal


@translated
def create_portal_session(customer_id: str, *, return_url: str, language: str) -> str:
    """Return the URL of a new page at Stripe where the customer manages their payments."""
    params = {"customer": customer_id, "return_url": return_url, "locale": language}
    # A session without a configuration uses the account's default, which may not exist.
    if configuration := _find_portal_configuration():
        params["configuration"] = configuration
    return client().v1.billing_portal.sessions.create(cast(Any, params)).url


def _find_portal_configuration() -> str | None:
    """Return the id of the configuration that `stripe_setup` created, if it has.

    It is found by its metadata: a configuration created by API is never the default.
    """
    page = client().v1.billing_portal.configurations.list({"active": True, "limit": 100})
    for configuration in every(page):
        if (configuration["metadata"] or {}).get("kept_by") == _KEPT_BY["kept_by"]:
            return str(configuration["id"])
    return None
