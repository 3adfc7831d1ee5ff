"""Links to the current campaign, return pages after Stripe Checkout, and the billing portal."""

from uuid import UUID

import structlog
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import members, settlement, stripe_api, tasks
from campaigns.attempts import is_first_within
from campaigns.emails import links
from campaigns.models import Campaign, Checkout, FormerAddress, Payment
from campaigns.models.erasure import NOWHERE
from campaigns.views.limits import limited
from campaigns.views.newsletters import offer_newsletters
from campaigns.views.pages import (
    REFUSED_PAGE,
    checkout_context,
    log_refusal,
    redirect_after_post,
    show_page,
)
from campaigns.views.walls import offer_wall

log = structlog.get_logger(__name__)

SETTLE_PAUSE = 3  # seconds
STAGES = {
    Checkout.Status.PAID: "confirmed",
    Checkout.Status.WAITING: "waiting",
    Checkout.Status.FAILED: "failed",
    Checkout.Status.EXPIRED: "expired",
}


@require_safe
def redirect_to_current(request: HttpRequest, kind: str = "campaign") -> HttpResponse:
    """Redirect a URL without a campaign to the running one with the highest priority."""
    now = timezone.now()
    running = Campaign.objects.running(at=now).first()
    campaign = running or Campaign.objects.order_by("-ends_at").first()
    if campaign is None:
        raise Http404
    url = reverse(f"campaigns:{kind}", kwargs={"slug": campaign.slug})
    query = request.GET.urlencode()  # for example the banner the reader came from
    return redirect(f"{url}?{query}" if query else url)


@require_safe
def redirect_home(request: HttpRequest) -> HttpResponse:
    """Redirect to the newspaper, otherwise to a campaign, otherwise to the account page."""
    if settings.NEWSPAPER_URL:
        return redirect(settings.NEWSPAPER_URL)
    if Campaign.objects.exists():
        return redirect_to_current(request)
    return redirect("campaigns:account")


# Return pages


@never_cache
@require_safe
def show_thanks(request: HttpRequest, checkout_id: UUID) -> HttpResponse:
    """Show the state of a payment, after asking Stripe: the webhook may be late or lost."""
    checkout = _find_checkout(checkout_id)
    is_open = not checkout.is_complete or checkout.status == Checkout.Status.WAITING
    if is_open:
        # Don't ask Stripe again each time the reader reloads the page.
        if not is_first_within(SETTLE_PAUSE, name=f"thanks:{checkout_id}"):
            return _show_stage(request, checkout, stage="waiting")
        try:
            checkout = settlement.settle_checkout(
                checkout.pk, finds_inquiries=False, may_share=True
            )
            tasks.hurry(*tasks.EFFECTS)
        except (stripe_api.StripeError, settlement.SettlementBusy) as error:
            # The whole id would open this page, so the log gets only its beginning.
            log.warning("thanks_unsettled", checkout=str(checkout_id)[:8], error=str(error))
            return _show_stage(request, checkout, stage="waiting")
    stage = STAGES.get(Checkout.Status(checkout.status), "unfinished")
    return _show_stage(request, checkout, stage=stage)


def _find_checkout(checkout_id: UUID) -> Checkout:
    """Return the checkout; raise 404 if there is none or its person was erased."""
    checkouts = Checkout.objects.exclude(email__endswith=NOWHERE)
    return get_object_or_404(
        checkouts.select_related("campaign", "member", "price__plan"), pk=checkout_id
    )


def _show_stage(request: HttpRequest, checkout: Checkout, *, stage: str) -> HttpResponse:
    context = checkout_context(checkout) | {"stage": stage, "resume_url": _resume_url(checkout)}
    # The first payment is lower than the price with a discount, and missing if that was free.
    payments = checkout.payments.exclude(status=Payment.Status.FAILED)
    context["paid"] = payments.order_by("paid_at", "pk").first()
    if checkout.kind == Checkout.Kind.GIFT and checkout.status == Checkout.Status.PAID:
        context["gifts"] = checkout.gifts.order_by("position")
        context["gifts_url"] = links.build_url("gifts", token=links.make_gifts_token(checkout))
    if checkout.status == Checkout.Status.PAID and checkout.member and checkout.campaign:
        context["share_url"] = links.make_share_url(checkout.member, checkout.campaign)
        context["joined"] = members.count_joined_by(checkout.member)
        context["reward"] = members.describe_reward(checkout.member, checkout.campaign)
    if checkout.kind == Checkout.Kind.CONTRIBUTION:
        # The goal that it counts towards, if there is one.
        money = [goal for goal in context.get("goals", []) if goal.is_money]
        context["progress"] = money[0] if money else None
    if stage == "confirmed":
        context |= offer_newsletters(checkout) | offer_wall(checkout)
    return show_page(request, "campaigns/readers/thanks/page.html", context)


@never_cache
@require_safe
def show_cancelled(request: HttpRequest, checkout_id: UUID) -> HttpResponse:
    """Say that nothing was paid, after the reader left Stripe's page, and link to the form."""
    checkout = _find_checkout(checkout_id)
    if checkout.is_complete:
        return redirect("campaigns:thanks", checkout_id=checkout.pk)
    context = checkout_context(checkout) | {"resume_url": _resume_url(checkout)}
    return show_page(request, "campaigns/readers/thanks/cancelled.html", context)


def _resume_url(checkout: Checkout) -> str:
    if checkout.campaign is None:
        return reverse("campaigns:any_join")
    form = reverse(f"campaigns:{checkout.kind}", kwargs={"slug": checkout.campaign.slug})
    return f"{form}?again={checkout.pk}"


# The billing portal


def _find_billed_checkout(token: str) -> Checkout | None:
    """Return the checkout of a portal link.

    Links that were sent to a former address no longer work: it may belong to someone else now.
    Raises BadLink.
    """
    checkout_id = links.read_portal_token(token)
    checkouts = Checkout.objects.exclude(customer_id="").exclude(email__endswith=NOWHERE)
    checkout = checkouts.filter(pk=checkout_id).first()
    former = (
        FormerAddress.objects.filter(member__checkouts=checkout_id).order_by("-left_at").first()
    )
    if former is not None:
        since = timezone.now() - former.left_at
        links.read_portal_token(token, lasts=min(since, links.PORTAL_LASTS))
    return checkout


@never_cache
@limited("portal", times=20, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def open_portal(request: HttpRequest, token: str) -> HttpResponseBase:
    """Redirect to Stripe's billing portal; only a POST does, since e-mail scanners open links."""
    try:
        checkout = _find_billed_checkout(token)
    except links.BadLink:
        checkout = None
    if checkout is None:
        return show_page(request, "campaigns/readers/portal/link_closed.html", status=410)
    if request.method != "POST":
        return show_page(request, "campaigns/readers/portal/page.html", checkout_context(checkout))
    try:
        portal_url = stripe_api.create_portal_session(
            checkout.customer_id, return_url=settings.SITE_URL + "/", language="auto"
        )
    except stripe_api.StripeRefused as error:
        log_refusal("portal_refused", error)
        return show_page(request, REFUSED_PAGE, checkout_context(checkout), status=409)
    except stripe_api.StripeError as error:
        log.warning("portal_unavailable", error=type(error).__name__)
        context = checkout_context(checkout) | {"action": request.get_full_path()}
        return show_page(
            request, "campaigns/readers/shared/payment_unavailable.html", context, status=503
        )
    return redirect_after_post(portal_url)
