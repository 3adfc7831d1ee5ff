"""The project's middleware: the reader's IP address and language, short paths for machines, and
request logs.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import resolve, reverse
from django.utils.translation import activate
from django_structlog.middlewares import RequestMiddleware

from campaigns import stripe_api

WAIT_SECONDS = 10.0
WEBHOOK_PATH = "/stripe/webhook/"
EARLY_PATHS = {WEBHOOK_PATH, "/api/access", "/api/access/check", "/api/newsletters/unsubscribe"}
HEALTH_PATH = "/health/"
PROBES = {"/health/live/", "/health/ready/", "/health/metrics/"}
# Some proxies add the client's port, with IPv6 addresses in brackets.
_ADDRESS_AND_PORT = re.compile(r"([\d.]+):\d+|\[([^\]]+)\](?::\d+)?")


def use_client_address(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Set REMOTE_ADDR to the reader's IP address, as our proxies report it, for rate limits."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        forwarded = request.headers.get("X-Forwarded-For", "")
        if address := read_client_address(forwarded, proxies=settings.BEHIND_PROXY):
            request.META["REMOTE_ADDR"] = address
        return get_response(request)

    return handle


def read_client_address(forwarded: str, *, proxies: int) -> str:
    """Return the reader's IP address from X-Forwarded-For without a port, or "" if it has none.

    Each proxy adds the address of its client at the end. A reader can fake the entries before
    those of our `proxies`. With fewer entries, the request has skipped a proxy.
    """
    entry = forwarded.split(",")[-proxies:][0].strip().strip('"')
    if found := _ADDRESS_AND_PORT.fullmatch(entry):
        entry = found[1] or found[2]
    try:
        return str(ip_address(entry))
    except ValueError:  # for example "unknown"
        return ""


def answer_monitoring_early(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer monitoring before all other middleware, and don't log it.

    Load balancers and Prometheus ask by an IP address and without TLS, which would be refused.
    """

    def handle(request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if path not in PROBES and not (path == HEALTH_PATH and "Authorization" in request.headers):
            return get_response(request)
        answer: HttpResponseBase = resolve(path).func(request)
        return answer

    return handle


def answer_webhooks_early(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer other systems before the middleware for readers: sessions, languages, users, policies.

    They ask in bursts, and that middleware would take a third of the time of each answer.
    """

    def handle(request: HttpRequest) -> HttpResponseBase:
        if request.path_info not in EARLY_PATHS:
            return get_response(request)
        match = request.resolver_match = resolve(request.path_info)
        answer: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        return answer

    return handle


def limit_waits(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Let nobody wait for Stripe for longer than WAIT_SECONDS, however many calls a page makes.

    Calls that a reader waits for go before those of the workers.
    """

    def handle(request: HttpRequest) -> HttpResponseBase:
        with stripe_api.readers_first(), stripe_api.answer_within(WAIT_SECONDS):
            return get_response(request)

    return handle


def use_language_of_link(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Use the language that a link names (`?language=uk`), and keep it for the next pages.

    Published pages are files for all readers, so they can't store the reader's choice themselves.
    In the admin, a language in the address is that of a banner, not of the page.
    """

    def handle(request: HttpRequest) -> HttpResponseBase:
        language = request.GET.get("language", "")
        is_choice = request.method == "GET" and language in dict(settings.LANGUAGES)
        if not is_choice or request.path.startswith(reverse("admin:index")):
            return get_response(request)
        activate(language)  # LocaleMiddleware chooses one for each request
        request.LANGUAGE_CODE = language
        response = get_response(request)
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            path=settings.LANGUAGE_COOKIE_PATH,
            domain=settings.LANGUAGE_COOKIE_DOMAIN,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            samesite="Lax",  # as in the settings, for the choice on a page
        )
        return response

    return handle


class RequestLog(RequestMiddleware):
    """Logs one line for each request, with its route. A path can contain a claim code."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        match = getattr(request, "resolver_match", None)
        return f"{request.method} /{match.route if match else '...'}"
