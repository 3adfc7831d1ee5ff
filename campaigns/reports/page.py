"""The report page of a campaign: what its first two questions show.

Its figures are the report's, with the days of earlier campaigns (`list_earlier`).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Campaign, Goal, Note
from campaigns.money import format_money
from campaigns.progress import Progress
from campaigns.reports.charts import Stack, Stacks, write_number
from campaigns.reports.days import Day, list_days
from campaigns.reports.links import Links
from campaigns.reports.outlook import Outlook, Past, describe_outlook, write_day
from campaigns.reports.periods import Compare, Period, choose_period, whole_campaign
from campaigns.reports.report import Report

CALIBRATED_ON = 12  # the newest earlier campaigns; more would make the page slow
OVERLAID = 2
NOTHING, PREVIOUS = "none", "previous"
_LAST_DAY = date.max - timedelta(days=1)


@dataclass(frozen=True)
class Choice:
    """The choice in the page's controls; both days are included.

    `compare` is empty for the latest earlier campaigns, NOTHING, PREVIOUS for the days before, or
    the slug of a campaign.
    """

    first: date | None = None
    last: date | None = None
    compare: str = ""

    def choose_period(self, campaign: Campaign, *, at: datetime) -> Period:
        """Return the chosen days, or the whole campaign."""
        end = min(self.last, _LAST_DAY) + timedelta(days=1) if self.last else None
        return choose_period(campaign, at=at, first=self.first, end=end)


@dataclass(frozen=True)
class Rows:
    """The lists of the rows behind some sums; empty where the viewer may not see them."""

    joined: str = ""
    people: str = ""
    gifts: str = ""
    left: str = ""
    payments: str = ""
    # Those of the whole campaign until the end of the days.
    total: str = ""
    raised_total: str = ""


@dataclass(frozen=True)
class Sums:
    """The sums of some days of a campaign; `name` says which days."""

    name: str
    rows: Rows
    people: int
    gifts: int
    stopped: int
    raised_minor: int
    currency: str

    @property
    def joined(self) -> int:
        return self.people + self.gifts


@dataclass(frozen=True)
class Page:
    """The view model of the page. `outlook` is None without a goal.

    `lately` are today, yesterday, the same weekday last week, and all days together; `periods` the
    chosen days and those they are compared with.
    """

    is_over: bool
    lately: Sequence[Sums]
    outlook: Outlook | None
    notes: Sequence[Note]
    days: Sequence[Day]
    day_rows: Sequence[tuple[Day, Rows]]  # the latest first
    daily: Stacks
    periods: Sequence[Sums]


def describe_page(
    campaign: Campaign,
    report: Report,
    choice: Choice,
    *,
    language: str,
    earlier: Sequence[Past] = (),
    links: Links | None = None,
) -> Page:
    """Return what the page shows of the campaign's report; `earlier` is from `list_earlier`."""
    goal, at = report.standing.primary, report.as_of
    notes = list(campaign.notes.select_related("written_by").order_by("at"))
    now = Past(campaign, report.name, count_days(campaign, goal, report.all_days, at=at))
    links = links or Links(campaign)
    days = [day for day in now.days if _is_between(day.day, choice.first, choice.last)]
    outlook = None
    if goal is not None:
        outlook = describe_outlook(
            *(now, goal),
            at=at,
            notes=notes,
            shown=_select_shown(earlier, choice),
            earlier=earlier,
            write=write_unit(goal, language),
        )
    return Page(
        is_over=at >= campaign.ends_at,
        lately=_list_lately(links, report.all_days, at=at),
        outlook=outlook,
        notes=notes,
        days=days,
        day_rows=[(day, _link_day(links, now.first_day, day, goal, at=at)) for day in days[::-1]],
        daily=_stack(days),
        periods=_compare(links, now, days, earlier, choice, goal=goal, at=at),
    )


def choose_compared(
    campaign: Campaign, choice: Choice, *, at: datetime
) -> tuple[Compare, Campaign | None]:
    """Return what the whole report is compared with: the same as the days are."""
    if choice.compare == NOTHING:
        return Compare.NONE, None
    if choice.compare == PREVIOUS:
        return Compare.PREVIOUS, None
    earlier = Campaign.objects.filter(starts_at__lt=campaign.starts_at, ends_at__lte=at)
    chosen = earlier.filter(slug=choice.compare).first() if choice.compare else None
    chosen = chosen or earlier.order_by("-starts_at").first()
    return (Compare.CAMPAIGN, chosen) if chosen else (Compare.NONE, None)


