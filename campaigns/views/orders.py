"""The order forms for a membership, a gift or many gifts, and the previews of a gift."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from csp.constants import NONE, UNSAFE_INLINE
from csp.decorators import csp
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from campaigns import catalogue, settlement, stripe_api
from campaigns import checkout as checkouts
from campaigns.emails import links
from campaigns.emails.delivery import render_mail
from campaigns.forms import (
    CheckoutForm,
    ContributionForm,
    GiftForm,
    GiftsForm,
    JoinForm,
    PersonForm,
    new_token,
    token_for,
)
from campaigns.forms.delivery import delivery_initial
from campaigns.gifts.cards import SPECIMEN_CODE, render_card
from campaigns.models import Campaign, Checkout, Gift
from campaigns.models.erasure import is_of_erased
from campaigns.views.account_session import find_member
from campaigns.views.limits import limited
from campaigns.views.newsletters import ask_for_newsletters
from campaigns.views.origins import describe_reader, read_origin
from campaigns.views.pages import (
    campaign_context,
    kept_for_back_button,
    language,
    redirect_after_post,
    show_page,
)

log = structlog.get_logger(__name__)

# The preview of an e-mail may use its own styles and load nothing.
_EMAIL_POLICY = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "frame-ancestors": [NONE],
    "sandbox": ["allow-popups"],
}


@kept_for_back_button
@limited("checkout", times=30, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def order_membership(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Show the form for a membership; a POST orders it."""
    campaign = get_object_or_404(Campaign, slug=slug)
    if request.method != "POST":
        earlier = _find_earlier_checkout(request, Checkout.Kind.JOIN)
        form = JoinForm(campaign=campaign, initial=_order_initial(request, earlier))
        _choose_again(form, earlier)
        return _show_form(request, form)
    return _take_order(request, JoinForm(request.POST, campaign=campaign))


