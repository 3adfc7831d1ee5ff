"""The only module that imports stripe. Answers are plain dicts in the shapes of the pinned version.

Every call may raise StripeUnavailable (nothing is known: connection, time-out, overload),
StripeFailed (Stripe answered 5xx, which it replays for the same idempotency key) or
StripeRefused (4xx: asking again is no use).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar, cast

import stripe
from django.conf import settings

Json = dict[str, Any]
Params = ParamSpec("Params")
Answer = TypeVar("Answer")

API_VERSION = "2026-10-28.endive"
SIGNATURE_TOLERANCE = 300  # seconds
_KEPT_BY = {"kept_by": "stripe_setup"}
_TIMEOUT = (3, 10)  # seconds to connect, to answer: a reader waits for this


class StripeError(Exception):
    """Something between us and Stripe did not go well."""


class StripeUnavailable(StripeError):
    """The outcome is unknown: the same request, with the same key, may be sent again."""


class StripeFailed(StripeError):
    """Stripe said 5xx and will say it again for this key: the next attempt needs a new one."""


class StripeRefused(StripeError):
    """Stripe understood and said no; `code` is its reason, `param` what it did not like."""

    def __init__(self, message: str, *, code: str = "", param: str = "", status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.param = param
        self.status = status


class BadSignature(Exception):
    """The webhook is unsigned, tampered with or older than the tolerance."""


def _translated(call: Callable[Params, Answer]) -> Callable[Params, Answer]:
    @wraps(call)
    def translate(*args: Params.args, **kwargs: Params.kwargs) -> Answer:
        try:
            return call(*args, **kwargs)
        except (stripe.APIConnectionError, stripe.RateLimitError) as error:
            raise StripeUnavailable(str(error)) from error
        except stripe.StripeError as error:
            status = error.http_status or 0
            if status == 409:  # our own earlier try is still under way
                raise StripeUnavailable(str(error)) from error
            if status >= 500 or not status:
                raise StripeFailed(str(error)) from error
            raise StripeRefused(
                str(error),
                code=error.code or "",
                param=str(getattr(error, "param", "") or ""),
                status=status,
            ) from error

    return translate


@lru_cache(maxsize=4)
def _client(secret_key: str, base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        secret_key,
        base_addresses={"api": base} if base else None,
        stripe_version=API_VERSION,
        max_network_retries=1,
        http_client=stripe.RequestsClient(timeout=_TIMEOUT),
    )


def client() -> stripe.StripeClient:
    return _client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE)


def is_live() -> bool:
    """Whether our key moves real money, so that test-mode events are none of ours."""
    return "_live_" in settings.STRIPE_SECRET_KEY


def moment(timestamp: int) -> datetime:
    """Stripe's seconds since the epoch as an aware time."""
    return datetime.fromtimestamp(timestamp, tz=UTC)


def _plain(answer: stripe.StripeObject) -> Json:
    return answer.to_dict()


def _every(page: Any) -> Iterator[Json]:
    return (_plain(item) for item in page.auto_paging_iter())


# Checkout sessions


@_translated
def create_session(params: Mapping[str, Any], *, idempotency_key: str) -> Json:
    answer = client().v1.checkout.sessions.create(
        cast(Any, dict(params)), {"idempotency_key": idempotency_key}
    )
    return _plain(answer)


@_translated
def fetch_session(session_id: str) -> Json:
    """The session with its payment intent, the intent's charge and the charge's balance entry."""
    return _plain(
        client().v1.checkout.sessions.retrieve(
            session_id, {"expand": ["payment_intent.latest_charge.balance_transaction"]}
        )
    )


@_translated
def expire_session(session_id: str) -> Json:
    return _plain(client().v1.checkout.sessions.expire(session_id))


# What hangs on a session


@_translated
def fetch_subscription(subscription_id: str) -> Json:
    return _plain(client().v1.subscriptions.retrieve(subscription_id))


@_translated
def list_invoices(subscription_id: str) -> list[Json]:
    page = client().v1.invoices.list({"subscription": subscription_id, "limit": 100})
    return list(_every(page))


