"""How often one address may knock: a counter in the cache."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

Params = ParamSpec("Params")
View = Callable[Concatenate[HttpRequest, Params], HttpResponseBase]


def limited(name: str, *, times: int, seconds: int) -> Callable[[View[Params]], View[Params]]:
    """Answer 429 to the POSTs of one address beyond so many in so many seconds."""

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


def _may_knock(request: HttpRequest, name: str, times: int, seconds: int) -> bool:
    key = f"limit:{name}:{request.META.get('REMOTE_ADDR', '')}"
    if cache.add(key, 1, seconds):
        return True
    try:
        return int(cache.incr(key)) <= times
    except ValueError:  # it ran out between the two calls
        return True
