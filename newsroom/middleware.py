"""What every request passes before it reaches a view of the project."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.urls import resolve
from django_structlog.middlewares import RequestMiddleware

WEBHOOK_PATH = "/stripe/webhook/"


def believe_the_proxy(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Take the reader's address from the proxy in front of us, for the limits on what one may do.

    The last entry is the proxy's own; those before it may be anybody's invention.
    """

    def handle(request: HttpRequest) -> HttpResponseBase:
        address = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if address:
            request.META["REMOTE_ADDR"] = address
        return get_response(request)

    return handle


def bring_webhooks_in(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Webhooks go by what follows, which is for readers: sessions, languages, users, policies.

    They come in bursts, and a third of an answer's time would be spent on it.
    """

    def handle(request: HttpRequest) -> HttpResponseBase:
        if request.path_info != WEBHOOK_PATH:
            return get_response(request)
        match = request.resolver_match = resolve(WEBHOOK_PATH)
        answer: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        return answer

    return handle


class RequestLog(RequestMiddleware):
    """One line a request that names its route, never its path: a claim code is a path's part."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        match = getattr(request, "resolver_match", None)
        return f"{request.method} /{match.route if match else '...'}"