def look_ahead(
    campaign: Campaign, goal: Progress, *, at: datetime, language: str, is_bare: bool = False
) -> Outlook:
    """Return the outlook by itself, with the newest earlier campaign laid over its curve.

    A bare curve has neither notes nor an earlier campaign.
    """
    name = campaign.copy_for(language).name
    earlier = list_earlier(campaign, goal, at=at, language=language)
    return describe_outlook(
        *(Past(campaign, name, read_days(campaign, goal, at=at)), goal),
        at=at,
        notes=() if is_bare else list(campaign.notes.order_by("at")),
        shown=() if is_bare else earlier[:1],
        earlier=earlier,
        write=write_unit(goal, language),
    )


def read_days(campaign: Campaign, goal: Progress | None, *, at: datetime) -> Sequence[Day]:
    """Return the campaign's days with totals in the unit of the goal."""
    days = list_days(campaign, whole_campaign(campaign, at=at), at=at)
    return count_days(campaign, goal, days, at=at)


def count_days(
    campaign: Campaign, goal: Progress | None, days: Sequence[Day], *, at: datetime
) -> Sequence[Day]:
    """Return all days of a campaign with totals in the unit of the goal."""
    if goal is not None and goal.is_money:
        return [replace(day, total=day.raised_total_minor) for day in days]
    if goal is None or goal.kind != Goal.Kind.GIFTS:
        return days
    zone, ended = campaign.zone_info, Counter[date]()
    stopped = campaign.tallies.filter(gift__isnull=False, counted_until__lte=at)
    for moment in stopped.values_list("counted_until", flat=True):
        if moment is not None:
            ended[moment.astimezone(zone).date()] += 1
    total, of_gifts = 0, []
    for day in days:
        total += day.gifts - ended[day.day]
        of_gifts.append(replace(day, people=0, stopped=ended[day.day], total=total))
    return of_gifts


def list_earlier(
    campaign: Campaign, goal: Progress | None, *, at: datetime, language: str
) -> list[Past]:
    """Return campaigns that began before this one and have ended, the newest first.

    For a goal of money they have to be in its currency.
    """
    if goal is None:
        return []
    found = Campaign.objects.filter(starts_at__lt=campaign.starts_at, ends_at__lte=at)
    if goal.is_money:
        found = found.filter(currency=campaign.currency)
    return [
        Past(each, each.copy_for(language).name, read_days(each, goal, at=at))
        for each in found.prefetch_related("copies").order_by("-starts_at")[:CALIBRATED_ON]
    ]


def _select_shown(earlier: Sequence[Past], choice: Choice) -> Sequence[Past]:
    """Return the campaigns to lay over the curve."""
    if choice.compare in {NOTHING, PREVIOUS}:
        return []
    chosen = [past for past in earlier if past.campaign.slug == choice.compare]
    return chosen or earlier[:OVERLAID]


def write_unit(goal: Progress, language: str) -> Callable[[float], str]:
    if goal.is_money:
        return lambda value: format_money(round(value), goal.currency, language=language)
    return lambda value: write_number(round(value))


def _is_between(day: date, first: date | None, last: date | None) -> bool:
    return (first is None or day >= first) and (last is None or day <= last)


def _add_up(name: str, days: Sequence[Day], campaign: Campaign, rows: Rows | None = None) -> Sums:
    return Sums(
        name=name,
        rows=rows or Rows(),
        people=sum(day.people for day in days),
        gifts=sum(day.gifts for day in days),
        stopped=sum(day.stopped for day in days),
        raised_minor=sum(day.raised_minor for day in days),
        currency=campaign.currency,
    )


def _find_rows(links: Links, period: Period, *, at: datetime) -> Rows:
    return Rows(
        joined=links.joined(period),
        people=links.people(period),
        gifts=links.gifts_joined(period),
        left=links.left(period),
        payments=links.figure("net", period, at=at, part=links.campaign.currency),
    )


