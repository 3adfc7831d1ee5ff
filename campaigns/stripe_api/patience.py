"""A limit for how long a page waits for Stripe, and for how many pages wait at the same time.

A slow Stripe must not stop the pages that don't need it: each page that waits holds a thread.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from threading import BoundedSemaphore
from typing import Any

import stripe
from django.conf import settings

PLACE_SECONDS = 1.0  # how long a page waits for a place, if all are taken

_answer_by: ContextVar[float | None] = ContextVar("answer_by", default=None)


@contextmanager
def answer_within(seconds: float) -> Iterator[None]:
    """Limit the time that all calls to Stripe within the block take together."""
    token = _answer_by.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _answer_by.reset(token)


@lru_cache(maxsize=1)
def places() -> BoundedSemaphore:
    """Return the places of this process: three quarters of its threads may wait for Stripe."""
    return BoundedSemaphore(max(1, settings.WEB_THREADS * 3 // 4))


class PatientClient(stripe.RequestsClient):
    """Stripe's own HTTP client, within the limits of a page that waits for it."""

    def request(  # type: ignore[override]
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[Any, int, Mapping[str, str]]:
        if _answer_by.get() is None:
            return super().request(method, url, headers, post_data)
        if not places().acquire(timeout=PLACE_SECONDS):
            raise _refuse("Too many pages are waiting for Stripe.")
        try:
            return super().request(method, url, headers, post_data)
        finally:
            places().release()

    @property
    def _timeout(self) -> tuple[float, float]:
        """The seconds to connect and to answer, cut to what is left for the page."""
        connect, answer = self._usual_timeout
        answer_by = _answer_by.get()
        if answer_by is None:
            return connect, answer
        left = answer_by - time.monotonic()
        if left <= 0:
            raise _refuse("Stripe took longer than a page waits.")
        return min(connect, left), min(answer, left)

    @_timeout.setter
    def _timeout(self, timeout: tuple[float, float]) -> None:
        self._usual_timeout = timeout


def _refuse(reason: str) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(reason)  # type: ignore[no-untyped-call]
