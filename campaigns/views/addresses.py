"""A new e-mail address: requested on the account page, confirmed from both mailboxes."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
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
from campaigns.views.pages import language, redirect_after_post, show_page
from campaigns.views.private import private

_HOURS = int(AddressChange.LASTS.total_seconds() // 3600)


@private
@limited("account_address", times=20, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
@require_member
def change_address(request: HttpRequest, member: Member) -> HttpResponseBase:
    """Ask for the new address and show the change that still needs confirmation.

    The answer doesn't reveal whether we already know the new address.
    """
    now = timezone.now()
    pending = members.find_open_change(member, at=now)
    form = NewAddressForm(
        request.POST if request.method == "POST" else None,
        current=member.email,
        initial={"email": pending.email} if pending else {},
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
                None, _("You’ve asked for too many changes. Please try again in an hour.")
            )
        else:
            tasks.hurry(*tasks.EFFECTS)
            return redirect_after_post("campaigns:account_address")
    context = {
        "form": form,
        "member": member,
        "change": None if form.errors else pending,
        "hours": _HOURS,
    }
    status = 422 if form.errors else 200
    return show_page(request, "campaigns/readers/account/address.html", context, status=status)


@private
@limited("confirm_address", times=60, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_address(request: HttpRequest, token: str) -> HttpResponseBase:
    """Confirm a change from the link in an e-mail; only a POST does, since scanners open links."""
    now = timezone.now()
    try:
        if request.method == "POST":
            members.confirm_change(token, at=now)
            tasks.hurry(*tasks.EFFECTS)
            return redirect_after_post("campaigns:confirm_address", token=token)
        change, side = members.read_change(token, at=now)
    except members.ChangeClosed:
        template = "campaigns/readers/account/address_closed.html"
        return show_page(request, template, {"hours": _HOURS}, status=410)
    context = _describe_change(change, side)
    return show_page(request, "campaigns/readers/account/address_confirm.html", context)


def _describe_change(change: AddressChange, side: Side) -> dict[str, Any]:
    """Return the page's context.

    After a typing error the new mailbox is a stranger's, so it sees the old address masked.
    """
    return {
        "change": change,
        "side": side,
        "is_whole": change.old_confirmed_at and change.new_confirmed_at,
        "is_confirmed": change.is_confirmed_at(side),
        "old_hint": mask_address(change.member.email) if side == Side.NEW else change.member.email,
    }
