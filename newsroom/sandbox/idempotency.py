"""Idempotency keys: a repeated request is done once and gets the first answer."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from newsroom.sandbox import clock
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.models import IdempotentRequest

HOURS_KEPT = 24
_in_flight: set[str] = set()
_guard = threading.Lock()


def make_fingerprint(method: str, path: str, params: dict[str, Any]) -> str:
    text = json.dumps([method, path, params], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def claim_key(key: str | None) -> Iterator[None]:
    """Hold the key while its request runs. Raise ApiError if another request holds it."""
    if key is None:
        yield
        return
    with _guard:
        if key in _in_flight:
            raise ApiError(
                "There is currently another in-progress request using this Stripe-Idempotency-Key "
                f"(that probably means you submitted twice): {key}. Please try again later.",
                status=409,
                code="idempotency_key_in_use",
            )
        _in_flight.add(key)
    try:
        yield
    finally:
        with _guard:
            _in_flight.discard(key)


def find_answer(key: str, fingerprint: str) -> IdempotentRequest | None:
    """Return the answer stored in the last 24 hours, by the sandbox's clock.

    Raise ApiError if the key was used for another request.
    """
    known = IdempotentRequest.objects.filter(key=key).first()
    if known is None or known.created + HOURS_KEPT * 3600 <= clock.now():
        return None
    if known.fingerprint != fingerprint:
        raise ApiError(
            "Keys for idempotent requests can only be used with the same parameters and the same "
            f"path they were first used with. Try using a key other than '{key}' if you meant to "
            "execute a different request.",
            type="idempotency_error",
        )
    return known


def store_answer(key: str, fingerprint: str, *, request_id: str, status: int, answer: str) -> None:
    IdempotentRequest.objects.update_or_create(
        key=key,
        defaults={
            "fingerprint": fingerprint,
            "request_id": request_id,
            "status": status,
            "answer": answer,
            "created": clock.now(),
        },
    )