def _link_day(links: Links, first: date, day: Day, goal: Progress | None, *, at: datetime) -> Rows:
    """Return the lists of the rows of a day, and of those from the campaign's first day on."""
    campaign, end = links.campaign, day.day + timedelta(days=1)
    so_far = Period(min(first, day.day), end, campaign.zone)
    is_of_gifts = goal is not None and goal.kind == Goal.Kind.GIFTS
    raised = links.figure("net", so_far, at=at, part=campaign.currency)
    is_of_money = goal is not None and goal.is_money
    total = links.figure("total", so_far, at=at, part="gifts" if is_of_gifts else "")
    return replace(
        _link_days(links, [day], goal, at=at),
        total=raised if is_of_money else total,
        raised_total=raised,
    )


def _link_days(links: Links, days: Sequence[Day], goal: Progress | None, *, at: datetime) -> Rows:
    """Return the lists of the rows of some days, of which a goal of gifts counts only gifts."""
    end = days[-1].day + timedelta(days=1)
    only = Period(days[0].day, end, links.campaign.zone)
    rows = _find_rows(links, only, at=at)
    if goal is None or goal.kind != Goal.Kind.GIFTS:
        return rows
    return replace(rows, joined=rows.gifts, people="", left=links.left(only, is_of_gifts=True))


def _list_lately(links: Links, days: Sequence[Day], *, at: datetime) -> list[Sums]:
    """Return the latest days of a running campaign, those that there are, and all days together."""
    campaign = links.campaign
    today, by_day = at.astimezone(campaign.zone_info).date(), {day.day: day for day in days}
    names = {0: _("Today"), 1: _("Yesterday"), 7: _("Same day last week")}
    lately = []
    if campaign.holds(at):
        for back, name in names.items():
            date_of = today - timedelta(days=back)
            if day := by_day.get(date_of):
                only = Period(date_of, date_of + timedelta(days=1), campaign.zone)
                lately.append(_add_up(name, [day], campaign, _find_rows(links, only, at=at)))
    whole = _find_rows(links, whole_campaign(campaign, at=at), at=at)
    return [*lately, _add_up(_("In all"), days, campaign, whole)]


def _compare(
    links: Links,
    now: Past,
    days: Sequence[Day],
    earlier: Sequence[Past],
    choice: Choice,
    *,
    goal: Progress | None,
    at: datetime,
) -> list[Sums]:
    """Return the sums of the days and of those that they are compared with; none without those."""
    if not days or choice.compare == NOTHING:
        return []
    start = (days[0].day - now.first_day).days
    if choice.compare == PREVIOUS:
        # Fewer than the chosen days if the campaign had just begun.
        other, beside = now.campaign, now.days[max(start - len(days), 0) : start]
        words = ngettext("%(count)d day before", "%(count)d days before", len(beside))
        name = words % {"count": len(beside)}
    else:
        shown = _select_shown(earlier, choice)
        if not shown:
            return []
        other, beside = shown[0].campaign, shown[0].days[start : start + len(days)]
        name = _("Same days of %(campaign)s") % {"campaign": shown[0].name}
    if not beside:
        return []
    of_days = _link_days(links, days, goal, at=at)
    of_beside = _link_days(replace(links, campaign=other), beside, goal, at=at)
    return [
        _add_up(_("Selected days"), days, now.campaign, of_days),
        _add_up(name, beside, other, of_beside),
    ]


def _stack(days: Sequence[Day]) -> Stacks:
    people, gifts, stopped = (
        [getattr(day, name) for day in days] for name in ("people", "gifts", "stopped")
    )
    sentence = _(
        "%(people)s people and %(gifts)s gifts joined on these days, and %(left)s left."
    ) % {
        "people": write_number(sum(people)),
        "gifts": write_number(sum(gifts)),
        "left": write_number(sum(stopped)),
    }
    return Stacks(
        title=_("Joined and left by day"),
        sentence=sentence,
        days=[write_day(day.day) for day in days],
        stacks=[
            Stack(_("People"), people),
            Stack(_("Gifts"), gifts),
            Stack(_("Left"), stopped, is_below=True),
        ],
        empty=_("Nobody joined on these days."),
    )
