"""A second sign-in before actions that can't be undone. The form that was sent is not lost.

A form that can't be carried out yet, because the session has ended or the user has to confirm who
they are, is kept in the session. It is shown filled in when the user returns to its page.
"""

import time

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.http import urlencode
from django.utils.translation import gettext

from campaigns.money import to_major

CONFIRMED_SECONDS = 600
KEPT_SECONDS = 3600
LARGEST_FORM = 100_000  # characters
_KEPT = "kept_form"


def is_confirmed(request: HttpRequest) -> bool:
    """Return whether the user has signed in, or confirmed who they are, in the last ten minutes."""
    return seconds_since_sign_in(request) < CONFIRMED_SECONDS


def seconds_since_sign_in(request: HttpRequest, *, method: str = "") -> float:
    """Return the seconds since a sign-in in this session by `method`, or by any."""
    records = get_authentication_records(request, request.user)
    times = [record["at"] for record in records if method in {"", record["method"]}]
    return time.time() - max(times, default=0.0)


def is_large_refund(minor: int, currency: str) -> bool:
    """Return whether staff have to confirm who they are before they refund this amount."""
    return to_major(minor, currency) > settings.REAUTHENTICATE_REFUND_OVER


def confirm_identity(request: HttpRequest) -> HttpResponse:
    """Lead to the page that confirms who the user is, and then back; keep the form."""
    methods = get_adapter().get_reauthentication_methods(request.user)
    if not methods:
        raise PermissionDenied
    keep_form(request)
    query = urlencode({"next": request.get_full_path()})
    return HttpResponseRedirect(f"{methods[0]['url']}?{query}")


def keep_form(request: HttpRequest) -> bool:
    """Keep the fields of a form that was sent, apart from passwords and files.

    Return whether there was a form that is not too long.
    """
    if request.method != "POST":
        return False
    fields = request.POST.copy()
    for name in [*fields]:
        if name == "csrfmiddlewaretoken" or "password" in name:
            del fields[name]
    text = fields.urlencode()
    if len(text) > LARGEST_FORM:
        return False
    kept = {"path": request.get_full_path(), "fields": text, "at": time.time()}
    request.session[_KEPT] = kept
    if not request.user.is_authenticated:
        request.session.set_expiry(KEPT_SECONDS)  # signing in makes it longer
    return True


def restore_form(request: HttpRequest) -> None:
    """Fill in the form of this page, if it was kept: as if typed again, but not sent."""
    kept = request.session.get(_KEPT)
    if kept is None:
        return
    is_old = time.time() - kept["at"] > KEPT_SECONDS
    is_here = request.method == "GET" and kept["path"] == request.get_full_path()
    if is_old or is_here:
        del request.session[_KEPT]
    if is_old or not is_here:
        return
    request.POST = QueryDict(kept["fields"])
    words = gettext(
        "Nothing has been saved yet. The form still has what you typed: check it and send it again."
    )
    messages.warning(request, words)


def show_again(request: HttpRequest, fields: QueryDict) -> None:
    """Have the page show its form with these fields, as if typed again, instead of saving it."""
    request.method = "GET"
    request.POST = fields  # type: ignore[assignment] # as in restore_form


def is_restored(request: HttpRequest) -> bool:
    """Return whether the page's form is filled in with what was typed before."""
    return request.method == "GET" and bool(request.POST)
