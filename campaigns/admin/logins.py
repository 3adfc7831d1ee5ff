"""Logging in to the admin: limits by network and by name.

Anyone can use up the limit of a name, so a browser in which that name has logged in before has a
limit of its own: a signed cookie names it. Attempts are counted before the password is hashed, as
that takes a third of a second of a processor.
"""

from secrets import token_urlsafe
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from campaigns.attempts import count_attempt, find_network

SECONDS = 600
TIMES_BY_NETWORK = 20  # an office is one address
TIMES_BY_NAME = 10
COOKIE = "known_browser"
COOKIE_SECONDS = 180 * 24 * 3600
_SALT = "campaigns.known_browser"


class LoginForm(AdminAuthenticationForm):
    """Django's form, with limits. `is_refused` says whether an attempt was beyond one."""

    is_refused = False

    def clean(self) -> dict[str, Any]:
        assert self.request is not None
        name = self.cleaned_data.get("username")
        if name and self.cleaned_data.get("password") and not _may_try(self.request, name):
            self.is_refused = True
            raise ValidationError(
                _("Too many attempts to log in. Wait ten minutes and try again."), code="refused"
            )
        return super().clean()


admin.site.login_form = LoginForm


def show_login(request: HttpRequest) -> HttpResponse:
    """Show the login page, answer 429 beyond a limit, and remember a browser that has logged in."""
    response = admin.site.login(request)
    context = getattr(response, "context_data", None) or {}
    if getattr(context.get("form"), "is_refused", False):
        response.status_code = 429
        response["Retry-After"] = str(SECONDS)
    elif request.method == "POST" and response.status_code == 302:
        _remember_browser(request, response)
    return response


def _may_try(request: HttpRequest, name: str) -> bool:
    if browser := _find_known_browser(request, name):
        return count_attempt(f"login:browser:{browser}", seconds=SECONDS) <= TIMES_BY_NAME
    by_network = count_attempt(f"login:network:{find_network(request)}", seconds=SECONDS)
    if by_network > TIMES_BY_NETWORK:
        return False  # not counted for the name: others could then use up the limits of all names
    return count_attempt(f"login:name:{name.casefold()}", seconds=SECONDS) <= TIMES_BY_NAME


def _remember_browser(request: HttpRequest, response: HttpResponse) -> None:
    name = request.user.get_username()
    browser = _find_known_browser(request, name) or token_urlsafe(12)
    response.set_cookie(
        COOKIE,
        signing.dumps([_hash_name(name), browser], salt=_SALT),
        max_age=COOKIE_SECONDS,
        path=reverse("admin:login"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _find_known_browser(request: HttpRequest, name: str) -> str:
    """Return the id of a browser in which this name has logged in before, otherwise ""."""
    try:
        hashed, browser = signing.loads(
            request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=COOKIE_SECONDS
        )
    except signing.BadSignature:
        return ""
    return str(browser) if hashed == _hash_name(name) else ""


def _hash_name(name: str) -> str:
    return salted_hmac(_SALT, name.casefold(), algorithm="sha256").hexdigest()
