"""What the pages have in common whose address is a secret: a claim code, or a signed token."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.cache import never_cache

from campaigns.views.pages import show_page

Params = ParamSpec("Params")
View = Callable[Concatenate[HttpRequest, Params], HttpResponseBase]


def private(view: View[Params]) -> View[Params]:
    """No cache keeps the answer, no search engine lists it, and no other page learns its address.

    The policy is `strict-origin` and not `no-referrer`, by which no address goes out either: with
    the latter a browser sends its forms along with "Origin: null", and Django refuses them.
    """

    @wraps(view)
    def answer(
        request: HttpRequest, /, *args: Params.args, **kwargs: Params.kwargs
    ) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = "strict-origin"
        response["X-Robots-Tag"] = "noindex"
        return response

    return never_cache(answer)


def show_closed(request: HttpRequest, *, about: str) -> HttpResponse:
    """A link that says nothing: it was changed on its way, or its time is over."""
    context = {"about": about}
    return show_page(request, "campaigns/readers/shared/link_closed.html", context, status=410)
