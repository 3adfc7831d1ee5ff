"""What a reader walks through: the campaign, the way back from Stripe, the billing portal."""

from uuid import UUID

import structlog
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import settlement, stripe_api, tasks
from campaigns.emails import links
from campaigns.models import Campaign, Checkout, FormerAddress
from campaigns.models.erasure import NOWHERE
from campaigns.views.limits import is_first_within, limited
from campaigns.views.pages import campaign_context, context_of, show_page

log = structlog.get_logger(__name__)

ASK_AGAIN = 3  # seconds
STAGES = {
    Checkout.Status.PAID: "confirmed",
    Checkout.Status.WAITING: "waiting",
    Checkout.Status.FAILED: "failed",
    Checkout.Status.EXPIRED: "expired",
}


@require_safe
def redirect_to_current(request: HttpRequest, kind: str = "campaign") -> HttpResponse:
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
    return show_page(request, "campaigns/readers/campaign/page.html", campaign_context(campaign))


# The way back from Stripe


@never_cache
@require_safe
def show_thanks(request: HttpRequest, checkout_id: UUID) -> HttpResponse:
    """Says no more than is known; asks Stripe itself, since the webhook may never come."""
    checkout = _find(checkout_id)
    is_open = not checkout.is_complete or checkout.status == Checkout.Status.WAITING
    if is_open:
        # Whoever reloads the page again and again is no reason to ask Stripe as often.
        if not is_first_within(ASK_AGAIN, name=f"thanks:{checkout_id}"):
            return _thank(request, checkout, stage="waiting")
        try:
            checkout = settlement.settle_checkout(checkout.pk)
            tasks.run_soon(tasks.do_what_followed)
        except (stripe_api.StripeError, settlement.SettlementBusy) as error:
            # Whoever has the whole id sees what was typed: a log has enough by its beginning.
            log.warning("thanks_unsettled", checkout=str(checkout_id)[:8], error=str(error))
            return _thank(request, checkout, stage="waiting")
    stage = STAGES.get(Checkout.Status(checkout.status), "unfinished")
    return _thank(request, checkout, stage=stage)


def _find(checkout_id: UUID) -> Checkout:
    """Of somebody who was erased the page is gone with what it said."""
    kept = Checkout.objects.exclude(email__endswith=NOWHERE)
    return get_object_or_404(kept.select_related("campaign", "price__plan"), pk=checkout_id)


def _thank(request: HttpRequest, checkout: Checkout, *, stage: str) -> HttpResponse:
    context = context_of(checkout) | {"stage": stage, "resume_url": _resume_url(checkout)}
    if checkout.kind == Checkout.Kind.GIFT and checkout.status == Checkout.Status.PAID:
        context["gifts"] = checkout.gifts.order_by("position")
        context["gifts_url"] = links.absolute("gifts", token=links.gifts_token(checkout))
    return show_page(request, "campaigns/readers/thanks/page.html", context)


@never_cache
@require_safe
def show_cancelled(request: HttpRequest, checkout_id: UUID) -> HttpResponse:
    """The reader left Stripe's page: nothing was paid, and nothing typed is lost."""
    checkout = _find(checkout_id)
    if checkout.is_complete:
        return redirect("campaigns:thanks", checkout_id=checkout.pk)
    context = context_of(checkout) | {"resume_url": _resume_url(checkout)}
    return show_page(request, "campaigns/readers/thanks/cancelled.html", context)


def _resume_url(checkout: Checkout) -> str:
    if checkout.campaign is None:
        return reverse("campaigns:any_join")
    form = reverse(f"campaigns:{checkout.kind}", kwargs={"slug": checkout.campaign.slug})
    return f"{form}?again={checkout.pk}"


# The billing portal


def _find_billed(token: str) -> Checkout | None:
    """What went to an address before its person left that opens nothing: it may be another's now.

    Raises BadLink.
    """
    checkout_id = links.read_portal_token(token)
    kept = Checkout.objects.exclude(customer_id="").exclude(email__endswith=NOWHERE)
    checkout = kept.filter(pk=checkout_id).first()
    left = FormerAddress.objects.filter(member__checkouts=checkout_id).order_by("-left_at").first()
    if left is not None:
        since = timezone.now() - left.left_at
        links.read_portal_token(token, lasts=min(since, links.PORTAL_LASTS))
    return checkout


@never_cache
@limited("portal", times=20, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def open_portal(request: HttpRequest, token: str) -> HttpResponseBase:
    """From the link in a mail, by one button, to Stripe's page: a mail scanner opens nothing."""
    try:
        checkout = _find_billed(token)
    except links.BadLink:
        checkout = None
    if checkout is None:
        return show_page(request, "campaigns/readers/portal/link_closed.html", status=410)
    if request.method != "POST":
        return show_page(request, "campaigns/readers/portal/page.html", context_of(checkout))
    try:
        address = stripe_api.create_portal_session(
            checkout.customer_id, return_url=settings.SITE_URL + "/", language="auto"
        )
    except stripe_api.StripeError as error:
        log.warning("portal_unavailable", error=type(error).__name__)
        context = context_of(checkout) | {"action": request.get_full_path()}
        return show_page(
            request, "campaigns/readers/shared/payment_unavailable.html", context, status=503
        )
    answer = redirect(address)
    answer.status_code = 303
    return answer
