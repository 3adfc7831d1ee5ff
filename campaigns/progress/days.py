"""The way to the number: its total at the end of each day, and the milestones it has passed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate

from campaigns.models import Campaign
from campaigns.progress.goal_kinds import find_goal_kind
from campaigns.progress.goals import Progress
from campaigns.progress.money import sum_money_by_day

# In percent of the target; beyond it, every further half.
SHARES = (10, 25, 50, 75, 100)
FURTHER = 50
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DayTotal:
    """A day in the campaign's zone: how far the number rose or fell, and its total at the end."""

    day: date
    change: int
    total: int


@dataclass(frozen=True)
class Milestone:
    """A value that the number passed, and the day on which it did."""

    value: int
    day: date


def list_day_totals(campaign: Campaign, progress: Progress) -> list[DayTotal]:
    """Return a total for each day of the campaign until `progress.as_of`; none before the start.

    Money is in minor units. The last total is the number of `progress`, also after the end, when
    refunds can still change it.
    """
    at, zone = progress.as_of, campaign.zone_info
    if at < campaign.starts_at:
        return []
    changes = _sum_changes(campaign, progress, at=at)
    known = progress.counted if progress.known_now is None else progress.known_now
    total = known - changes.total()  # what the goal started with
    day = campaign.starts_at.astimezone(zone).date()
    last = min(at, campaign.ends_at - timedelta(microseconds=1)).astimezone(zone).date()
    days = []
    while day < last:
        total += changes[day]
        days.append(DayTotal(day, changes[day], total))
        day += _DAY
    return [*days, DayTotal(last, progress.counted - total, progress.counted)]


def _sum_changes(campaign: Campaign, progress: Progress, *, at: datetime) -> Counter[date]:
    if progress.is_money:
        return sum_money_by_day(campaign, at=at)
    tallies = campaign.tallies.all()
    if not find_goal_kind(progress.kind).includes_people:
        tallies = tallies.filter(gift__isnull=False)
    changes: Counter[date] = Counter()
    for field, sign in (("counted_from", 1), ("counted_until", -1)):
        days = (
            tallies.filter(**{f"{field}__lte": at})
            .annotate(day=TruncDate(field, tzinfo=campaign.zone_info))
            .values_list("day")
            .annotate(n=Count("*"))  # an index is enough for it
        )
        for day, count in days.order_by():
            changes[day] += sign * count
    return changes


def list_milestones(days: list[DayTotal], *, target: int) -> list[Milestone]:
    """Return the milestones that the number has passed and still holds, the latest first."""
    if not days:
        return []
    start, now = days[0].total - days[0].change, days[-1].total
    passed = [
        Milestone(value, next(day.day for day in days if day.total >= value))
        for value in _list_values(target, up_to=now)
        if value > start
    ]
    return passed[::-1]


def _list_values(target: int, *, up_to: int) -> Iterator[int]:
    """Yield the milestones' values up to a number, each once."""
    last = 0
    shares = [*SHARES, *range(100 + FURTHER, up_to * 100 // target + 1, FURTHER)]
    for share in shares:
        value = target * share // 100
        if last < value <= up_to:
            yield value
            last = value
