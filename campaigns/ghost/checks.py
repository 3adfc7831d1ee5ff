"""System checks of the settings that lead to Ghost."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error

from campaigns.ghost.api import read_key

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CURE = (
    "In Ghost, add a custom integration under Settings, Integrations. Copy its API URL to "
    "GHOST_URL and its Admin API key to GHOST_ADMIN_KEY."
)


def check_ghost(**_: Any) -> list[CheckMessage]:
    """Check that Ghost's address and key are whole, or that both are missing."""
    return list(_find_faults())


def _find_faults() -> Iterator[CheckMessage]:
    url, key = settings.GHOST_URL, settings.GHOST_ADMIN_KEY
    if not url and not key:
        return
    if not url or not _is_site(url):
        yield Error(
            "GHOST_URL is not the https address of a site, but GHOST_ADMIN_KEY is set."
            if not url
            else "GHOST_URL is not the https address of a site.",
            hint=_CURE + " An address looks like https://www.example.org.",
            id="campaigns.E071",
        )
    try:
        read_key(key)
    except ValueError:
        yield Error(
            "GHOST_ADMIN_KEY is not an Admin API key of Ghost.",
            hint=_CURE + " A key has 24 characters, a colon and 64 characters. The Content API "
            "key is another one.",
            id="campaigns.E072",
        )


def _is_site(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and _is_near(parts.hostname))
    is_plain = not parts.query and not parts.fragment and "@" not in parts.netloc
    return bool(parts.hostname) and is_safe and is_plain


def _is_near(host: str | None) -> bool:
    """Return whether requests to a host stay in our own network, so that HTTP is safe enough."""
    return host in _LOOPBACK or "." not in (host or ".")
