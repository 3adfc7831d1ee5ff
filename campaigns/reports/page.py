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
_WEEK = 7


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
    """The sums of some days of a campaign; `name` says which days.

    `joined_by_now` is how many had joined on the same day last week by this time of day.
    """

    name: str
    rows: Rows
    people: int
    gifts: int
    stopped: int
    raised_minor: int
    currency: str
    joined_by_now: int | None = None
    url: str = ""  # the report about these days

    @property
    def joined(self) -> int:
        return self.people + self.gifts


@dataclass(frozen=True)
class Page:
    """The view model of the page. `outlook` is None without a goal.

    `lately` are today, yesterday, the same weekday last week, and all days together; `periods` the
    chosen days and those they are compared with. `notice` says what could not be shown as chosen.
    """

    is_over: bool
    lately: Sequence[Sums]
    outlook: Outlook | None
    notes: Sequence[Note]
    days: Sequence[Day]
    day_rows: Sequence[tuple[Day, Rows]]  # the latest first
    daily: Stacks
    periods: Sequence[Sums]
    notice: str = ""


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
    days = [day for day in report.all_days if _is_between(day.day, choice.first, choice.last)]
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
        lately=_list_lately(links, report, at=at),
        outlook=outlook,
        notes=notes,
        days=days,
        day_rows=[(day, _link_day(links, now.first_day, day, at=at)) for day in days[::-1]],
        daily=_stack(days),
        periods=_compare(links, report, at=at),
        notice=_explain_missing(report, choice),
    )


def choose_compared(
    campaign: Campaign, choice: Choice, *, at: datetime
) -> tuple[Compare, Campaign | None]:
    """Return what the whole report is compared with: the same as the days are."""
    if choice.compare == NOTHING:
        return Compare.NONE, None
    if choice.compare == PREVIOUS:
        return Compare.PREVIOUS, None
    earlier = Campaign.objects.filter(starts_at__lt=campaign.starts_at)
    chosen = find_chosen(campaign, choice)
    chosen = chosen or earlier.filter(ends_at__lte=at).order_by("-starts_at").first()
    return (Compare.CAMPAIGN, chosen) if chosen else (Compare.NONE, None)


def find_chosen(campaign: Campaign, choice: Choice) -> Campaign | None:
    """Return the earlier campaign that the choice names; it may still be running."""
    if choice.compare in {"", NOTHING, PREVIOUS}:
        return None
    earlier = Campaign.objects.filter(starts_at__lt=campaign.starts_at)
    return earlier.filter(slug=choice.compare).first()


def look_ahead(campaign: Campaign, goal: Progress, *, at: datetime, language: str) -> Outlook:
    """Return the outlook by itself, with the newest earlier campaign laid over its curve."""
    name = campaign.copy_for(language).name
    earlier = list_earlier(campaign, goal, at=at, language=language)
    return describe_outlook(
        *(Past(campaign, name, read_days(campaign, goal, at=at)), goal),
        at=at,
        notes=list(campaign.notes.order_by("at")),
        shown=earlier[:1],
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
    campaign: Campaign,
    goal: Progress | None,
    *,
    at: datetime,
    language: str,
    chosen: Campaign | None = None,
) -> list[Past]:
    """Return campaigns that began before this one and have ended, the newest first.

    The chosen one is among them even if it is older than those, or still running. For a goal of
    money they have to be in its currency.
    """
    if goal is None:
        return []
    found = Campaign.objects.filter(starts_at__lt=campaign.starts_at, ends_at__lte=at)
    if goal.is_money:
        found = found.filter(currency=campaign.currency)
    listed = list(found.prefetch_related("copies").order_by("-starts_at")[:CALIBRATED_ON])
    if chosen is not None and chosen not in listed:
        is_comparable = not goal.is_money or chosen.currency == campaign.currency
        listed += [chosen] if is_comparable else []
    return [
        Past(each, each.copy_for(language).name, read_days(each, goal, at=at)) for each in listed
    ]


