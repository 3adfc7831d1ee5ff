"""The project's middleware: the reader's IP address and language, a short path for webhooks,
and request logs.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import resolve
from django.utils.translation import activate
from django_structlog.middlewares import RequestMiddleware

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


def use_language_of_link(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Use the language that a link names (`?language=uk`), and keep it for the next pages.

    Published pages are files for all readers, so they can't store the reader's choice themselves.
    """

    def handle(request: HttpRequest) -> HttpResponseBase:
        language = request.GET.get("language", "")
        if request.method != "GET" or language not in dict(settings.LANGUAGES):
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
