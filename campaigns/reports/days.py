from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count
from django.utils.translation import gettext_noop

from campaigns.models import Campaign
from campaigns.progress import Quarter, sum_money_by_day
from campaigns.reports.periods import Period, whole_campaign

__doc__ = DEFINITION = gettext_noop(
    "For each day in the campaign’s time zone: the people and gifts that started to count, those "
    "that stopped, and the count at the end of the day. Money is in the campaign’s currency: first "
    "payments, gifts and contributions of the day, less refunds and lost disputes on the day when "
    "they happened, before fees."
)


@dataclass(frozen=True)
class Day:
    """The people and gifts that started or stopped counting on a day of the campaign's time zone.

    `total` is the count at the end of the day. Money is in minor units of the campaign's currency:
    what came in that day less what was refunded or lost, and the total at its end.
    """

    day: date
    people: int
    gifts: int
    stopped: int
    total: int
    raised_minor: int = 0
    raised_total_minor: int = 0

    @property
    def joined(self) -> int:
        return self.people + self.gifts


@dataclass(frozen=True)
class Movements:
    """The movements of each day that has any, from the first one on."""

    started: Mapping[date, tuple[int, int]]  # people, gifts
    by_hour: Mapping[tuple[date, int], int]  # both, by day and hour
    stopped: Mapping[date, int]
    raised_minor: Mapping[date, int]

    @property
    def days(self) -> list[date]:
        return sorted({*self.started, *self.stopped, *self.raised_minor})


def read_movements(campaign: Campaign, *, at: datetime) -> Movements:
    """Return everything that moved by a moment, by the day of the campaign's zone."""
    zone, tallies = campaign.zone_info, campaign.tallies.order_by()
    started: defaultdict[date, tuple[int, int]] = defaultdict(lambda: (0, 0))
    by_hour: Counter[tuple[date, int]] = Counter()
    stopped: Counter[date] = Counter()
    quarters = tallies.filter(counted_from__lte=at).values_list(Quarter("counted_from"))
    for quarter, people, gifts in quarters.annotate(Count("member"), Count("gift")):
        local = quarter.astimezone(zone)
        before = started[local.date()]
        started[local.date()] = (before[0] + people, before[1] + gifts)
        by_hour[local.date(), local.hour] += people + gifts
    quarters = tallies.filter(counted_until__lte=at).values_list(Quarter("counted_until"))
    for quarter, number in quarters.annotate(Count("pk")):
        stopped[quarter.astimezone(zone).date()] += number
    return Movements(started, by_hour, stopped, raised_minor=sum_money_by_day(campaign, at=at))


def list_days(
    campaign: Campaign,
    period: Period | None = None,
    *,
    at: datetime,
    movements: Movements | None = None,
) -> tuple[Day, ...]:
    """Return each day of the period, or of the campaign, until `at`; none before it began.

    Totals include what happened before the period. The whole campaign goes on until the last day
    on which something stopped counting. `movements` saves reading them again.
    """
    moved = movements or read_movements(campaign, at=at)
    period = period or whole_campaign(campaign, at=at)
    first = period.first
    last = min(period.last, at.astimezone(campaign.zone_info).date())
    if period.is_whole:
        last = max([last, *moved.days])
    total = raised_total = 0
    days = []
    for day in sorted({*moved.days, *_span(first, last)}):
        people, gifts = moved.started.get(day, (0, 0))
        stopped, raised = moved.stopped.get(day, 0), moved.raised_minor.get(day, 0)
        total += people + gifts - stopped
        raised_total += raised
        if first <= day <= last:
            days.append(Day(day, people, gifts, stopped, total, raised, raised_total))
    return tuple(days)


def _span(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