@kept_for_back_button
@limited("checkout", times=30, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def order_contribution(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Show the form for a contribution without membership; a POST orders it."""
    campaign = get_object_or_404(Campaign, slug=slug, takes_contributions=True)
    if request.method != "POST":
        earlier = _find_earlier_checkout(request, Checkout.Kind.CONTRIBUTION)
        member = find_member(request) if earlier is None else None
        known = {"name": member.name, "email": member.email} if member else {}
        initial = _order_initial(request, earlier) | known
        form = ContributionForm(campaign=campaign, initial=initial)
        _choose_again(form, earlier)
        response = _show_form(request, form)
        if member is not None:  # after they sign out, nobody else may go back to it
            add_never_cache_headers(response)
        return response
    return _take_order(request, ContributionForm(request.POST, campaign=campaign))


@kept_for_back_button
@limited("checkout", times=30, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def order_gift(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Show the form for one gift; a POST orders it."""
    campaign = get_object_or_404(Campaign, slug=slug)
    if request.method != "POST":
        earlier = _find_earlier_checkout(request, Checkout.Kind.GIFT)
        if earlier is not None and earlier.quantity > 1:
            return redirect(f"{_campaign_url('gift_many', campaign)}?again={earlier.pk}")
        initial = _order_initial(request, earlier) | _gift_initial(earlier)
        return _show_form(request, GiftForm(campaign=campaign, initial=initial))
    return _take_order(request, GiftForm(request.POST, campaign=campaign))


@kept_for_back_button
@limited("checkout_many", times=60, seconds=600)  # also counts adding rows and lists
@require_http_methods(["GET", "HEAD", "POST"])
def order_gifts(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Show the form for many gifts; a POST adds rows, reads a list or orders the gifts."""
    campaign = get_object_or_404(Campaign, slug=slug)
    if request.method != "POST":
        earlier = _find_earlier_checkout(request, Checkout.Kind.GIFT)
        initial = _order_initial(request, earlier) | _gifts_initial(earlier)
        rows = _initial_rows(earlier)
        return _show_form(request, GiftsForm(campaign=campaign, initial=initial, rows=rows))
    form = GiftsForm(request.POST, request.FILES, campaign=campaign)
    return _show_rows(request, form) or _take_order(request, form)


def _show_rows(request: HttpRequest, form: GiftsForm) -> HttpResponse | None:
    """Show the form with more rows or with the rows of a list; None if neither was asked for."""
    if "more" in request.POST and not request.FILES:  # browsers don't send a file twice
        return _show_form(request, form.with_more_rows())
    if "read" in request.POST or form.has_list():
        filled = form.take_list()
        status = 422 if filled.errors or filled.row_errors() else 200
        return _show_form(request, filled, status=status, review=not filled.errors)
    return None


def _show_form(
    request: HttpRequest, form: CheckoutForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    assert form.campaign is not None, "each form belongs to a campaign"
    if isinstance(form, PersonForm):
        form.show_averages(catalogue.find_averages(form.open_prices.values()))
    form.show_most_chosen(catalogue.find_most_chosen(form.list_prices()))
    context = campaign_context(form.campaign) | {
        "form": form,
        "gift_many_url": _campaign_url("gift_many", form.campaign),
        "mail_preview_url": _campaign_url("gift_mail_preview", form.campaign),
        "card_preview_url": _campaign_url("gift_card_preview", form.campaign),
    }
    return show_page(request, _choose_template(form), context | more, status=status)


def _choose_template(form: CheckoutForm) -> str:
    if isinstance(form, GiftsForm):
        return "campaigns/readers/gift/many.html"
    if isinstance(form, GiftForm):
        return "campaigns/readers/gift/form.html"
    if isinstance(form, ContributionForm):
        return "campaigns/readers/contribution/form.html"
    return "campaigns/readers/join/form.html"


def _campaign_url(name: str, campaign: Campaign) -> str:
    return reverse(f"campaigns:{name}", kwargs={"slug": campaign.slug})


def _refuse(request: HttpRequest, form: CheckoutForm) -> HttpResponse:
    if "token" in form.errors:
        form.renew_token()
    return _show_form(request, form, status=422)


def _take_order(request: HttpRequest, form: CheckoutForm) -> HttpResponseBase:
    if not form.is_valid():
        return _refuse(request, form)
    try:
        checkout = checkouts.start_checkout(form.cleaned_data["token"], _build_order(request, form))
    except stripe_api.StripeRefused as error:
        _add_refusal(form, error)
        return _refuse(request, form)
    except (stripe_api.StripeError, settlement.SettlementBusy) as error:
        log.warning("stripe_unavailable", error=type(error).__name__)
        assert form.campaign is not None
        context = campaign_context(form.campaign)
        context |= {"form": form, "action": request.get_full_path()}
        return show_page(
            request, "campaigns/readers/shared/payment_unavailable.html", context, status=503
        )
    _order_newsletters(request, form)
    if checkout.is_complete:
        return redirect("campaigns:thanks", checkout_id=checkout.pk)
    return redirect_after_post(checkout.session_url)


def _order_newsletters(request: HttpRequest, form: CheckoutForm) -> None:
    """Ask for the newsletters that the buyer ticked, whether they pay or not."""
    if wanted := form.wanted_newsletters():
        ask_for_newsletters(
            request,
            form.cleaned_data["email"],
            wanted,
            origin=form.cleaned_data["origin"],
            campaign=form.campaign,
        )


def _add_refusal(form: CheckoutForm, error: stripe_api.StripeRefused) -> None:
    """Show beside the field what Stripe refused. Refusals of a price are in the log already."""
    if error.param == "customer_email":
        form.refuse_email()
    elif not (
        isinstance(form, PersonForm) and checkouts.is_about_amount(error) and form.refuse_amount()
    ):
        so_many = error.code == "amount_too_large" and len(form.gifts()) > 1
        form.refuse_price(so_many=so_many)


def _build_order(request: HttpRequest, form: CheckoutForm) -> checkouts.Order:
    cleaned = form.cleaned_data
    return checkouts.Order(
        kind=form.kind,
        price=cleaned["price"],
        email=cleaned["email"],
        name=cleaned["name"],
        language=language(),
        campaign=form.campaign,
        amount_minor=cleaned.get("amount_minor") or 0,
        origin=describe_reader(request, cleaned["origin"]),
        typed=form.describe_typed(),
    )


# Readers who come back from Stripe (`?again=<checkout>`) find what they typed


def _find_earlier_checkout(request: HttpRequest, kind: Checkout.Kind) -> Checkout | None:
    try:
        checkout_id = UUID(request.GET["again"])
    except (KeyError, ValueError):
        return None
    found = Checkout.objects.select_related("campaign").filter(pk=checkout_id, kind=kind).first()
    return None if found is None or is_of_erased(found.email) else found


def _order_initial(request: HttpRequest, earlier: Checkout | None) -> dict[str, Any]:
    if earlier is None:
        return {"token": new_token(), "origin": read_origin(request).query}
    return {
        # A completed checkout was a purchase: the next order is a new one.
        "token": new_token() if earlier.is_complete else token_for(earlier.pk),
        "origin": earlier.origin.query,
        "price": earlier.price_id,
        "name": earlier.name,
        "email": earlier.email,
    }


def _choose_again(form: PersonForm, earlier: Checkout | None) -> None:
    if earlier is not None:
        typed = str(earlier.typed.get("amount") or "")
        form.choose_initially(earlier.price_id, earlier.amount_minor, typed=typed)


def _typed_gifts(earlier: Checkout | None) -> list[dict[str, Any]]:
    return list(earlier.typed.get("gifts") or []) if earlier else []


def _gift_initial(earlier: Checkout | None) -> dict[str, Any]:
    for wanted in _typed_gifts(earlier):
        return _initial_rows(earlier)[0] | {
            "hand_over": not wanted.get("recipient_email"),
            **delivery_initial(wanted, campaign=earlier.campaign if earlier else None),
        }
    return {}


def _gifts_initial(earlier: Checkout | None) -> dict[str, Any]:
    for wanted in _typed_gifts(earlier):
        return delivery_initial(wanted, campaign=earlier.campaign if earlier else None)
    return {}


def _initial_rows(earlier: Checkout | None) -> list[dict[str, str]]:
    names = ("recipient_name", "recipient_email", "message")
    return [{name: str(wanted.get(name, "")) for name in names} for wanted in _typed_gifts(earlier)]


# Previews


@never_cache
@limited("preview", times=30, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def preview_email(request: HttpRequest, slug: str) -> HttpResponseBase:
    gift = _build_preview(request, slug)
    if not isinstance(gift, Gift):
        return gift
    html = _render_email(gift)

    @csp(_EMAIL_POLICY)
    def show_email(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(html, headers={"X-Robots-Tag": "noindex"})

    return show_email(request)


@never_cache
@limited("preview", times=30, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def preview_card(request: HttpRequest, slug: str) -> HttpResponseBase:
    gift = _build_preview(request, slug)
    if not isinstance(gift, Gift):
        return gift
    card = render_card(gift, language=language(), specimen=True)
    return HttpResponse(
        card,
        content_type="application/pdf",
        headers={
            "Content-Disposition": 'inline; filename="gift-preview.pdf"',
            "X-Robots-Tag": "noindex",
        },
    )


def _build_preview(request: HttpRequest, slug: str) -> Gift | HttpResponseBase:
    """Return the (first) gift that the form would buy, or the form's page with its errors."""
    if request.method != "POST":
        return redirect("campaigns:gift", slug=slug)
    campaign = get_object_or_404(Campaign, slug=slug)
    # Questions about possible typing errors are asked when the gift is ordered.
    form: CheckoutForm
    if "rows-TOTAL_FORMS" in request.POST:
        form = GiftsForm(request.POST, request.FILES, campaign=campaign, asks_questions=False)
        if (page := _show_rows(request, form)) is not None:
            return page
    else:
        form = GiftForm(request.POST, campaign=campaign, asks_questions=False)
    return (
        _build_specimen(_build_order(request, form)) if form.is_valid() else _refuse(request, form)
    )


def _build_specimen(order: checkouts.Order) -> Gift:
    """Return the (first) gift of an order, unsaved."""
    wanted = order.typed["gifts"][0]
    now = timezone.now()
    checkout = Checkout(
        kind=order.kind, campaign=order.campaign, price=order.price, language=order.language
    )
    months = order.price.months
    assert months is not None, "the price of a gift has a length"
    gift = Gift(
        checkout=checkout,
        price=order.price,
        months=months,
        buyer_name=order.name,
        recipient_name=wanted["recipient_name"],
        recipient_email=wanted["recipient_email"],
        message=wanted["message"],
        zone=wanted.get("zone", ""),
        paid_at=now,
        deliver_at=datetime.fromisoformat(wanted["deliver_at"]) if "deliver_at" in wanted else now,
    )
    gift.expires_at = gift.deliver_at + timedelta(days=order.price.plan.gift_claimable_days)
    return gift


def _render_email(gift: Gift) -> str:
    """Return the HTML of the invitation below a notice that it is a preview."""
    campaign = gift.checkout.campaign
    assert campaign is not None
    with timezone.override(campaign.zone_info):
        subject, _text, html = render_mail(
            "gifts/invitation",
            {
                "campaign": campaign,
                "campaign_url": links.build_url("campaign", slug=campaign.slug),
                "checkout": gift.checkout,
                "gift": gift,
                "plan": gift.price.plan.copy_for(language()),
                "claim_code": SPECIMEN_CODE,
                "claim_url": links.build_url("claim_by_code"),
                "claim_by_code_url": links.build_url("claim_by_code"),
            },
        )
        notice = render_to_string(
            "campaigns/readers/gift/email_preview.html", {"subject": subject, "gift": gift}
        )
    return re.sub(r"<body[^>]*>", lambda body: body[0] + notice, html, count=1)
