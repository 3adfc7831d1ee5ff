"""How often one address may knock or guess wrongly: counters in the cache."""

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
    """Answer 429 to the POSTs of one address beyond so many in so many seconds.

    Without the cache nobody is counted, and nobody is kept out.
    """

    def decorate(view: View[Params]) -> View[Params]:
        @wraps(view)
        def limit(
            request: HttpRequest, /, *args: Params.args, **kwargs: Params.kwargs
        ) -> HttpResponseBase:
            if request.method == "POST" and not _may_knock(request, name, times, seconds):
                answer = render(request, "campaigns/readers/shared/too_many.html", status=429)
                answer["Retry-After"] = str(seconds)
                return answer
            return view(request, *args, **kwargs)

        return limit

    return decorate


@dataclass(frozen=True)
class WrongGuesses:
    """Counts what was guessed wrongly, by address and over all; what was right is not counted.

    An address is kept out after `times` wrong guesses. Beyond `overall` of them, by many addresses
    together, each has one guess: whoever comes with what is right gets through, and whoever was
    wrong is asked to wait. Nothing is lost by that one guess: claim codes have 100 bits and are
    not found by guessing, so that the limit over all protects the database, not the codes.

    Without the cache nobody is counted, and nobody is kept out.
    """

    name: str
    times: int
    overall: int
    seconds: int

    def refuse_guesses(self, request: HttpRequest) -> bool:
        """Whether that address has to wait, whatever it guesses now."""
        wrong = _read(self._key_of(request))
        return wrong >= self.times or (wrong > 0 and _read(self._key) > self.overall)

    def note(self, request: HttpRequest) -> bool:
        """Count a wrong guess; whether its address should be asked to wait at once."""
        _count(self._key_of(request), self.seconds)
        return _count(self._key, self.seconds) > self.overall

    @property
    def _key(self) -> str:
        return f"wrong:{self.name}"

    def _key_of(self, request: HttpRequest) -> str:
        return f"{self._key}:{_address_of(request)}"


def is_first_within(seconds: int, *, name: str) -> bool:
    """Whether nobody did that in the last seconds; without the cache everybody is the first."""
    try:
        return bool(cache.add(f"first:{name}", 1, seconds))
    except Exception as error:
        log.warning("limits_uncounted", error=type(error).__name__)
        return True


def _may_knock(request: HttpRequest, name: str, times: int, seconds: int) -> bool:
    return _count(f"limit:{name}:{_address_of(request)}", seconds) <= times


def _address_of(request: HttpRequest) -> str:
    """Who is counted as one: of IPv6 the network, since one household has a whole one."""
    address = request.META.get("REMOTE_ADDR", "")
    try:
        known = ip_address(address)
    except ValueError:  # a socket has none
        return str(address)
    if isinstance(known, IPv6Address) and known.ipv4_mapped is None:
        return str(IPv6Network((known, 64), strict=False))
    return str(address)


def _count(key: str, seconds: int) -> int:
    """One more, within so many seconds from the first; 0 where the cache cannot tell."""
    try:
        return 1 if cache.add(key, 1, seconds) else int(cache.incr(key))
    except ValueError:  # it ran out between the two calls
        return 0
    except Exception as error:  # each backend has errors of its own, and readers pay for none
        log.warning("limits_uncounted", error=type(error).__name__)
        return 0


def _read(key: str) -> int:
    try:
        return int(cache.get(key) or 0)
    except Exception as error:
        log.warning("limits_uncounted", error=type(error).__name__)
        return 0
