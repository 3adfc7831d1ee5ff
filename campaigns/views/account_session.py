"""Whose own page it is: who opened it by a link, for an hour."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Member

Params = ParamSpec("Params")
# Beside a login of the staff in the same session, and with a time of its own.
WHO, UNTIL = "member_id", "member_until"


def find_member(request: HttpRequest) -> Member | None:
    """Who opened this page by a link within the last hour."""
    until = request.session.get(UNTIL)
    if until is None or timezone.now() >= datetime.fromisoformat(until):
        return None
    # Of somebody who is being erased it is closed at once, on every device.
    return Member.objects.filter(pk=request.session[WHO], erasure=None).first()


def require_member(
    view: Callable[Concatenate[HttpRequest, Member, Params], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Hand the view whose page it is; whoever is not known any more is asked for the address."""

    @wraps(view)
    def find(
        request: HttpRequest, /, *args: Params.args, **kwargs: Params.kwargs
    ) -> HttpResponseBase:
        member = find_member(request)
        return (
            redirect_to_account("session_ended")
            if member is None
            else view(request, member, *args, **kwargs)
        )

    return find


def end_session(request: HttpRequest) -> None:
    for key in (WHO, UNTIL):
        request.session.pop(key, None)
    if request.session.keys():  # a login of the staff
        request.session.cycle_key()
    else:
        request.session.flush()


def redirect_to_account(done: str = "") -> HttpResponse:
    """By a GET, so that reloading it does nothing once more."""
    address = reverse("campaigns:account")
    answer = redirect(f"{address}?done={done}" if done else address)
    answer.status_code = 303
    return answer