@_translated
def list_invoice_payments(invoice_id: str) -> list[Json]:
    return list(_every(client().v1.invoice_payments.list({"invoice": invoice_id, "limit": 100})))


@_translated
def find_invoice_payment(intent_id: str) -> Json | None:
    """The invoice payment that a payment intent serves, if it serves an invoice."""
    page = client().v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": intent_id}, "limit": 1}
    )
    return next(_every(page), None)


@_translated
def fetch_intent(intent_id: str) -> Json:
    return _plain(
        client().v1.payment_intents.retrieve(
            intent_id, {"expand": ["latest_charge.balance_transaction"]}
        )
    )


@_translated
def fetch_invoice(invoice_id: str) -> Json:
    return _plain(client().v1.invoices.retrieve(invoice_id))


@_translated
def fetch_invoice_payment(invoice_payment_id: str) -> Json:
    return _plain(client().v1.invoice_payments.retrieve(invoice_payment_id))


@_translated
def fetch_charge(charge_id: str) -> Json:
    return _plain(client().v1.charges.retrieve(charge_id))


@_translated
def fetch_refund(refund_id: str) -> Json:
    return _plain(client().v1.refunds.retrieve(refund_id))


@_translated
def fetch_dispute(dispute_id: str) -> Json:
    return _plain(client().v1.disputes.retrieve(dispute_id))


@_translated
def list_refunds(charge_id: str) -> list[Json]:
    return list(_every(client().v1.refunds.list({"charge": charge_id, "limit": 100})))


@_translated
def list_disputes(charge_id: str) -> list[Json]:
    return list(_every(client().v1.disputes.list({"charge": charge_id, "limit": 100})))


@_translated
def refund_payment(
    intent_id: str,
    *,
    amount_minor: int,
    reason: str = "requested_by_customer",
    metadata: Mapping[str, str] | None = None,
    idempotency_key: str,
) -> Json:
    """Give back that much of a payment; the same key gives it back once."""
    params = {
        "payment_intent": intent_id,
        "amount": amount_minor,
        "reason": reason,
        "metadata": dict(metadata or {}),
    }
    answer = client().v1.refunds.create(cast(Any, params), {"idempotency_key": idempotency_key})
    return _plain(answer)


@_translated
def move_next_charge(subscription_id: str, *, trial_end: int | None) -> Json:
    """Let a subscription charge nothing until that moment; None: charge from now on again."""
    params = {"trial_end": trial_end or "now", "proration_behavior": "none"}
    return _plain(client().v1.subscriptions.update(subscription_id, cast(Any, params)))


@_translated
def cancel_subscription_at_period_end(
    subscription_id: str, *, feedback: str = "", comment: str = ""
) -> Json:
    """Let it run out with what is paid; the reason, if one was given, stands at Stripe with it."""
    params: Json = {"cancel_at_period_end": True}
    reason = {"feedback": feedback, "comment": comment}
    if given := {name: text for name, text in reason.items() if text}:
        params["cancellation_details"] = given
    return _plain(client().v1.subscriptions.update(subscription_id, cast(Any, params)))


@_translated
def keep_subscription(subscription_id: str) -> Json:
    """Take its cancellation back, whichever way it was asked for."""
    known = _plain(client().v1.subscriptions.retrieve(subscription_id))
    by_period = known.get("cancel_at_period_end") or not known.get("cancel_at")
    params = {"cancel_at_period_end": False} if by_period else {"cancel_at": ""}
    return _plain(client().v1.subscriptions.update(subscription_id, cast(Any, params)))


# What reconciling reads: lists of any length, the newest first, a page at a time


def walk_events(*, since: datetime) -> Iterator[Json]:
    """Every event since then that Stripe still has (it keeps them for 30 days)."""
    created = {"gte": int(since.timestamp())}
    return _walk(lambda page: client().v1.events.list(cast(Any, {"created": created, **page})))


