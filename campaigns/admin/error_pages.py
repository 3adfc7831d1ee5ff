"""Pages for requests that fail: in the admin, they have its frame and its words, and lead on.

Readers get Django's own views with our templates.
"""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views import csrf, defaults

from campaigns.admin.identity import keep_form


def show_bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400. Like the page for 500, it needs neither the database nor a session."""
    template = "campaigns/staff/bad_request.html" if _is_admin(request) else "400.html"
    return defaults.bad_request(request, exception, template)


def show_server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500."""
    template = "campaigns/staff/server_error.html" if _is_admin(request) else "500.html"
    return defaults.server_error(request, template)


def show_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403."""
    if not _is_staff_in_admin(request):
        return defaults.permission_denied(request, exception)
    title = gettext("You don’t have access to this page")
    words = gettext("Your role doesn’t include it. If you need it, ask an administrator.")
    return _show(request, 403, title, words)


def show_missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    if not _is_staff_in_admin(request):
        return defaults.page_not_found(request, exception)
    title = gettext("We can’t find this page")
    words = gettext("The link may be incomplete, or what it led to was deleted, erased or merged.")
    return _show(request, 404, title, words)


def refuse_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form without a valid CSRF token.

    Staff who signed in again in another window have an old token in this one. Their form is shown
    filled in, and isn't sent. Browsers say whether it came from a page of ours.
    """
    is_ours = request.headers.get("Sec-Fetch-Site") == "same-origin"
    if is_ours and _is_staff_in_admin(request) and keep_form(request):
        return HttpResponseRedirect(request.get_full_path())
    return csrf.csrf_failure(request, reason)


def _show(request: HttpRequest, status: int, title: str, words: str) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": title, "words": words}
    return render(request, "campaigns/staff/refused.html", context, status=status)


def _is_admin(request: HttpRequest) -> bool:
    return request.path.startswith(reverse("admin:index"))


def _is_staff_in_admin(request: HttpRequest) -> bool:
    return _is_admin(request) and admin.site.has_permission(request)
