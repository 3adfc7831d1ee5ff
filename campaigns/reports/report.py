"""The whole report of a campaign: every figure for one period, beside the one to compare with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType

from django.utils.translation import gettext, override

from campaigns.models import Campaign
from campaigns.progress import RULE, Progress
from campaigns.reports import (
    amounts,
    days,
    gift_funnel,
    hours,
    money,
    newsletters,
    outlook,
    pace,
    retention,
    sharing,
    sources,
    standing,
    unfinished,
)
from campaigns.reports.periods import (
    Compare,
    Comparison,
    Period,
    choose_comparison,
    explain_outside,
    whole_campaign,
)

# The module of each figure, whose docstring is its definition.
FIGURES: dict[str, ModuleType] = {
    "standing": standing,
    "days": days,
    "pace": pace,
    "forecast": outlook,
    "sources": sources,
    "hours": hours,
    "gifts": gift_funnel,
    "sharing": sharing,
    "unfinished": unfinished,
    "newsletters": newsletters,
    "money": money,
    "paid": amounts,
    "retention": retention,
}


@dataclass(frozen=True)
class Report:
    """Every figure of a campaign. Labels are in the report's language.

    In a closed campaign the goals hold the final counts; everything else is as known now.
    """

    campaign_id: int
    slug: str
    name: str
    zone: str
    starts_at: datetime
    ends_at: datetime
    as_of: datetime
    closed_at: datetime | None
    closed_by: str
    currency: str
    rule: str
    period: Period
    outside: str  # a sentence about days that aren't in the campaign
    standing: standing.Standing
    all_days: tuple[days.Day, ...]  # of the campaign, whatever the period
    days: tuple[days.Day, ...]
    pace: pace.Pace
    sources: sources.Sources
    hours: hours.Hours
    gifts: gift_funnel.GiftFunnel
    sharing: sharing.Sharing
    unfinished: unfinished.Unfinished
    newsletters: newsletters.NewsletterSignUps
    money: money.Money
    paid: amounts.Paid
    retention: retention.Retention
    definitions: Mapping[str, str]  # of each figure
    compared: "Report | None" = None

    @property
    def primary(self) -> Progress | None:
        return self.standing.primary

    @property
    def goals(self) -> tuple[Progress, ...]:
        return self.standing.goals

    @property
    def pending(self) -> int:
        return self.standing.pending


def gather_report(
    campaign: Campaign,
    *,
    at: datetime,
    period: Period | None = None,
    compare: Compare = Compare.NONE,
    earlier: Campaign | None = None,
    language: str = "en",
) -> Report:
    """Return the report of a campaign at a moment, as known now.

    Without a period it is about the whole campaign. The other period of `compare` is seen as long
    after its start as this one is; see `choose_comparison`.
    """
    period = period or whole_campaign(campaign, at=at)
    comparison = choose_comparison(campaign, period, at=at, compare=compare, earlier=earlier)
    with override(language):
        other = _gather(comparison, language=language) if comparison else None
        return _gather(Comparison(campaign, period, at), language=language, compared=other)


def define(figure: str) -> str:
    """Return the definition of a figure in the active language."""
    return gettext(str(FIGURES[figure].DEFINITION))


def _gather(asked: Comparison, *, language: str, compared: Report | None = None) -> Report:
    campaign, period, at = asked.campaign, asked.period, asked.at
    moved = days.read_movements(campaign, at=at)
    now = standing.measure_standing(campaign, at=at, raised_minor=moved.raised_minor)
    whole = days.list_days(campaign, at=at, movements=moved)
    return Report(
        campaign_id=campaign.pk,
        slug=campaign.slug,
        name=campaign.copy_for(language).name,
        zone=campaign.zone,
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        as_of=at,
        closed_at=campaign.closed_at,
        closed_by=campaign.closed_by,
        currency=campaign.currency,
        rule=str(RULE),
        period=period,
        outside=explain_outside(campaign, period),
        standing=now,
        days=days.list_days(campaign, period, at=at, movements=moved),
        all_days=whole,
        pace=pace.measure_pace(campaign, now.primary, whole, at=at),
        sources=sources.break_down_sources(campaign, period, at=at),
        hours=hours.count_hours(period, moved),
        gifts=gift_funnel.count_gift_steps(campaign, period, at=at),
        sharing=sharing.count_shared(campaign, period, at=at),
        unfinished=unfinished.count_unfinished(campaign, period, at=at),
        newsletters=newsletters.count_newsletter_sign_ups(campaign, period, at=at),
        money=money.sum_money(campaign, period, at=at),
        paid=amounts.describe_amounts(campaign, period, at=at),
        retention=retention.measure_retention(campaign, period, at=at),
        definitions={figure: define(figure) for figure in FIGURES},
        compared=compared,
    )
