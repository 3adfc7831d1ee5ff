"""Periods: the days that a report covers, and what they are compared with."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from campaigns.models import Campaign

_FARTHEST = timedelta(days=3660)  # from the campaign, so that no chart has a million days


class Compare(models.TextChoices):
    NONE = "none", _("nothing")
    PREVIOUS = "previous", _("the period before")
    CAMPAIGN = "campaign", _("the same days of an earlier campaign")


@dataclass(frozen=True)
class Period:
    """The days `[first, end)` of a time zone.

    The whole campaign includes what happened on other days, such as a refund after the end.
    """

    first: date
    end: date
    zone: str
    is_whole: bool = False

    @property
    def last(self) -> date:
        return self.end - timedelta(days=1)

    @property
    def length(self) -> int:
        """The number of days."""
        return (self.end - self.first).days

    @property
    def starts_at(self) -> datetime:
        return _begin(self.first, self.zone)

    @property
    def ends_at(self) -> datetime:
        return _begin(self.end, self.zone)

    @property
    def since(self) -> datetime | None:
        """The first moment; None for the whole campaign."""
        return None if self.is_whole else self.starts_at

    @property
    def until(self) -> datetime | None:
        """The moment after the last; None for the whole campaign."""
        return None if self.is_whole else self.ends_at

    def contains(self, column: str) -> Q:
        """Return the filter for rows whose time is in the period."""
        return Q(**self.lookups(column))

    def lookups(self, column: str) -> dict[str, Any]:
        if self.is_whole:
            return {}
        return {f"{column}__gte": self.starts_at, f"{column}__lt": self.ends_at}


def _begin(day: date, zone: str) -> datetime:
    """Return the first moment of a day, in UTC so that differences are true durations."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))


def whole_campaign(campaign: Campaign, *, at: datetime) -> Period:
    """Return the period of everything that belongs to the campaign, until today or its end."""
    first, end = _days_of(campaign)
    return Period(first, max(min(end, _next_day(campaign, at)), _after(first)), campaign.zone, True)


def choose_period(
    campaign: Campaign, *, at: datetime, first: date | None = None, end: date | None = None
) -> Period:
    """Return the days `[first, end)`, or the whole campaign if neither is given.

    Swapped dates are put right, the same date twice is that day, and dates far from the campaign
    are moved to ten years before or after it.
    """
    whole = whole_campaign(campaign, at=at)
    if first is None and end is None:
        return whole
    start, stop = _days_of(campaign)
    earliest, latest = start - _FARTHEST, max(stop, _next_day(campaign, at)) + _FARTHEST
    first = min(max(first or min(whole.first, end or whole.first), earliest), latest)
    end = min(max(end or max(whole.end, first), earliest), latest)
    first, end = min(first, end), max(first, end)
    return Period(first, max(end, _after(first)), campaign.zone)


def explain_outside(campaign: Campaign, period: Period) -> str:
    """Return a sentence about days of the period that aren't the campaign's; empty without any."""
    start, stop = _days_of(campaign)
    inside = (min(period.end, stop) - max(period.first, start)).days
    outside = period.length - max(inside, 0)
    if not outside:
        return ""
    return ngettext(
        "%(count)d of these days isn’t in the campaign.",
        "%(count)d of these days aren’t in the campaign.",
        outside,
    ) % {"count": outside}


@dataclass(frozen=True)
class Comparison:
    """Another period to compare with, seen as long after its start as the report is."""

    campaign: Campaign
    period: Period
    at: datetime


def choose_comparison(
    campaign: Campaign,
    period: Period,
    *,
    at: datetime,
    compare: Compare,
    earlier: Campaign | None = None,
) -> Comparison | None:
    """Return what a period is compared with; None for nothing, or without an earlier campaign.

    Days before the campaign's first one are nothing to compare with, either. The earlier campaign
    is the one before, if none is given. Its days are counted from its start.
    """
    if compare is Compare.PREVIOUS:
        length = timedelta(days=period.length)
        before = Period(period.first - length, period.first, period.zone)
        if before.end <= _days_of(campaign)[0]:
            return None
        return _compare_with(campaign, before, period, at=at)
    if compare is Compare.CAMPAIGN:
        other = earlier or find_earlier_campaign(campaign)
        if other is not None:
            shift = _days_of(other)[0] - _days_of(campaign)[0]
            same = Period(period.first + shift, period.end + shift, other.zone)
            return _compare_with(other, same, period, at=at)
    return None


def find_earlier_campaign(campaign: Campaign) -> Campaign | None:
    earlier = Campaign.objects.filter(starts_at__lt=campaign.starts_at)
    return earlier.order_by("-starts_at", "-pk").first()


def _compare_with(
    campaign: Campaign, other: Period, period: Period, *, at: datetime
) -> Comparison | None:
    return Comparison(campaign, other, at=at - (period.starts_at - other.starts_at))


def _days_of(campaign: Campaign) -> tuple[date, date]:
    """Return the campaign's first day, and the day after its last."""
    zone = campaign.zone_info
    last_moment = campaign.ends_at - timedelta(microseconds=1)
    return campaign.starts_at.astimezone(zone).date(), _after(last_moment.astimezone(zone).date())


def _next_day(campaign: Campaign, at: datetime) -> date:
    return _after(at.astimezone(campaign.zone_info).date())


def _after(day: date) -> date:
    return day + timedelta(days=1)
