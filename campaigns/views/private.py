"""Pages with a secret in their URL: a claim code or a signed token."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.cache import never_cache

from campaigns.views.pages import show_page

Params = ParamSpec("Params")
View = Callable[Concatenate[HttpRequest, Params], HttpResponseBase]


def private(view: View[Params]) -> View[Params]:
    """Keep the page out of caches, search engines and the Referer header.

    The referrer policy is `strict-origin`, which hides the path as `no-referrer` does. With
    `no-referrer`, browsers send forms with "Origin: null", and Django refuses them.
    """

    @wraps(view)
    def respond(
        request: HttpRequest, /, *args: Params.args, **kwargs: Params.kwargs
    ) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = "strict-origin"
        response["X-Robots-Tag"] = "noindex"
        return response

    return never_cache(respond)


def show_bad_link(request: HttpRequest, *, about: str) -> HttpResponse:
    """Say that a signed link is incomplete, was changed or has expired."""
    context = {"about": about}
    return show_page(request, "campaigns/readers/shared/link_closed.html", context, status=410)
