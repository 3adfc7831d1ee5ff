"""Renders pages with a strict content security policy and without caching."""

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def render_page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    status: int = 200,
    redirects_to: tuple[str | None, ...] = (),
) -> HttpResponse:
    """Render a page. Its forms may redirect to `redirects_to`, which form-action must name."""
    response = render(request, f"sandbox/{template}", context, status=status)
    origins = sorted({origin for url in redirects_to if url and (origin := _find_origin(url))})
    response.headers["Content-Security-Policy"] = "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self' data:",
            " ".join(("form-action 'self'", *origins)),
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _find_origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else ""


def render_message(
    request: HttpRequest,
    *,
    title: str,
    text: str,
    status: int = 200,
    link: str | None = None,
    link_text: str = "",
) -> HttpResponse:
    context = {"title": title, "text": text, "link": link, "link_text": link_text}
    return render_page(request, "message.html", context, status=status)
