"""The forms that take an order, for oneself or as a gift, and what a gift will look like."""

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
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from campaigns import checkout as checkouts
from campaigns import settlement, stripe_api
from campaigns.emails import links
from campaigns.emails.delivery import render_mail
from campaigns.forms import CheckoutForm, GiftForm, GiftsForm, JoinForm, new_token, token_for
from campaigns.forms.delivery import delivery_as_typed
from campaigns.gifts import render_card
from campaigns.gifts.cards import SPECIMEN_CODE
from campaigns.models import Campaign, Checkout, Gift
from campaigns.models.erasure import is_of_erased
from campaigns.views.limits import limited
from campaigns.views.pages import campaign_context, language, show_page

log = structlog.get_logger(__name__)

# A mail brings its style along, and nothing else of it is let in.
_POLICY_OF_MAILS = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "frame-ancestors": [NONE],
    "sandbox": ["allow-popups"],
}


@never_cache
@limited("checkout", times=30, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def order_membership(request: HttpRequest, slug: str) -> HttpResponseBase:
    campaign = get_object_or_404(Campaign, slug=slug)
    if request.method != "POST":
        again = _find_again(request, Checkout.Kind.JOIN)
        form = JoinForm(campaign=campaign, initial=_initial(request, again))
        return _show_form(request, form)
    return _take_order(request, JoinForm(request.POST, campaign=campaign))


@never_cache
@limited("checkout", times=30, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def order_gift(request: HttpRequest, slug: str) -> HttpResponseBase:
    campaign = get_object_or_404(Campaign, slug=slug)
    if request.method != "POST":
        again = _find_again(request, Checkout.Kind.GIFT)
        if again is not None and again.quantity > 1:
            return redirect(f"{_address_of('gift_many', campaign)}?again={again.pk}")
        form = GiftForm(campaign=campaign, initial=_initial(request, again) | _gift_initial(again))
        return _show_form(request, form)
    return _take_order(request, GiftForm(request.POST, campaign=campaign))


@never_cache
@limited("checkout_many", times=60, seconds=600)  # adding rows and reading a list are counted, too
@require_http_methods(["GET", "HEAD", "POST"])
def order_gifts(request: HttpRequest, slug: str) -> HttpResponseBase:
    campaign = get_object_or_404(Campaign, slug=slug)
    if request.method != "POST":
        again = _find_again(request, Checkout.Kind.GIFT)
        initial, rows = _initial(request, again) | _gifts_initial(again), _rows_of(again)
        return _show_form(request, GiftsForm(campaign=campaign, initial=initial, rows=rows))
    form = GiftsForm(request.POST, request.FILES, campaign=campaign)
    return _show_list(request, form) or _take_order(request, form)


def _show_list(request: HttpRequest, form: GiftsForm) -> HttpResponse | None:
    """Before any payment: more rows to type in, or the rows of a list to be looked over."""
    if "more" in request.POST and not request.FILES:  # a browser would not send a file twice
        return _show_form(request, form.with_more_rows())
    if "read" in request.POST or form.has_list():
        taken = form.take_list()
        status = 422 if taken.errors or taken.row_errors() else 200
        return _show_form(request, taken, status=status, review=not taken.errors)
    return None


def _show_form(
    request: HttpRequest, form: CheckoutForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    assert form.campaign is not None, "a form stands on the page of its campaign"
    context = campaign_context(form.campaign) | {
        "form": form,
        "gift_many_url": _address_of("gift_many", form.campaign),
        "mail_preview_url": _address_of("gift_mail_preview", form.campaign),
        "card_preview_url": _address_of("gift_card_preview", form.campaign),
    }
    return show_page(request, _template_of(form), context | more, status=status)


def _template_of(form: CheckoutForm) -> str:
    if isinstance(form, GiftsForm):
        return "campaigns/readers/gift/many.html"
    if isinstance(form, GiftForm):
        return "campaigns/readers/gift/form.html"
    return "campaigns/readers/join/form.html"


def _address_of(name: str, campaign: Campaign) -> str:
    return reverse(f"campaigns:{name}", kwargs={"slug": campaign.slug})


def _refuse(request: HttpRequest, form: CheckoutForm) -> HttpResponse:
    if "token" in form.errors:
        form.renew_token()
    return _show_form(request, form, status=422)


def _take_order(request: HttpRequest, form: CheckoutForm) -> HttpResponseBase:
    if not form.is_valid():
        return _refuse(request, form)
    try:
        checkout = checkouts.start_checkout(form.cleaned_data["token"], _order(form))
    except (stripe_api.StripeError, settlement.SettlementBusy) as error:
        if isinstance(error, stripe_api.StripeRefused) and error.param == "customer_email":
            form.refuse_email()
            return _refuse(request, form)
        log.warning("stripe_unavailable", error=type(error).__name__)
        assert form.campaign is not None
        context = campaign_context(form.campaign)
        context |= {"form": form, "action": request.get_full_path()}
        return show_page(
            request, "campaigns/readers/shared/payment_unavailable.html", context, status=503
        )
    if checkout.is_complete:
        return redirect("campaigns:thanks", checkout_id=checkout.pk)
    answer = redirect(checkout.session_url)
    answer.status_code = 303
    return answer


def _order(form: CheckoutForm) -> checkouts.Order:
    typed, gifts = form.cleaned_data, form.gifts()
    return checkouts.Order(
        kind=form.kind,
        price=typed["price"],
        email=typed["email"],
        name=typed["name"],
        language=language(),
        campaign=form.campaign,
        placement=typed["placement"],
        typed={"gifts": gifts} if gifts else {},
    )


# Who comes back by `?again=` from Stripe finds what they typed


def _find_again(request: HttpRequest, kind: Checkout.Kind) -> Checkout | None:
    try:
        checkout_id = UUID(request.GET["again"])
    except (KeyError, ValueError):
        return None
    found = Checkout.objects.select_related("campaign").filter(pk=checkout_id, kind=kind).first()
    return None if found is None or is_of_erased(found.email) else found


def _initial(request: HttpRequest, again: Checkout | None) -> dict[str, Any]:
    if again is None:
        return {"token": new_token(), "placement": request.GET.get("from", "")[:32]}
    return {
        # A row whose session is complete sold something: the next try is a purchase of its own.
        "token": new_token() if again.is_complete else token_for(again.pk),
        "placement": again.placement,
        "price": again.price_id,
        "name": again.name,
        "email": again.email,
    }


def _given(again: Checkout | None) -> list[dict[str, Any]]:
    return list(again.typed.get("gifts") or []) if again else []


def _gift_initial(again: Checkout | None) -> dict[str, Any]:
    for wanted in _given(again):
        return _rows_of(again)[0] | {
            "hand_over": not wanted.get("recipient_email"),
            **delivery_as_typed(wanted, campaign=again.campaign if again else None),
        }
    return {}


def _gifts_initial(again: Checkout | None) -> dict[str, Any]:
    for wanted in _given(again):
        return delivery_as_typed(wanted, campaign=again.campaign if again else None)
    return {}


def _rows_of(again: Checkout | None) -> list[dict[str, str]]:
    names = ("recipient_name", "recipient_email", "message")
    return [{name: str(wanted.get(name, "")) for name in names} for wanted in _given(again)]


# What a gift will look like, before it is paid


@never_cache
@limited("preview", times=30, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def preview_email(request: HttpRequest, slug: str) -> HttpResponseBase:
    gift = _preview(request, slug)
    if not isinstance(gift, Gift):
        return gift
    mail = _write_mail(gift)

    @csp(_POLICY_OF_MAILS)
    def show_mail(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(mail, headers={"X-Robots-Tag": "noindex"})

    return show_mail(request)


@never_cache
@limited("preview", times=30, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def preview_card(request: HttpRequest, slug: str) -> HttpResponseBase:
    gift = _preview(request, slug)
    if not isinstance(gift, Gift):
        return gift
    card = render_card(gift, language=language(), specimen=True)
    answer = HttpResponse(card, content_type="application/pdf")
    answer["Content-Disposition"] = 'inline; filename="gift-specimen.pdf"'
    answer["X-Robots-Tag"] = "noindex"
    return answer


def _preview(request: HttpRequest, slug: str) -> Gift | HttpResponseBase:
    """The gift that the form would buy, the first of many; or the form, with what is wrong."""
    if request.method != "POST":
        return redirect("campaigns:gift", slug=slug)
    campaign = get_object_or_404(Campaign, slug=slug)
    # Nothing is bought yet: what looks like a slip is asked about when it is.
    form: CheckoutForm
    if "rows-TOTAL_FORMS" in request.POST:
        form = GiftsForm(request.POST, request.FILES, campaign=campaign, asks=False)
        if (page := _show_list(request, form)) is not None:
            return page
    else:
        form = GiftForm(request.POST, campaign=campaign, asks=False)
    return _specimen(_order(form)) if form.is_valid() else _refuse(request, form)


def _specimen(order: checkouts.Order) -> Gift:
    """A gift as it will be, in memory alone."""
    wanted = order.typed["gifts"][0]
    now = timezone.now()
    checkout = Checkout(
        kind=order.kind, campaign=order.campaign, price=order.price, language=order.language
    )
    months = order.price.months
    assert months is not None, "a gift's price says how long it lasts"
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


def _write_mail(gift: Gift) -> str:
    """The invitation as it will be written, below a line that says so."""
    campaign = gift.checkout.campaign
    assert campaign is not None
    with timezone.override(campaign.zone_info):
        subject, _text, html = render_mail(
            "gifts/invitation",
            {
                "campaign": campaign,
                "campaign_url": links.absolute("campaign", slug=campaign.slug),
                "checkout": gift.checkout,
                "gift": gift,
                "plan": gift.price.plan.copy_for(language()),
                "claim_code": SPECIMEN_CODE,
                "claim_url": links.absolute("claim_by_code"),
                "claim_by_code_url": links.absolute("claim_by_code"),
            },
        )
        notice = render_to_string(
            "campaigns/readers/gift/email_preview.html", {"subject": subject, "gift": gift}
        )
    return re.sub(r"<body[^>]*>", lambda body: body[0] + notice, html, count=1)
