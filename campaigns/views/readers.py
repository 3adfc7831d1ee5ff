"""What a reader walks through: the drive, the forms, the way back from Stripe, the claim."""

from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import checkout as checkouts
from campaigns import emails, gifts, progress, settlement, stripe_api, tasks
from campaigns.forms import (
    CheckoutForm,
    ClaimCodeForm,
    ClaimForm,
    GiftForm,
    JoinForm,
    new_token,
    token_for,
)
from campaigns.models import Campaign, Checkout, Gift
from campaigns.views.limits import is_first_within, limited

log = structlog.get_logger(__name__)

ASK_AGAIN = 3  # seconds
PORTAL_LINK_LASTS = 60 * 60 * 24 * 60  # seconds
STAGES = {
    Checkout.Status.PAID: "confirmed",
    Checkout.Status.WAITING: "waiting",
    Checkout.Status.FAILED: "failed",
    Checkout.Status.EXPIRED: "expired",
}


def _language() -> str:
    return get_language() or settings.LANGUAGE_CODE


def _campaign_context(campaign: Campaign) -> dict[str, Any]:
    goals = progress.measure_campaign(campaign, at=timezone.now())
    here = {"slug": campaign.slug}
    address = settings.SITE_URL + reverse("campaigns:campaign", kwargs=here)
    return {
        "campaign": campaign,
        "copy": campaign.copy_for(_language()),
        "goals": goals,
        "progress": goals[0] if goals else None,
        "campaign_url": address,
        "share_url": address,
        "og_image_url": settings.SITE_URL
        + reverse("campaigns:picture", kwargs=here)
        + f"?language={_language()}",
        "join_url": reverse("campaigns:join", kwargs=here),
        "gift_url": reverse("campaigns:gift", kwargs=here),
    }


