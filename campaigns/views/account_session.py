"""The session of the account page: a sign-in link opens it for one hour."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Member
from campaigns.views.pages import redirect_after_post

Params = ParamSpec("Params")
# Keys of the session, which may hold a staff login as well. The member's part expires by itself.
MEMBER_KEY, UNTIL_KEY = "member_id", "member_until"


def find_member(request: HttpRequest) -> Member | None:
    """Return the signed-in member, or None after an hour or once their erasure has begun."""
    until = request.session.get(UNTIL_KEY)
    if until is None or timezone.now() >= datetime.fromisoformat(until):
        return None
    return Member.objects.filter(pk=request.session[MEMBER_KEY], erasure=None).first()


def require_member(
    view: Callable[Concatenate[HttpRequest, Member, Params], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Pass the signed-in member to the view; ask everyone else to sign in."""

    @wraps(view)
    def check_session(
        request: HttpRequest, /, *args: Params.args, **kwargs: Params.kwargs
    ) -> HttpResponseBase:
        member = find_member(request)
        if member is None:
            return redirect_to_account("session_ended")
        return view(request, member, *args, **kwargs)

    return check_session


def end_session(request: HttpRequest) -> None:
    """Sign the member out; a staff login in the same session stays."""
    for key in (MEMBER_KEY, UNTIL_KEY):
        request.session.pop(key, None)
    if request.session.keys():
        request.session.cycle_key()
    else:
        request.session.flush()


def redirect_to_account(result: str = "") -> HttpResponse:
    """Redirect to the account page, which shows a message for `result`."""
    url = reverse("campaigns:account")
    return redirect_after_post(f"{url}?done={result}" if result else url)
