"""Helpers of all pages for readers: language, context of a campaign, rendering, redirects."""

from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control

from campaigns import banners, progress, stripe_api
from campaigns.models import Campaign, Checkout

log = structlog.get_logger(__name__)

# For forms of readers. Only their own browser keeps the answer, and only for its Back button: of a
# POST that was answered with "no-store" it shows an error of its own there, and no form.
kept_for_back_button = cache_control(private=True, no_cache=True)
# Says that Stripe refused a request. It isn't an outage: trying again doesn't help.
REFUSED_PAGE = "campaigns/readers/shared/refused.html"


def language() -> str:
    return get_language() or settings.LANGUAGE_CODE


def campaign_context(campaign: Campaign) -> dict[str, Any]:
    """Return what a page shows about its campaign, with its number of now."""
    goals = progress.measure_campaign(campaign, at=timezone.now())
    return banners.describe_campaign(campaign, goals, language=language())


def checkout_context(checkout: Checkout) -> dict[str, Any]:
    """Return a checkout and, if it belongs to a campaign, that campaign's context."""
    campaign = checkout.campaign
    return {"checkout": checkout} | (campaign_context(campaign) if campaign else {})


def show_page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render a page, with its times in the time zone of its campaign."""
    context = context or {}
    campaign = context.get("campaign")
    with timezone.override(campaign.zone_info if campaign else None):
        return render(request, template, context, status=status)


def log_refusal(event: str, error: stripe_api.StripeRefused, **about: Any) -> None:
    """Log what Stripe refused, with its code and message."""
    log.error(event, status=error.status, code=error.code, message=str(error), **about)


def redirect_after_post(to: str, **kwargs: Any) -> HttpResponse:
    """Redirect to a page or URL with 303, so that reloading it doesn't repeat the POST."""
    return HttpResponseRedirect(resolve_url(to, **kwargs), status=303)