def _show(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """A page; its times are in the zone of the campaign that it is about."""
    context = context or {}
    campaign = context.get("campaign")
    with timezone.override(campaign.zone_info if campaign else None):
        return render(request, template, context, status=status)


def _context_of(checkout: Checkout) -> dict[str, Any]:
    return {"checkout": checkout} | (
        _campaign_context(checkout.campaign) if checkout.campaign else {}
    )


@require_safe
def stray(request: HttpRequest, kind: str = "campaign") -> HttpResponse:
    """An address without a campaign leads to the running one of the highest priority."""
    now = timezone.now()
    running = Campaign.objects.running(at=now).first()
    campaign = running or Campaign.objects.order_by("-ends_at").first()
    if campaign is None:
        raise Http404
    address = reverse(f"campaigns:{kind}", kwargs={"slug": campaign.slug})
    query = request.GET.urlencode()  # which banner it was, say
    return redirect(f"{address}?{query}" if query else address)


@require_safe
def show_campaign(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = get_object_or_404(Campaign, slug=slug)
    return _show(request, "campaigns/readers/campaign.html", _campaign_context(campaign))


# Forms


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
    context = _campaign_context(campaign)
    template = f"campaigns/readers/{kind}.html"
    if request.method != "POST":
        form = form_class(campaign=campaign, initial=_initial(request, kind))
        return _show(request, template, context | {"form": form})
    form = form_class(request.POST, campaign=campaign)
    if not form.is_valid():
        if "token" in form.errors:  # nothing typed is lost, and the next try has a good token
            typed = request.POST.copy()
            typed["token"] = new_token()
            form.data = typed
        return _show(request, template, context | {"form": form}, status=422)
    order = _order(form.cleaned_data, campaign=campaign, kind=kind)
    try:
        checkout = checkouts.start_checkout(form.cleaned_data["token"], order)
    except (stripe_api.StripeError, settlement.SettlementBusy) as error:
        if isinstance(error, stripe_api.StripeRefused) and error.param == "customer_email":
            form.refuse_email()
            return _show(request, template, context | {"form": form}, status=422)
        log.warning("stripe_unavailable", error=type(error).__name__)
        context |= {"form": form, "action": request.get_full_path()}
        return _show(request, "campaigns/readers/unavailable.html", context, status=503)
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
        language=_language(),
        campaign=campaign,
        placement=typed["placement"],
        typed={"gifts": [{name: typed[name] for name in wanted}]}
        if kind == Checkout.Kind.GIFT
        else {},
    )


# The way back from Stripe


@never_cache
@require_safe
def thanks(request: HttpRequest, checkout_id: UUID) -> HttpResponse:
    """Says no more than is known; asks Stripe itself, since the webhook may never come."""
    checkout = get_object_or_404(
        Checkout.objects.select_related("campaign", "price__plan"), pk=checkout_id
    )
    is_open = not checkout.is_complete or checkout.status == Checkout.Status.WAITING
    if is_open:
        # Whoever reloads the page again and again is no reason to ask Stripe as often.
        if not is_first_within(ASK_AGAIN, name=f"thanks:{checkout_id}"):
            return _thank(request, checkout, stage="waiting")
        try:
            checkout = settlement.settle_checkout(checkout.pk)
            tasks.hurry(tasks.do_what_followed)
        except (stripe_api.StripeError, settlement.SettlementBusy) as error:
            # Whoever has the whole id sees what was typed: a log has enough by its beginning.
            log.warning("thanks_unsettled", checkout=str(checkout_id)[:8], error=str(error))
            return _thank(request, checkout, stage="waiting")
    stage = STAGES.get(Checkout.Status(checkout.status), "unfinished")
    return _thank(request, checkout, stage=stage)


def _thank(request: HttpRequest, checkout: Checkout, *, stage: str) -> HttpResponse:
    context = _context_of(checkout) | {"stage": stage, "resume_url": _resume_url(checkout)}
    return _show(request, "campaigns/readers/thanks.html", context)


@never_cache
@require_safe
def cancelled(request: HttpRequest, checkout_id: UUID) -> HttpResponse:
    """The reader left Stripe's page: nothing was paid, and nothing typed is lost."""
    checkout = get_object_or_404(
        Checkout.objects.select_related("campaign", "price__plan"), pk=checkout_id
    )
    if checkout.is_complete:
        return redirect("campaigns:thanks", checkout_id=checkout.pk)
    context = _context_of(checkout) | {"resume_url": _resume_url(checkout)}
    return _show(request, "campaigns/readers/cancelled.html", context)


def _resume_url(checkout: Checkout) -> str:
    if checkout.campaign is None:
        return reverse("campaigns:any_join")
    form = reverse(f"campaigns:{checkout.kind}", kwargs={"slug": checkout.campaign.slug})
    return f"{form}?again={checkout.pk}"


# The claim of a gift


@never_cache
@limited("claim", times=20, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def claim_by_code(request: HttpRequest) -> HttpResponseBase:
    """The typed code leads to the same page as the link; unknown and malformed answer alike."""
    form = ClaimCodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        gift = gifts.find_gift(form.cleaned_data["code"])
        if gift is not None:
            return redirect("campaigns:claim", code=gift.code)
        form.add_error("code", form.fields["code"].error_messages["unknown"])
    status = 422 if form.errors else 200
    return _show(request, "campaigns/readers/claim_code.html", {"form": form}, status=status)


@never_cache
@limited("claim", times=20, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def claim(request: HttpRequest, code: str) -> HttpResponseBase:
    gift = gifts.find_gift(code)
    form = ClaimForm(request.POST or None)
    try:
        if gift is None:
            raise gifts.GiftNotClaimable("unknown")
        if request.method == "POST" and form.is_valid():
            gift = settlement.claim_gift(code, **form.cleaned_data, language=_language())
            tasks.hurry(tasks.do_what_followed)
            return redirect("campaigns:claimed", code=gift.code)
        gifts.refuse_unless_claimable(gift, at=timezone.now())
    except gifts.GiftNotClaimable as error:
        status = 404 if error.reason == "unknown" else 410
        context = {"reason": error.reason} | (_about_gift(gift) if gift else {})
        return _show(request, "campaigns/readers/gift_unavailable.html", context, status=status)
    context = _about_gift(gift) | {"form": form}
    return _show(
        request, "campaigns/readers/claim.html", context, status=422 if form.errors else 200
    )


@never_cache
@require_safe
def claimed(request: HttpRequest, code: str) -> HttpResponse:
    gift = gifts.find_gift(code)
    if gift is None or gift.claimed_at is None:
        return redirect("campaigns:claim", code=code)
    context = _about_gift(gift) | {"membership": gift.membership}
    return _show(request, "campaigns/readers/claimed.html", context)


def _about_gift(gift: Gift) -> dict[str, Any]:
    return {
        "gift": gift,
        "plan": gift.price.plan.copy_for(_language()),
        "campaign": gift.checkout.campaign,
    }


# The billing portal


@never_cache
@limited("portal", times=20, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def portal(request: HttpRequest, token: str) -> HttpResponseBase:
    """From the link in a mail, by one button, to Stripe's page: a mail scanner opens nothing."""
    try:
        checkout_id = signing.loads(token, salt=emails.PORTAL_SALT, max_age=PORTAL_LINK_LASTS)
        checkout = Checkout.objects.filter(pk=checkout_id).exclude(customer_id="").first()
    except signing.BadSignature:
        checkout = None
    if checkout is None:
        return _show(request, "campaigns/readers/portal_closed.html", status=410)
    if request.method != "POST":
        return _show(request, "campaigns/readers/portal.html", _context_of(checkout))
    try:
        address = stripe_api.create_portal_session(
            checkout.customer_id, return_url=settings.SITE_URL + "/", language="auto"
        )
    except stripe_api.StripeError as error:
        log.warning("portal_unavailable", error=type(error).__name__)
        context = _context_of(checkout) | {"action": request.get_full_path()}
        return _show(request, "campaigns/readers/unavailable.html", context, status=503)
    answer = redirect(address)
    answer.status_code = 303
    return answer
