"""Answers API requests: checks key and parameters, applies faults and idempotency keys."""

import json
import logging
import secrets
import string
import time
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt

from newsroom.sandbox import (
    clock,
    documents,
    expansion,
    faults,
    idempotency,
    parameters,
    server,
    settings,
)
from newsroom.sandbox.context import CurrentRequest, current_request
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.events import API_VERSION
from newsroom.sandbox.models import Fault

from . import (  # noqa: F401  (each registers its endpoints)
    catalogue,
    checkout,
    coupons,
    credit_notes,
    customers,
    disputes,
    events,
    invoices,
    payments,
    portal,
    refunds,
    routing,
    subscriptions,
    webhook_endpoints,
)

logger = logging.getLogger(__name__)
TOO_MANY = 429
_LETTERS = string.ascii_letters + string.digits


@csrf_exempt
def answer_api(request: HttpRequest) -> HttpResponse:
    request_id = "req_" + "".join(secrets.choice(_LETTERS) for _ in range(14))
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    token = current_request.set(CurrentRequest(id=request_id, idempotency_key=key))
    try:
        with idempotency.claim_key(key):
            return _answer(request, request_id=request_id, key=key)
    except ApiError as refusal:
        return _respond(refusal.status, json.dumps(refusal.body), request_id=request_id)
    except Exception:
        logger.exception("The sandbox failed to answer %s %s", request.method, request.path)
        error = {"error": {"type": "api_error", "message": "The sandbox itself failed."}}
        return _respond(500, json.dumps(error), request_id=request_id)
    finally:
        current_request.reset(token)


def _answer(request: HttpRequest, *, request_id: str, key: str | None) -> HttpResponse:
    _check_key(request)
    _check_version(request)
    found = routing.find_endpoint(request.method or "GET", request.path)
    if found is None:
        raise ApiError(f"Unrecognized request URL ({request.method}: {request.path}).", status=404)
    endpoint, parts = found
    encoded = request.META["QUERY_STRING"]
    if request.method != "GET":
        encoded = "&".join(part for part in (encoded, request.body.decode()) if part)
    raw = parameters.parse(encoded)
    fingerprint = idempotency.make_fingerprint(endpoint.method, request.path, raw)
    if key is not None and (known := idempotency.find_answer(key, fingerprint)) is not None:
        response = _respond(known.status, known.answer, request_id=request_id)
        response.headers["Idempotent-Replayed"] = "true"
        response.headers["Original-Request"] = known.request_id
        return response
    params = parameters.check({**endpoint.spec, "expand": [parameters.STR]}, raw)
    matching = _take_faults(f"{endpoint.method} {request.path}")
    for fault in matching:
        if fault.kind == "delay":
            time.sleep(fault.seconds)
    failing = next((fault for fault in matching if fault.kind == "error"), None)
    if endpoint.method == "GET" and failing is None:
        status, answer = 200, _run_endpoint(endpoint, params, parts)
    else:
        with documents.write_transaction():
            status, answer = _run_or_reject(endpoint, params, parts, failing=failing)
            # Stripe's rate limiter answers before the key is looked at.
            if key is not None and status != TOO_MANY:
                idempotency.store_answer(
                    key, fingerprint, request_id=request_id, status=status, answer=answer
                )
    if any(fault.kind == "lose_answer" for fault in matching):
        server.cut_connection(request.META)
    return _respond(status, answer, request_id=request_id)


def _run_endpoint(endpoint: routing.Endpoint, params: dict[str, Any], parts: dict[str, str]) -> str:
    expand = params.pop("expand", [])
    body = endpoint.answer(params, **parts)
    return json.dumps(expansion.expand_body(body, expand), separators=(",", ":"))


def _run_or_reject(
    endpoint: routing.Endpoint,
    params: dict[str, Any],
    parts: dict[str, str],
    *,
    failing: Fault | None,
) -> tuple[int, str]:
    """Run the endpoint. An ApiError undoes its changes unless the error says otherwise."""
    if failing is not None:
        error = {"type": "api_error", "message": "A fault caused this error."}
        if failing.status == TOO_MANY:
            error |= {"type": "invalid_request_error", "code": "rate_limit"}
        return failing.status, json.dumps({"error": error})
    kept: ApiError | None = None
    try:
        with transaction.atomic():
            try:
                return 200, _run_endpoint(endpoint, params, parts)
            except ApiError as refusal:
                if not refusal.keeps_changes:
                    raise
                kept = refusal
    except ApiError as refusal:
        kept = refusal
    return kept.status, json.dumps(kept.body)


def _check_key(request: HttpRequest) -> None:
    header = request.headers.get("Authorization", "")
    scheme, _, given = header.partition(" ")
    if scheme.lower() != "bearer" or not given:
        raise ApiError(
            "You did not provide an API key. You need to provide your API key in the Authorization "
            "header, using Bearer auth.",
            status=401,
        )
    if not secrets.compare_digest(given, settings.SANDBOX_SECRET_KEY):
        shown = f"{given[:8]}{'*' * 8}{given[-4:]}" if len(given) > 12 else "*" * len(given)
        raise ApiError(f"Invalid API Key provided: {shown}", status=401)


def _check_version(request: HttpRequest) -> None:
    wanted = request.headers.get("Stripe-Version", API_VERSION)
    if wanted != API_VERSION:
        raise ApiError(f"The sandbox supports only version {API_VERSION}, not {wanted}.")


def _take_faults(subject: str) -> list[Fault]:
    if not faults.has_faults("api"):
        return []
    with documents.write_transaction():
        return faults.take_matching_faults("api", subject)


def _respond(status: int, answer: str, *, request_id: str) -> HttpResponse:
    response = HttpResponse(answer, status=status, content_type="application/json")
    response.headers["Request-Id"] = request_id
    response.headers["Stripe-Version"] = API_VERSION
    response.headers["Date"] = http_date(clock.now())
    return response
