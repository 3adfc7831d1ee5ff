"""How often one address may knock: a counter in the cache."""

from collections.abc import Callable
from functools import wraps
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
                answer = render(request, "campaigns/readers/too_many.html", status=429)
                answer["Retry-After"] = str(seconds)
                return answer
            return view(request, *args, **kwargs)

        return limit

    return decorate


def is_first_within(seconds: int, *, name: str) -> bool:
    """Whether nobody did that in the last seconds; without the cache everybody is the first."""
    try:
        return bool(cache.add(f"first:{name}", 1, seconds))
    except Exception as error:
        log.warning("limits_uncounted", error=type(error).__name__)
        return True


def _may_knock(request: HttpRequest, name: str, times: int, seconds: int) -> bool:
    key = f"limit:{name}:{request.META.get('REMOTE_ADDR', '')}"
    try:
        return cache.add(key, 1, seconds) or int(cache.incr(key)) <= times
    except ValueError:  # it ran out between the two calls
        return True
    except Exception as error:  # each backend has errors of its own, and readers pay for none
        log.warning("limits_uncounted", error=type(error).__name__)
        return True
