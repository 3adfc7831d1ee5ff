"""A WSGI application around Django's that hands out published files before Django sees a request.

Millions of readers open them, so this is as short as it can be. A web server in front, such as
nginx, can hand out the same files itself.
"""

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.module_loading import import_string

from campaigns.banners import answer_from_file

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

STATUS = {200: "200 OK", 304: "304 Not Modified"}
# The middleware that protects pages by headers.
PROTECTION = (
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)


class PublishedFiles:
    """Answers requests for published files, and leaves all others to the application."""

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application
        self.page_headers = collect_page_headers()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        if method not in {"GET", "HEAD"} or _is_redirected(environ):
            return self.application(environ, start_response)
        answer = answer_from_file(
            environ["PATH_INFO"],
            coding=environ.get("HTTP_ACCEPT_ENCODING", ""),
            etag=environ.get("HTTP_IF_NONE_MATCH", ""),
            cookie=environ.get("HTTP_COOKIE", ""),
            languages=environ.get("HTTP_ACCEPT_LANGUAGE", ""),
        )
        if answer is None:
            return self.application(environ, start_response)
        headers = answer.headers + self.page_headers if answer.is_page else answer.headers
        start_response(STATUS[answer.status], headers)
        return [] if method == "HEAD" else [answer.body]


def _is_redirected(environ: dict[str, Any]) -> bool:
    """Return whether Django will redirect the request to HTTPS."""
    if not settings.SECURE_SSL_REDIRECT:
        return False
    header, value = settings.SECURE_PROXY_SSL_HEADER or ("wsgi.url_scheme", "https")
    return str(environ.get(header, "")).partition(",")[0].strip() != value


def collect_page_headers() -> list[tuple[str, str]]:
    """Return the headers that Django's middleware adds to every page."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        return HttpResponse()

    for name in reversed(PROTECTION):
        answer = import_string(name)(answer)
    header, value = settings.SECURE_PROXY_SSL_HEADER or ("wsgi.url_scheme", "https")
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "443",
        "wsgi.input": BytesIO(),
        "wsgi.url_scheme": "https",
        header: value,
    }
    response = answer(WSGIRequest(environ))
    # Files have a Content-Type and a protection against sniffing of their own.
    own = {"content-type", "x-content-type-options"}
    return [(name, value) for name, value in response.items() if name.lower() not in own]
