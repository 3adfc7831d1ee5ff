"""What the admin's first page tells of the drives."""

from dataclasses import dataclass

from django import template
from django.template.context import Context
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.progress import Progress, measure_campaign

register = template.Library()

MOST = 6


@dataclass(frozen=True)
class Drive:
    campaign: Campaign
    phase: str
    progress: Progress | None


@register.simple_tag(takes_context=True)
def newest_drives(context: Context) -> list[Drive]:
    """The newest drives with the number of each; none for whoever may not look at them."""
    user = context["request"].user
    if not user.has_perm("campaigns.view_campaign"):
        return []
    now = timezone.now()
    drives = []
    for campaign in Campaign.objects.prefetch_related("copies").order_by("-starts_at")[:MOST]:
        goals = measure_campaign(campaign, at=now)
        phase = str(campaign.phase(at=now).label)
        drives.append(Drive(campaign, phase, goals[0] if goals else None))
    return drives
