"""The account page's form for another amount at an open price."""

from functools import partial

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_http_methods

from campaigns import catalogue, members
from campaigns.forms.offers import AmountForm
from campaigns.models import Member
from campaigns.views.account_changes import build_membership_context, change_at_stripe, find_row
from campaigns.views.account_session import redirect_to_account, require_member
from campaigns.views.limits import limited
from campaigns.views.pages import show_page
from campaigns.views.private import private


@private
@limited("account_amount", times=30, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
@require_member
def change_amount(request: HttpRequest, member: Member, membership_id: int) -> HttpResponseBase:
    """Show the amount that a member pays, and from when another one applies; a POST changes it."""
    membership, row = find_row(member, membership_id)
    terms = membership.terms_now
    if not row.can_change_amount or terms is None or membership.price_now is None:
        return redirect_to_account()
    form = AmountForm(
        request.POST if request.method == "POST" else None,
        price=membership.price_now,
        amount_minor=terms.amount_minor,
    )
    if form.is_valid():
        change = partial(
            members.change_amount, membership, amount_minor=form.cleaned_data["amount_minor"]
        )
        return change_at_stripe(request, membership, change, "amount_changed")
    form.show_averages(catalogue.find_averages(form.open_prices.values()))
    context = build_membership_context(membership) | {"form": form, "row": row, "price": terms}
    status = 422 if form.errors else 200
    return show_page(request, "campaigns/readers/account/amount.html", context, status=status)
