"""The search in the header of every admin page: one box for people, money, gifts and Stripe ids."""

from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext

from campaigns.admin.outcomes import explain_gift, explain_payment, explain_strange_ids
from campaigns.admin.pages import page_of
from campaigns.admin.standing import describe_standing
from campaigns.models import Checkout, Gift, Member, Payment, StripeEvent
from campaigns.reports.search import MOST, Found, search_everything

MOST_WITH_STEPS = 6
# The models of the search, with the field of `Found` that holds their rows.
_FIELDS: dict[str, type[Model]] = {
    "people": Member,
    "payments": Payment,
    "purchases": Checkout,
    "gifts": Gift,
    "events": StripeEvent,
}


def show_search(request: HttpRequest) -> HttpResponse:
    """Show what was found, or the page of the only row that was."""
    everything = search_everything(request.GET.get("q", ""))
    found = _leave_out_paid(_hide_secret_rows(request, everything))
    if len(found.rows) == 1 and isinstance(found.rows[0], Member | Gift):
        return HttpResponseRedirect(page_of(found.rows[0]))
    now = timezone.now()
    # Whether a step is possible takes queries, so many results have words alone.
    given = {"has_steps": len(found.payments) + len(found.gifts) <= MOST_WITH_STEPS}
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": gettext("Search"),
        "search": found,
        "most": MOST if _is_full(found) else 0,
        "people": [(each, describe_standing(each, at=now)) for each in found.people],
        "payments": [explain_payment(request, each, at=now, **given) for each in found.payments],
        "gifts": [explain_gift(request, each, **given) for each in found.gifts],
        "strange": "" if found.payments else explain_strange_ids(everything.events),
        "may_settle": request.user.has_perm("campaigns.change_checkout"),
    }
    return TemplateResponse(request, "campaigns/staff/search.html", context)


def _leave_out_paid(found: Found) -> Found:
    """Leave out the purchases whose payment was found: it says what became of them."""
    paid = {payment.checkout_id for payment in found.payments}
    purchases = [
        each
        for each in found.purchases
        if each.status != Checkout.Status.PAID or each.pk not in paid
    ]
    return replace(found, purchases=purchases)


def _is_full(found: Found) -> bool:
    """Return whether there may be more rows of a kind than are shown."""
    return any(len(getattr(found, name)) == MOST for name in _FIELDS)


def _hide_secret_rows(request: HttpRequest, found: Found) -> Found:
    """Return what the user may view."""
    hidden: dict[str, list[Any]] = {
        name: []
        for name, model in _FIELDS.items()
        if not any(
            request.user.has_perm(f"campaigns.{deed}_{model._meta.model_name}")
            for deed in ("view", "change")
        )
    }
    return replace(found, **hidden)  # type: ignore[arg-type]
