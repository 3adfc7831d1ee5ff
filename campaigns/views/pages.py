"""What the pages for readers share: the campaign they are about, and its time zone."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language

from campaigns import progress
from campaigns.models import Campaign, Checkout


def language() -> str:
    return get_language() or settings.LANGUAGE_CODE


def campaign_context(campaign: Campaign) -> dict[str, Any]:
    goals = progress.measure_campaign(campaign, at=timezone.now())
    here = {"slug": campaign.slug}
    address = settings.SITE_URL + reverse("campaigns:campaign", kwargs=here)
    return {
        "campaign": campaign,
        "copy": campaign.copy_for(language()),
        "goals": goals,
        "progress": goals[0] if goals else None,
        "campaign_url": address,
        "share_url": address,
        "og_image_url": settings.SITE_URL
        + reverse("campaigns:picture", kwargs=here)
        + f"?language={language()}",
        "join_url": reverse("campaigns:join", kwargs=here),
        "gift_url": reverse("campaigns:gift", kwargs=here),
    }


def show_page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """A page; its times are in the zone of the campaign that it is about."""
    context = context or {}
    campaign = context.get("campaign")
    with timezone.override(campaign.zone_info if campaign else None):
        return render(request, template, context, status=status)


def context_of(checkout: Checkout) -> dict[str, Any]:
    return {"checkout": checkout} | (
        campaign_context(checkout.campaign) if checkout.campaign else {}
    )
