"""A person's new address: asked for on their page, confirmed from either mailbox by one button."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from campaigns import members, tasks
from campaigns.emails.account import mask_address
from campaigns.forms.account import NewAddressForm
from campaigns.models import AddressChange, Member
from campaigns.models.address_change import Side
from campaigns.views.account_session import redirect_to_account, require_member
from campaigns.views.limits import limited
from campaigns.views.pages import language, show_page
from campaigns.views.private import private


@private
@limited("account_address", times=20, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
@require_member
def change_address(request: HttpRequest, member: Member) -> HttpResponseBase:
    """Asks for the new one, and tells what still waits to be confirmed.

    Whether the new one is known to us is told to nobody: the same is done and said.
    """
    now = timezone.now()
    waiting = members.find_open_change(member, at=now)
    form = NewAddressForm(
        request.POST if request.method == "POST" else None,
        now=member.email,
        initial={"email": waiting.email} if waiting else {},
    )
    if request.method == "POST" and form.is_valid():
        try:
            members.request_address_change(
                member, form.cleaned_data["email"], language=language(), at=now
            )
        except members.ChangeClosed:
            return redirect_to_account("session_ended")
        except members.TooManyChanges:
            form.add_error(
                None, _("You asked for several changes just now. Please try again in an hour.")
            )
        else:
            tasks.run_soon(tasks.do_what_followed)
            return _go("campaigns:account_address")
    context = {
        "form": form,
        "member": member,
        "change": None if form.errors else waiting,
        "hours": _HOURS,
    }
    status = 422 if form.errors else 200
    return show_page(request, "campaigns/readers/account/address.html", context, status=status)


@private
@limited("confirm_address", times=60, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_address(request: HttpRequest, token: str) -> HttpResponseBase:
    """From the link in either mail, by one button: a mail scanner opens, and confirms, nothing."""
    now = timezone.now()
    try:
        if request.method == "POST":
            members.confirm_change(token, at=now)
            tasks.run_soon(tasks.do_what_followed)
            return _go("campaigns:confirm_address", token=token)
        change, side = members.read_change(token, at=now)
    except members.ChangeClosed:
        context = {"hours": _HOURS}
        return show_page(
            request, "campaigns/readers/account/address_closed.html", context, status=410
        )
    return show_page(
        request, "campaigns/readers/account/address_confirm.html", _about(change, side)
    )


_HOURS = int(AddressChange.LASTS.total_seconds() // 3600)


def _about(change: AddressChange, side: Side) -> dict[str, Any]:
    """Whoever has the new mailbox may be a stranger, by a slip: the old address is veiled there."""
    return {
        "change": change,
        "side": side,
        "is_whole": change.old_confirmed_at and change.new_confirmed_at,
        "is_confirmed": change.is_confirmed_at(side),
        "old_hint": mask_address(change.member.email) if side == Side.NEW else change.member.email,
    }


def _go(name: str, **kwargs: str) -> HttpResponse:
    """By a GET, so that reloading it does nothing once more."""
    answer = redirect(reverse(name, kwargs=kwargs or None))
    answer.status_code = 303
    return answer