def walk_balance_transactions(
    *, since: datetime | None = None, source_id: str = ""
) -> Iterator[Json]:
    """Every movement of money since then, or of one charge, refund or dispute; with its source."""
    wanted: Json = {"expand": ["data.source"]}
    if since is not None:
        wanted["created"] = {"gte": int(since.timestamp())}
    if source_id:
        wanted["source"] = source_id
    return _walk(lambda page: client().v1.balance_transactions.list(cast(Any, {**wanted, **page})))


def _walk(read: Callable[[Json], Any]) -> Iterator[Json]:
    page: Json = {"limit": 100}
    while True:
        answer = _translated(read)(page)
        items = [_plain(item) for item in answer.data]
        yield from items
        if not answer.has_more or not items:
            return
        page = {"limit": 100, "starting_after": items[-1]["id"]}


# The billing portal


@_translated
def create_portal_session(customer_id: str, *, return_url: str, language: str) -> str:
    """The address of a fresh page at Stripe where that customer manages what they pay."""
    params = {"customer": customer_id, "return_url": return_url, "locale": language}
    # Without one of its own a session follows the account's default, which may not exist.
    if configuration := _find_portal_configuration():
        params["configuration"] = configuration
    return client().v1.billing_portal.sessions.create(cast(Any, params)).url


def _find_portal_configuration() -> str | None:
    """The id of the configuration that `stripe_setup` made: one made here is never the default."""
    page = client().v1.billing_portal.configurations.list({"active": True, "limit": 100})
    for configuration in _every(page):
        if (configuration["metadata"] or {}).get("kept_by") == _KEPT_BY["kept_by"]:
            return str(configuration["id"])
    return None


# The catalogue, for `stripe_setup`


@_translated
def keep_product(product_id: str, *, name: str) -> str:
    """Make or update the product of that id; its id."""
    products = client().v1.products
    try:
        return products.update(product_id, {"name": name, "active": True}).id
    except stripe.InvalidRequestError as error:
        if error.http_status != 404:
            raise
        return products.create({"id": product_id, "name": name}).id


@_translated
def keep_price(params: Mapping[str, Any]) -> str:
    """The id of the active price of that lookup key, made if there is none."""
    prices = client().v1.prices
    found = prices.list({"lookup_keys": [params["lookup_key"]], "active": True, "limit": 1})
    for price in found.data:
        return price.id
    return prices.create(cast(Any, dict(params))).id


@_translated
def keep_webhook_endpoint(url: str, *, events: list[str]) -> tuple[str, str]:
    """The endpoint's id, and its signing secret if it was made now (Stripe shows it only once)."""
    endpoints = client().v1.webhook_endpoints
    for endpoint in endpoints.list({"limit": 100}).auto_paging_iter():
        if endpoint.url == url:
            endpoints.update(endpoint.id, cast(Any, {"enabled_events": events, "disabled": False}))
            return endpoint.id, ""
    made = endpoints.create(
        cast(Any, {"url": url, "enabled_events": events, "api_version": API_VERSION})
    )
    return made.id, made.secret or ""


@_translated
def keep_portal_configuration(params: Mapping[str, Any]) -> str:
    """The id of our portal configuration, made or updated to these parameters."""
    configurations = client().v1.billing_portal.configurations
    wanted = cast(Any, {**params, "metadata": _KEPT_BY})
    if known := _find_portal_configuration():
        return configurations.update(known, wanted).id
    return configurations.create(wanted).id


# Webhooks


def read_webhook(body: bytes, *, signature: str) -> Json:
    """The event in a signed webhook; raises BadSignature, or ValueError if it is no JSON object.

    Any of the configured secrets will do, so that a secret can be changed without a gap.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadSignature("not UTF-8") from error
    if not signature.isascii():  # what compares signatures in constant time takes no other
        raise BadSignature("the signature holds letters that none has")
    for secret in settings.STRIPE_WEBHOOK_SECRET:
        try:
            stripe.WebhookSignature.verify_header(text, signature, secret, SIGNATURE_TOLERANCE)
            break
        except stripe.SignatureVerificationError:
            continue
    else:
        raise BadSignature("no configured secret signed this within the last 300 seconds")
    try:
        event = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(event, dict):
        raise ValueError("not a JSON object")
    return event
