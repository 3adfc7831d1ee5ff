"""Template tags for the admin's home page: campaigns, and rows that need attention."""

from dataclasses import dataclass

from django import template
from django.conf import settings
from django.template.context import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language

from campaigns import health
from campaigns.models import Campaign, Problem
from campaigns.progress import Progress, measure_campaign
from campaigns.reports.attention import CONCERNS
from campaigns.zones import name_zone

register = template.Library()

NEWEST = 6


@dataclass(frozen=True)
class CampaignLine:
    campaign: Campaign
    phase: str
    progress: Progress | None


@register.simple_tag(takes_context=True)
def newest_campaigns(context: Context) -> list[CampaignLine]:
    """Return the newest campaigns with their progress, if the user may view campaigns."""
    user = context["request"].user
    if not user.has_perm("campaigns.view_campaign"):
        return []
    now = timezone.now()
    campaigns = []
    for campaign in Campaign.objects.prefetch_related("copies").order_by("-starts_at")[:NEWEST]:
        goals = measure_campaign(campaign, at=now)
        phase = str(campaign.phase(at=now).label)
        campaigns.append(CampaignLine(campaign, phase, goals[0] if goals else None))
    return campaigns


@register.simple_tag
def newsroom_zone() -> str:
    """Return the newsroom's time zone: Istanbul (UTC+3)."""
    zone = timezone.get_default_timezone_name()
    return name_zone(zone, get_language() or settings.LANGUAGE_CODE, at=timezone.now())


@register.simple_tag
def list_problems() -> list[Problem]:
    """Return the parts that are broken, after checking the processes."""
    health.watch_processes_soon()
    return health.list_open_problems()


@dataclass(frozen=True)
class ConcernLine:
    label: str
    count: int
    url: str
    names: list[str]


@register.simple_tag(takes_context=True)
def list_concerns(context: Context) -> list[ConcernLine]:
    """Return the concerns that have rows, of those that the user may view."""
    user = context["request"].user
    lines = []
    for concern in CONCERNS:
        opts = concern.model._meta
        named = f"{opts.app_label}.{{}}_{opts.model_name}".format
        if not (user.has_perm(named("view")) or user.has_perm(named("change"))):
            continue
        if count := concern.rows().count():
            listed = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
            url = f"{listed}?needs={concern.name}"
            names = concern.name_rows() if concern.name_rows else []
            lines.append(ConcernLine(str(concern.label), count, url, names))
    return lines
