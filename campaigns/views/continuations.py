"""The link in the e-mail about an unfinished purchase: a fresh payment page for what was typed."""

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from campaigns import checkout as checkouts
from campaigns import memberships, settlement, stripe_api
from campaigns.emails import links
from campaigns.models import Checkout, Member, Price
from campaigns.models.erasure import is_of_erased
from campaigns.views.limits import limited
from campaigns.views.pages import checkout_context, log_refusal, redirect_after_post, show_page
from campaigns.views.private import private, show_bad_link

log = structlog.get_logger(__name__)


@private
@limited("continue", times=30, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def continue_checkout(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show what was ordered; a POST opens the payment page, since e-mail scanners open links."""
    checkout = _find_checkout(token)
    if checkout is None:
        return show_bad_link(request, about="unfinished")
    if checkout.is_complete:
        return redirect("campaigns:thanks", checkout_id=checkout.pk)
    if _is_member_already(checkout):
        context = checkout_context(checkout) | {"form_url": _find_form(checkout)}
        return show_page(request, "campaigns/readers/order/already_member.html", context)
    if not _is_on_sale(checkout):
        return redirect(_find_form(checkout))
    if request.method == "POST":
        return _open_payment(request, checkout)
    return _show_order(request, checkout)


def _show_order(
    request: HttpRequest, checkout: Checkout, *, is_refused: bool = False
) -> HttpResponse:
    context = checkout_context(checkout) | {
        "price": checkout.terms,
        "form_url": _find_form(checkout),
        "is_refused": is_refused,
    }
    template = "campaigns/readers/order/continue.html"
    return show_page(request, template, context, status=422 if is_refused else 200)


def _find_checkout(token: str) -> Checkout | None:
    try:
        checkout_id = links.read_continue_token(token)
    except links.BadLink:
        return None
    found = Checkout.objects.select_related("campaign", "price__plan").filter(pk=checkout_id)
    checkout = found.first()
    return None if checkout is None or is_of_erased(checkout.email) else checkout


def _find_form(checkout: Checkout) -> str:
    if checkout.campaign is None:
        return reverse("campaigns:any_join")
    form = reverse(f"campaigns:{checkout.kind}", kwargs={"slug": checkout.campaign.slug})
    return f"{form}?again={checkout.pk}"


def _is_on_sale(checkout: Checkout) -> bool:
    campaign = checkout.campaign
    is_contribution = checkout.kind == Checkout.Kind.CONTRIBUTION
    if is_contribution and campaign is not None and not campaign.takes_contributions:
        return False
    is_offered = Price.objects.on_sale().filter(pk=checkout.price_id).exists()
    return is_offered and checkout.price.allows(checkout.amount_minor // checkout.quantity)


def _is_member_already(checkout: Checkout) -> bool:
    """Return whether the order is for a membership that its buyer got meanwhile."""
    if checkout.kind != Checkout.Kind.JOIN:
        return False
    member = Member.objects.filter(email=checkout.email).first()
    return member is not None and memberships.has_access(member, timezone.now())


def _open_payment(request: HttpRequest, checkout: Checkout) -> HttpResponse:
    try:
        opened = checkouts.start_checkout(checkout.pk, checkouts.repeat_order(checkout))
    except stripe_api.StripeRefused as error:
        log_refusal("continue_refused", error)
        return _show_order(request, checkout, is_refused=True)
    except (stripe_api.StripeError, settlement.SettlementBusy) as error:
        log.warning("stripe_unavailable", error=type(error).__name__)
        context = checkout_context(checkout) | {"action": request.get_full_path()}
        return show_page(
            request, "campaigns/readers/shared/payment_unavailable.html", context, status=503
        )
    if opened.is_complete:
        return redirect_after_post("campaigns:thanks", checkout_id=opened.pk)
    return redirect_after_post(opened.session_url)
