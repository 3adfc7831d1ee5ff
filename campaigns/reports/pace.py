from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from campaigns.models import Campaign
from campaigns.progress import Progress, find_goal_kind
from campaigns.reports.days import Day

__doc__ = DEFINITION = gettext_noop(
    "The recent pace is what started to count, or was raised, a day over the last full days, at "
    "most seven. The pace needed spreads the rest of the goal over the days that are left, at "
    "least one. An even pace would reach the goal exactly at the end: expected by now is its count "
    "at this moment."
)

RECENT_DAYS = 7
_SHORTEST = 1  # day, so that the last minutes don't need millions a day


@dataclass(frozen=True)
class Pace:
    """The pace of the primary goal, in its unit: members, gifts, or minor units of the currency."""

    needed_per_day: float | None  # only while the campaign runs
    recent_per_day: float | None  # only after the first full day
    recent_days: int
    expected_by_now: int | None
    # Positive if the count is ahead of an even pace.
    ahead: int | None


def measure_pace(
    campaign: Campaign, goal: Progress | None, days: Sequence[Day], *, at: datetime
) -> Pace:
    """Return the pace at a moment; `days` are those of the whole campaign."""
    recent = _select_recent(campaign, days, at=at)
    expected = None if goal is None else expect_by_now(campaign, goal, at=at)
    return Pace(
        needed_per_day=_find_needed(campaign, goal, at=at),
        recent_per_day=_average(recent, goal=goal),
        recent_days=len(recent),
        expected_by_now=expected,
        ahead=None if expected is None or goal is None else goal.counted - expected,
    )


def _find_needed(campaign: Campaign, goal: Progress | None, *, at: datetime) -> float | None:
    if goal is None or not campaign.holds(at):
        return None
    return goal.left / max((campaign.ends_at - at) / timedelta(days=1), _SHORTEST)


def expect_by_now(campaign: Campaign, goal: Progress, *, at: datetime) -> int | None:
    """Return what an even pace would have brought by now; None before the campaign."""
    if at < campaign.starts_at:
        return None
    length = campaign.ends_at - campaign.starts_at
    elapsed = min(at, campaign.ends_at) - campaign.starts_at
    return goal.own_target * int(elapsed.total_seconds()) // max(int(length.total_seconds()), 1)


def _select_recent(campaign: Campaign, days: Sequence[Day], *, at: datetime) -> list[Day]:
    """Return the last full days of a running campaign, without today."""
    if not campaign.holds(at):
        return []
    today = at.astimezone(campaign.zone_info).date()
    return [day for day in days if day.day < today][-RECENT_DAYS:]


def _average(days: Sequence[Day], *, goal: Progress | None) -> float | None:
    if not days:
        return None
    if goal is not None and goal.is_money:
        return sum(day.raised_minor for day in days) / len(days)
    has_people = goal is None or find_goal_kind(goal.kind).includes_people
    people = sum(day.people for day in days) if has_people else 0
    return (people + sum(day.gifts for day in days)) / len(days)
