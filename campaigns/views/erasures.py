"""To be forgotten: asked for on one's own page, said in plain words, and confirmed by a tick."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import members, tasks
from campaigns.forms.account import ErasureForm
from campaigns.models import Gift, Member, Membership
from campaigns.views.account_session import end_session, redirect_to_account, require_member
from campaigns.views.limits import limited
from campaigns.views.pages import language, show_page
from campaigns.views.private import private


@private
@limited("account_erase", times=20, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
@require_member
def erase_data(request: HttpRequest, member: Member) -> HttpResponseBase:
    """Says what goes and what stays; once it is confirmed, this page is theirs no longer."""
    form = ErasureForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            members.ask_erasure(member, language=language())
        except Member.DoesNotExist:  # made one with another this moment
            return redirect_to_account("session_ended")
        end_session(request)
        tasks.run_soon(tasks.sweep)
        answer = redirect("campaigns:account_erased")
        answer.status_code = 303
        return answer
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
