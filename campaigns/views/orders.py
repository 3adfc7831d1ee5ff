"""The forms that take an order, for oneself or as a gift."""

from typing import Any
from uuid import UUID

import structlog
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from campaigns import checkout as checkouts
from campaigns import settlement, stripe_api
from campaigns.forms import CheckoutForm, GiftForm, JoinForm, new_token, token_for
from campaigns.models import Campaign, Checkout
from campaigns.views.limits import limited
from campaigns.views.pages import campaign_context, language, show_page

log = structlog.get_logger(__name__)


@never_cache
@limited("checkout", times=30, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, slug: str) -> HttpResponseBase:
    return _take_order(request, slug, form_class=JoinForm, kind=Checkout.Kind.JOIN)


@never_cache
@limited("checkout", times=30, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def give(request: HttpRequest, slug: str) -> HttpResponseBase:
    return _take_order(request, slug, form_class=GiftForm, kind=Checkout.Kind.GIFT)


def _take_order(
    request: HttpRequest, slug: str, *, form_class: type[CheckoutForm], kind: Checkout.Kind
) -> HttpResponseBase:
    campaign = get_object_or_404(Campaign, slug=slug)
    context = campaign_context(campaign)
    template = f"campaigns/readers/{kind}.html"
    if request.method != "POST":
        form = form_class(campaign=campaign, initial=_initial(request, kind))
        return show_page(request, template, context | {"form": form})
    form = form_class(request.POST, campaign=campaign)
    if not form.is_valid():
        if "token" in form.errors:  # nothing typed is lost, and the next try has a good token
            typed = request.POST.copy()
            typed["token"] = new_token()
            form.data = typed
        return show_page(request, template, context | {"form": form}, status=422)
    order = _order(form.cleaned_data, campaign=campaign, kind=kind)
    try:
        checkout = checkouts.start_checkout(form.cleaned_data["token"], order)
    except (stripe_api.StripeError, settlement.SettlementBusy) as error:
        if isinstance(error, stripe_api.StripeRefused) and error.param == "customer_email":
            form.refuse_email()
            return show_page(request, template, context | {"form": form}, status=422)
        log.warning("stripe_unavailable", error=type(error).__name__)
        context |= {"form": form, "action": request.get_full_path()}
        return show_page(request, "campaigns/readers/unavailable.html", context, status=503)
    if checkout.is_complete:
        return redirect("campaigns:thanks", checkout_id=checkout.pk)
    answer = redirect(checkout.session_url)
    answer.status_code = 303
    return answer


def _initial(request: HttpRequest, kind: Checkout.Kind) -> dict[str, Any]:
    """An empty form, or what a reader typed before who comes back by `?again=` from Stripe."""
    origin = request.GET.get("from", "")[:32]
    try:
        again = Checkout.objects.filter(pk=UUID(request.GET["again"]), kind=kind).first()
    except (KeyError, ValueError):
        again = None
    if again is None:
        return {"token": new_token(), "placement": origin}
    wanted: dict[str, Any] = (again.typed.get("gifts") or [{}])[0]
    return {
        # A row whose session is complete sold something: the next try is a purchase of its own.
        "token": new_token() if again.is_complete else token_for(again.pk),
        "placement": again.placement,
        "price": again.price_id,
        "name": again.name,
        "email": again.email,
        "hand_over": bool(wanted) and not wanted.get("recipient_email"),
    } | wanted


def _order(typed: dict[str, Any], *, campaign: Campaign, kind: Checkout.Kind) -> checkouts.Order:
    wanted = ("recipient_name", "recipient_email", "message")
    return checkouts.Order(
        kind=kind,
        price=typed["price"],
        email=typed["email"],
        name=typed["name"],
        language=language(),
        campaign=campaign,
        placement=typed["placement"],
        typed={"gifts": [{name: typed[name] for name in wanted}]}
        if kind == Checkout.Kind.GIFT
        else {},
    )


def preview_mail(request: HttpRequest, slug: str) -> HttpResponseBase:
    return redirect("campaigns:gift", slug=slug)


def preview_card(request: HttpRequest, slug: str) -> HttpResponseBase:
    return redirect("campaigns:gift", slug=slug)


def give_many(request: HttpRequest, slug: str) -> HttpResponseBase:
    return redirect("campaigns:gift", slug=slug)
