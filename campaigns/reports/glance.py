"""A campaign at a glance, for the admin's home page.

A measurement that took long is shown again for a while: the page says as of when it is.
"""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from math import ceil

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from campaigns.models import Campaign, Phase
from campaigns.progress import MoneyTotal, Progress, measure_campaign, sum_payments
from campaigns.reports.charts import Size, draw_both, draw_curve
from campaigns.reports.kept import measure_or_keep
from campaigns.reports.page import look_ahead

# Lower than in the report.
_SIZES = {False: Size(600, 250, text=14), True: Size(340, 220, text=12)}


@dataclass(frozen=True)
class Glance:
    """A campaign at a glance. All but its progress is empty unless it is running."""

    phase: Phase
    progress: Progress | None
    days: list[tuple[str, int]] = field(default_factory=list)
    money: list[MoneyTotal] = field(default_factory=list)
    verdict: str = ""
    curve: SafeString = field(default_factory=SafeString)  # as SVG


def load_glance(campaign: Campaign, *, at: datetime, language: str) -> Glance:
    """Return the campaign at a glance at a moment, or as it was up to a minute before."""
    key = f"glance:{campaign.pk}:{campaign.phase(at=at)}:{language}"
    return measure_or_keep(key, lambda: _measure(campaign, at=at, language=language))


def _measure(campaign: Campaign, *, at: datetime, language: str) -> Glance:
    goals = measure_campaign(campaign, at=at)
    phase = campaign.phase(at=at)
    if not goals or phase is not Phase.RUNNING:
        return Glance(phase, goals[0] if goals else None)
    outlook = look_ahead(campaign, goals[0], at=at, language=language, is_bare=True)
    return Glance(
        phase,
        goals[0],
        days=_count_days(campaign, goals[0], at=at),
        money=sum_payments(campaign, at=at),
        verdict=outlook.verdict,
        curve=draw_both(lambda size: draw_curve(outlook.curve, _SIZES[size.is_narrow])),
    )


def _count_days(campaign: Campaign, progress: Progress, *, at: datetime) -> list[tuple[str, int]]:
    """Return by how much the primary goal grew today and yesterday, and what is left a day."""
    zone = campaign.zone_info
    today = at.astimezone(zone).date()
    midnights = [
        datetime.combine(today - timedelta(days=ago), time.min, tzinfo=zone) for ago in (0, 1)
    ]
    by_midnight = [measure_campaign(campaign, at=midnight)[0].counted for midnight in midnights]
    days_left = max((campaign.ends_at - at) / timedelta(days=1), 1)
    return [
        (gettext("Today"), progress.counted - by_midnight[0]),
        (gettext("Yesterday"), by_midnight[0] - by_midnight[1]),
        (gettext("Needed per day"), ceil(progress.left / days_left)),
    ]