def _select_shown(earlier: Sequence[Past], choice: Choice) -> Sequence[Past]:
    """Return the campaigns to lay over the curve: the chosen one, or the latest."""
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


def _add_up(name: str, days: Sequence[Day], currency: str, rows: Rows) -> Sums:
    return Sums(
        name=name,
        rows=rows,
        people=sum(day.people for day in days),
        gifts=sum(day.gifts for day in days),
        stopped=sum(day.stopped for day in days),
        raised_minor=sum(day.raised_minor for day in days),
        currency=currency,
    )


def _find_rows(links: Links, period: Period, *, at: datetime) -> Rows:
    return Rows(
        joined=links.joined(period),
        people=links.people(period),
        gifts=links.gifts_joined(period),
        left=links.left(period),
        payments=links.figure("net", period, at=at, part=links.campaign.currency),
    )


def _link_day(links: Links, first: date, day: Day, *, at: datetime) -> Rows:
    """Return the lists of the rows of a day, and of those from the campaign's first day on."""
    campaign, end = links.campaign, day.day + timedelta(days=1)
    so_far = Period(min(first, day.day), end, campaign.zone)
    return replace(
        _find_rows(links, Period(day.day, end, campaign.zone), at=at),
        total=links.figure("total", so_far, at=at),
        raised_total=links.figure("net", so_far, at=at, part=campaign.currency),
    )


def _list_lately(links: Links, report: Report, *, at: datetime) -> list[Sums]:
    """Return the latest days of a running campaign, those that there are, and all days together."""
    campaign = links.campaign
    today, by_day = at.astimezone(campaign.zone_info).date(), {d.day: d for d in report.all_days}
    names = {0: _("Today"), 1: _("Yesterday"), 7: _("Same day last week")}
    lately = []
    if campaign.holds(at):
        for back, name in names.items():
            date_of = today - timedelta(days=back)
            if day := by_day.get(date_of):
                only = Period(date_of, date_of + timedelta(days=1), campaign.zone)
                sums = _add_up(name, [day], campaign.currency, _find_rows(links, only, at=at))
                by_now = report.standing.last_week_by_now.joined if back == _WEEK else None
                lately.append(replace(sums, joined_by_now=by_now))
    whole = _find_rows(links, whole_campaign(campaign, at=at), at=at)
    return [*lately, _add_up(_("In all"), report.all_days, campaign.currency, whole)]


def _compare(links: Links, report: Report, *, at: datetime) -> list[Sums]:
    """Return the sums of the days and of those that they are compared with; none without those."""
    other = report.compared
    if other is None or not report.days:
        return []
    return [
        _add_up(
            _("This campaign") if report.period.is_whole else _("Selected days"),
            report.days,
            report.currency,
            _find_rows(links, report.period, at=at),
        ),
        replace(
            _add_up(name_compared(report, other), other.days, other.currency, Rows()),
            url=links.report(other.campaign_id, other.period),
        ),
    ]


def name_compared(report: Report, other: Report) -> str:
    """Return the words for the days that a report is compared with."""
    if other.slug == report.slug:
        words = ngettext("%(count)d day before", "%(count)d days before", other.period.length)
        return words % {"count": other.period.length}
    return _("Same days of %(campaign)s") % {"campaign": other.name}


def _explain_missing(report: Report, choice: Choice) -> str:
    """Return a sentence about days outside the campaign and a comparison that isn't possible."""
    missing = ""
    if choice.compare == PREVIOUS and report.compared is None:
        missing = _("There are no days before these in the campaign.")
    return " ".join(filter(None, (report.outside, missing)))


def _stack(days: Sequence[Day]) -> Stacks:
    people, gifts, stopped = (
        [getattr(day, name) for day in days] for name in ("people", "gifts", "stopped")
    )
    sentence = _("Joined on these days: people %(people)s, gifts %(gifts)s. Left: %(left)s.") % {
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
