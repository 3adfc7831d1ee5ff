"""The first two questions of a report file: its progress, and whether it will reach the goal."""

from collections.abc import Sequence
from datetime import timedelta

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Goal
from campaigns.progress import Progress
from campaigns.reports.charts import write_number
from campaigns.reports.contents import Contents
from campaigns.reports.files.document import (
    Fact,
    Grid,
    Money,
    Part,
    Share,
    Value,
    select_charts,
    write_value,
)
from campaigns.reports.outlook import Outlook
from campaigns.reports.page import Sums


def describe_standing(contents: Contents) -> Part:
    """Return the goals, the latest days and the periods compared."""
    report, goal = contents.report, contents.report.primary
    facts: list[Fact] = []
    notes: list[str] = []
    if goal is not None:
        facts = [
            Fact(_("Share of the goal"), Share(goal.percent)),
            Fact(
                _("Short of it") if contents.page.is_over else _("To go"), _value(goal, goal.left)
            ),
            Fact(_("Pending payments"), report.pending),
        ]
        notes = [_judge_count(goal, report.pending)]
    return Part(
        name=_("Standing"),
        title=_("Where do we stand?"),
        notes=notes,
        definitions=[report.definitions["standing"]],
        facts=facts,
        grids=[
            _list_sums(_("Joined and left"), contents.page.lately),
            *([_list_sums(_("Compared"), contents.page.periods)] if contents.page.periods else []),
            *([_list_goals(report.goals)] if len(report.goals) > 1 else []),
        ],
    )


def describe_outlook(contents: Contents) -> Part | None:
    """Return the curve with its forecast and its pace; None without a goal."""
    goal, outlook = contents.report.primary, contents.page.outlook
    if goal is None or outlook is None:
        return None
    zone = contents.campaign.zone_info
    notes: list[list[Value]] = [
        [note.at.astimezone(zone), note.text] for note in contents.page.notes
    ]
    grids = [_list_curve(contents, goal, outlook)]
    if notes:
        grids.append(Grid(_("Notes"), [_("When"), _("What happened")], notes))
    return Part(
        name=_("Outlook"),
        title=_("Did we make it?") if contents.page.is_over else _("Will we make it?"),
        answer=outlook.verdict,
        notes=[outlook.explanation] if outlook.explanation else [],
        definitions=[contents.report.definitions[name] for name in ("pace", "forecast")],
        facts=list(_list_pace(contents, goal, outlook)),
        charts=select_charts(contents, "curve"),
        grids=grids,
    )


def describe_days(contents: Contents) -> Part:
    """Return the chosen days, one a row."""
    currency = contents.report.currency
    head = [_("Day"), _("People"), _("Gifts"), _("Left"), _("Total")]
    head += [_("Raised"), _("Raised in total")]
    rows: list[list[Value]] = [
        [
            *(day.day, day.people, day.gifts, day.stopped, day.total),
            *(Money(day.raised_minor, currency), Money(day.raised_total_minor, currency)),
        ]
        for day in contents.page.days
    ]
    return Part(
        name=_("Days"),
        title=_("Day by day"),
        definitions=[contents.report.definitions["days"]],
        charts=select_charts(contents, "days"),
        grids=[
            Grid(
                *(_("Numbers day by day"), head, rows),
                plot="stacks",
                plotted=(1, 2),
                empty=_("Nobody joined on these days."),
            )
        ],
    )


def _value(goal: Progress, number: int) -> Value:
    """Return a number in the goal's unit."""
    return Money(number, goal.currency) if goal.is_money else number


def _judge_count(goal: Progress, pending: int) -> str:
    if goal.is_final:
        return _("The count is final.")
    if pending:
        return ngettext(
            "The count is provisional: %(count)s payment is pending.",
            "The count is provisional: %(count)s payments are pending.",
            pending,
        ) % {"count": write_number(pending)}
    if goal.is_provisional:
        return _("The count is provisional until staff close the campaign.")
    return _("No payment is pending.")


def _list_sums(title: str, periods: Sequence[Sums]) -> Grid:
    head = [_("Days"), _("Joined"), _("People"), _("Gifts"), _("Left"), _("Money")]
    rows: list[list[Value]] = [
        [
            *(each.name, each.joined, each.people, each.gifts, each.stopped),
            Money(each.raised_minor, each.currency),
        ]
        for each in periods
    ]
    return Grid(title, head, rows)


def _list_goals(goals: Sequence[Progress]) -> Grid:
    return Grid(
        _("Goals"),
        [_("Goal"), _("Counted"), _("Target"), _("Share")],
        [
            [
                str(capfirst(str(Goal.Kind(goal.kind).label))),
                *(_value(goal, goal.shown), _value(goal, goal.shown_target), Share(goal.percent)),
            ]
            for goal in goals
        ],
    )


def _list_pace(contents: Contents, goal: Progress, outlook: Outlook) -> list[Fact]:
    """Return the facts beside the curve, as far as there are any."""
    pace, facts = contents.report.pace, []
    if outlook.expected is not None and outlook.ahead is not None and not goal.is_final:
        words = _("%(number)s ahead") if outlook.ahead >= 0 else _("%(number)s behind")
        beside = write_value(_value(goal, abs(outlook.ahead)), contents.language)
        name = _("Expected by now at an even pace")
        facts.append(Fact(name, _value(goal, outlook.expected), words % {"number": beside}))
    if pace.recent_per_day is not None:
        name = ngettext(
            "Pace on the last full day", "Pace over the last %(days)s full days", pace.recent_days
        ) % {"days": pace.recent_days}
        facts.append(Fact(name, _pace(goal, pace.recent_per_day), _("a day")))
    if pace.needed_per_day is not None and not goal.is_reached:
        name = _("Pace that would reach the goal")
        facts.append(Fact(name, _pace(goal, pace.needed_per_day), _("a day until the end")))
    if outlook.low is not None and outlook.high is not None:
        high = write_value(_value(goal, outlook.high), contents.language)
        words = _("to %(number)s") % {"number": high}
        facts.append(Fact(_("Likely at the end"), _value(goal, outlook.low), words))
    return facts


def _pace(goal: Progress, per_day: float) -> Value:
    return Money(round(per_day), goal.currency) if goal.is_money else round(per_day, 1)


def _list_curve(contents: Contents, goal: Progress, outlook: Outlook) -> Grid:
    """Return the lines of the curve as columns, with real dates."""
    curve, first = outlook.curve, contents.campaign.starts_at
    begins = first.astimezone(contents.campaign.zone_info).date()
    columns = [(line.name, 0, line.values) for line in curve.lines]
    if curve.fan:
        names = (_("Forecast: lower end"), _("Median"), _("Upper end"))
        values = (curve.fan.low, curve.fan.median, curve.fan.high)
        columns += [(name, curve.fan.first, each) for name, each in zip(names, values, strict=True)]
    rows = []
    for at in range(len(curve.days)):
        row: list[Value] = [begins + timedelta(days=at)]
        for _name, start, each in columns:
            number = each[at - start] if 0 <= at - start < len(each) else None
            if number is not None:
                is_whole = goal.is_money or float(number).is_integer()
                row.append(_value(goal, round(number)) if is_whole else round(number, 1))
            else:
                row.append(None)
        rows.append(row)
    head = [_("Day"), *(name for name, *_rest in columns)]
    return Grid(_("Total by day"), head, rows, plot="line", is_detail=True)
