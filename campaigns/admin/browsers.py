"""Known browsers, in which a member of staff has signed in before. A signed cookie says so."""

from secrets import token_urlsafe

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.crypto import salted_hmac

COOKIE = "known_browser"
_SECONDS = 180 * 24 * 3600
_SALT = "campaigns.known_browser"


def remember_browser(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Set the cookie after the user has signed in."""
    browser = find_known_browser(request, user.get_username()) or token_urlsafe(12)
    response.set_cookie(
        COOKIE,
        signing.dumps([_hash_name(user.get_username()), browser], salt=_SALT),
        max_age=_SECONDS,
        path=reverse("admin:index"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def find_known_browser(request: HttpRequest, name: str) -> str:
    """Return the id of a browser in which this name has signed in before, otherwise ""."""
    hashed, browser = _read_cookie(request)
    return browser if hashed == _hash_name(name) else ""


def is_known_browser(request: HttpRequest) -> bool:
    """Return whether any member of staff has signed in with this browser before."""
    return bool(_read_cookie(request)[1])


def _read_cookie(request: HttpRequest) -> tuple[str, str]:
    try:
        hashed, browser = signing.loads(
            request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=_SECONDS
        )
    except signing.BadSignature:
        return "", ""
    return str(hashed), str(browser)


def _hash_name(name: str) -> str:
    return salted_hmac(_SALT, name.casefold(), algorithm="sha256").hexdigest()
