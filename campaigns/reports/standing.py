from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext_noop

from campaigns.models import Campaign
from campaigns.progress import Progress, measure_campaign

__doc__ = DEFINITION = gettext_noop(
    "The count, target and percent of each goal by the count rule. Today runs from midnight in the "
    "campaign’s time zone until now. “Joined” are people and gifts that started to "
    "count. “Left” are those that stopped because of a refund, a lost dispute or a "
    "claimed gift. Money is in the "
    "campaign’s currency: first payments, gifts and contributions, less refunds and lost disputes "
    "of that day."
)


@dataclass(frozen=True)
class Moves:
    """The movements of a day, or of its part before a time of day."""

    day: date
    people: int
    gifts: int
    left: int
    # In minor units of the campaign's currency; None for a part of a day.
    raised_minor: int | None = None

    @property
    def joined(self) -> int:
        return self.people + self.gifts


@dataclass(frozen=True)
class Standing:
    """The progress of the campaign at a moment, whatever the report's period."""

    goals: tuple[Progress, ...]  # the primary goal first
    today: Moves
    yesterday: Moves
    last_week: Moves  # the same weekday last week
    last_week_by_now: Moves  # and only until the same time of day

    @property
    def primary(self) -> Progress | None:
        return self.goals[0] if self.goals else None

    @property
    def pending(self) -> int:
        """Payments of the window for which a bank decides."""
        return self.primary.pending if self.primary else 0


def measure_standing(
    campaign: Campaign, *, at: datetime, raised_minor: Mapping[date, int]
) -> Standing:
    """Return the progress of the campaign at a moment, as known now.

    `raised_minor` is the money by day, of which three days are needed.
    """
    zone, local = campaign.zone_info, at.astimezone(campaign.zone_info)
    today = local.date()
    days = {
        "today": today,
        "yesterday": today - timedelta(days=1),
        "last_week": today - timedelta(days=7),
    }
    begins = {name: datetime.combine(day, time(), zone) for name, day in days.items()}
    spans = {
        name: (start, datetime.combine(days[name] + timedelta(days=1), time(), zone))
        for name, start in begins.items()
    }
    spans["last_week_by_now"] = (
        begins["last_week"],
        datetime.combine(days["last_week"], local.time(), zone),
    )
    first = begins["last_week"]
    joined, stopped = campaign.tallies.order_by(), campaign.tallies.order_by()
    joined = joined.filter(counted_from__gte=first, counted_from__lte=at)
    stopped = stopped.filter(counted_until__gte=first, counted_until__lte=at)
    counts: Mapping[str, int] = joined.aggregate(
        **_count_in(spans, "counted_from", people="member", gifts="gift")
    ) | stopped.aggregate(**_count_in(spans, "counted_until", left="pk"))

    def moves(name: str, raised: int | None) -> Moves:
        day = days["last_week" if name == "last_week_by_now" else name]
        people, gifts, left = (counts[f"{name}_{what}"] for what in ("people", "gifts", "left"))
        return Moves(day, people, gifts, left, raised)

    return Standing(
        goals=tuple(measure_campaign(campaign, at=at)),
        today=moves("today", raised_minor.get(today, 0)),
        yesterday=moves("yesterday", raised_minor.get(days["yesterday"], 0)),
        last_week=moves("last_week", raised_minor.get(days["last_week"], 0)),
        last_week_by_now=moves("last_week_by_now", None),
    )


def _count_in(
    spans: Mapping[str, tuple[datetime, datetime]], column: str, **counted: str
) -> dict[str, Any]:
    """Return an aggregate for each span and each counted column."""
    return {
        f"{name}_{what}": Count(field, filter=Q(**{f"{column}__gte": start, f"{column}__lt": end}))
        for name, (start, end) in spans.items()
        for what, field in counted.items()
    }
