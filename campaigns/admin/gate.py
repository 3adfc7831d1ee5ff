"""The middleware of the admin: second factors, kept forms, and whose changes are noted."""

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext

from campaigns.admin.browsers import is_known_browser
from campaigns.admin.identity import keep_form, restore_form, seconds_since_sign_in
from campaigns.history import changes_by

# A second factor is asked for again after a working day.
SECOND_FACTOR_SECONDS = 12 * 3600
# Below the admin's first page. These pages are needed to sign in and to set up a second factor.
OPEN_PAGES = ("login/", "logout/", "account/", "password_change/", "jsi18n/")


def guard_admin(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Ask staff for their second factor, and lose no form while they sign in."""
    root = reverse("admin:index")

    def handle(request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if not path.startswith(root):
            return get_response(request)
        if path.removeprefix(root).startswith(OPEN_PAGES):
            return _answer(request)
        step = _find_step(request)
        if (step or not request.user.is_authenticated) and _is_beside_page(request):
            # The answer must not delete the new session's cookie, in which the form is kept.
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
            return HttpResponse(status=204)
        if not request.user.is_authenticated:
            if is_known_browser(request):  # strangers can't fill our sessions
                keep_form(request)
        elif step:
            keep_form(request)
            page, words = step
            messages.info(request, words)
            return HttpResponseRedirect(f"{page}?{urlencode({'next': request.get_full_path()})}")
        else:
            restore_form(request)
        return _answer(request)

    def _answer(request: HttpRequest) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return get_response(request)
        with changes_by(request.user):
            return get_response(request)

    return handle


def _is_beside_page(request: HttpRequest) -> bool:
    """Return whether the answer is for a frame or a script, which browsers say.

    The preview of banners sends the form into a frame while it is typed, and the home page asks for
    itself. No page for signing in can be shown there, and the form of a preview must not take the
    place of one that was kept.
    """
    return request.headers.get("Sec-Fetch-Dest") in {"iframe", "empty"}


def _find_step(request: HttpRequest) -> tuple[str, str] | None:
    """Return the page on which this user sets up or confirms a second factor, and why."""
    if not settings.REQUIRE_SECOND_FACTOR or not request.user.is_staff:
        return None
    if seconds_since_sign_in(request, method="mfa") < SECOND_FACTOR_SECONDS:
        return None
    if is_mfa_enabled(request.user):
        return reverse("mfa_reauthenticate"), gettext("Confirm your second factor to continue.")
    return reverse("mfa_index"), gettext("Set up a second factor to continue.")
