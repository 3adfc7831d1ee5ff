"""The erasure of a person's data: explained and confirmed on the account page."""

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import actions, tasks
from campaigns.forms.account import ErasureForm
from campaigns.models import Gift, Member, Membership
from campaigns.views.account_session import end_session, redirect_to_account, require_member
from campaigns.views.limits import limited
from campaigns.views.pages import language, redirect_after_post, show_page
from campaigns.views.private import private


@private
@limited("account_erase", times=20, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
@require_member
def erase_data(request: HttpRequest, member: Member) -> HttpResponseBase:
    """Explain what is erased and what is kept; after confirmation, request it and sign out."""
    form = ErasureForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.request_erasure(member, language=language())
        except actions.MemberGone:  # merged into another member just now
            return redirect_to_account("session_ended")
        end_session(request)
        tasks.hurry("erasures")
        return redirect_after_post("campaigns:account_erased")
    subscriptions = member.memberships.filter(source=Membership.Source.SUBSCRIPTION)
    context = {
        "form": form,
        "member": member,
        "has_running": subscriptions.exclude(status=Membership.Status.ENDED).exists(),
        "has_unclaimed": member.gifts_bought.filter(status__in=Gift.CLAIMABLE).exists(),
        "has_payments": member.payments.exists(),
    }
    status = 422 if form.errors else 200
    return show_page(request, "campaigns/readers/account/erase.html", context, status=status)


@private
@require_safe
def show_erased(request: HttpRequest) -> HttpResponseBase:
    return show_page(request, "campaigns/readers/account/erased.html")
