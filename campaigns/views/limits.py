"""Limits on requests and wrong guesses for each client, counted in the cache.

If the cache is unavailable, nothing is counted and nobody is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Concatenate, ParamSpec

import structlog
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

log = structlog.get_logger(__name__)
Params = ParamSpec("Params")
View = Callable[Concatenate[HttpRequest, Params], HttpResponseBase]


def limited(name: str, *, times: int, seconds: int) -> Callable[[View[Params]], View[Params]]:
    """Answer 429 to a client's POSTs beyond `times` within `seconds`."""

    def decorate(view: View[Params]) -> View[Params]:
        @wraps(view)
        def limit(
            request: HttpRequest, /, *args: Params.args, **kwargs: Params.kwargs
        ) -> HttpResponseBase:
            if request.method == "POST" and not _is_within_limit(request, name, times, seconds):
                response = render(request, "campaigns/readers/shared/too_many.html", status=429)
                response["Retry-After"] = str(seconds)
                return response
            return view(request, *args, **kwargs)

        return limit

    return decorate


@dataclass(frozen=True)
class WrongGuesses:
    """Counts wrong guesses by client and overall.

    A client has to wait after `times` wrong guesses. After `overall` wrong guesses by all clients
    together, each client has one guess: a right one still works, a wrong one has to wait. This
    is safe because claim codes have 100 bits; the overall limit protects the database.
    """

    name: str
    times: int
    overall: int
    seconds: int

    def must_wait(self, request: HttpRequest) -> bool:
        """Return whether the client has to wait before its next guess."""
        wrong = _read_counter(self._client_key(request))
        return wrong >= self.times or (wrong > 0 and _read_counter(self._key) > self.overall)

    def count_guess(self, request: HttpRequest) -> bool:
        """Count a wrong guess and return whether the client has to wait now."""
        _increment(self._client_key(request), self.seconds)
        return _increment(self._key, self.seconds) > self.overall

    @property
    def _key(self) -> str:
        return f"wrong:{self.name}"

    def _client_key(self, request: HttpRequest) -> str:
        return f"{self._key}:{_client_network(request)}"


def is_first_within(seconds: int, *, name: str) -> bool:
    """Return whether this is the first call with `name` within `seconds`."""
    try:
        return bool(cache.add(f"first:{name}", 1, seconds))
    except Exception as error:
        log.warning("limits_uncounted", error=type(error).__name__)
        return True


def _is_within_limit(request: HttpRequest, name: str, times: int, seconds: int) -> bool:
    return _increment(f"limit:{name}:{_client_network(request)}", seconds) <= times


def _client_network(request: HttpRequest) -> str:
    """Return the client's IPv4 address, or its IPv6 /64 network, which one household has."""
    address = request.META.get("REMOTE_ADDR", "")
    try:
        known = ip_address(address)
    except ValueError:  # a Unix socket has no IP address
        return str(address)
    if isinstance(known, IPv6Address) and known.ipv4_mapped is None:
        return str(IPv6Network((known, 64), strict=False))
    return str(address)


def _increment(key: str, seconds: int) -> int:
    """Count up and return the count since the first within `seconds`; 0 if the cache fails."""
    try:
        return 1 if cache.add(key, 1, seconds) else int(cache.incr(key))
    except ValueError:  # the key expired between the two calls
        return 0
    except Exception as error:  # each cache backend raises its own errors
        log.warning("limits_uncounted", error=type(error).__name__)
        return 0


def _read_counter(key: str) -> int:
    try:
        return int(cache.get(key) or 0)
    except Exception as error:
        log.warning("limits_uncounted", error=type(error).__name__)
        return 0
