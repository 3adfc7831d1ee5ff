"""The project's middleware: the reader's IP address, a short path for webhooks, request logs."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.urls import resolve
from django_structlog.middlewares import RequestMiddleware

from campaigns import stripe_api

WEBHOOK_PATH = "/stripe/webhook/"


def use_proxy_address(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Set REMOTE_ADDR to the reader's IP address, as the proxy reports it, for rate limits.

    The proxy adds the last entry of X-Forwarded-For. A reader can fake the entries before it.
    """

    def handle(request: HttpRequest) -> HttpResponseBase:
        address = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if address:
            request.META["REMOTE_ADDR"] = address
        return get_response(request)

    return handle


def answer_webhooks_early(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer webhooks before the middleware for readers: sessions, languages, users, policies.

    Webhooks arrive in bursts, and that middleware would take a third of the time of each answer.
    """

    def handle(request: HttpRequest) -> HttpResponseBase:
        if request.path_info != WEBHOOK_PATH:
            return get_response(request)
        match = request.resolver_match = resolve(WEBHOOK_PATH)
        answer: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        return answer

    return handle


def put_readers_first(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Let the calls to Stripe that somebody waits for go ahead of those of the workers."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        with stripe_api.readers_first():
            return get_response(request)

    return handle


class RequestLog(RequestMiddleware):
    """Logs one line for each request, with its route. A path can contain a claim code."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        match = getattr(request, "resolver_match", None)
        return f"{request.method} /{match.route if match else '...'}"
