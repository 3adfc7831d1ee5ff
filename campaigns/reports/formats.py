"""The figures as text for a terminal, as JSON, as CSV, and as a chart for a page."""

import csv
import io
import json
from dataclasses import asdict
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from campaigns.money import format_money
from campaigns.progress import Progress
from campaigns.reports.figures import Day, Figures, Group

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def as_text(figures: Figures) -> str:
    """A report to read in a terminal or a mail."""
    zone = ZoneInfo(figures.zone)
    lines = [
        f"{figures.name} ({figures.slug})",
        f"Window  {_local(figures.starts_at, zone)} to {_local(figures.ends_at, zone)}",
        f"As of   {_local(figures.as_of, zone)} ({figures.zone})",
        "",
        "Goals",
        *[f"  {_goal_line(goal)}" for goal in figures.goals],
        "",
        f"Pace    {figures.recent_per_day:.1f} a day over the last seven full days"
        + (
            f"; {figures.needed_per_day:.1f} a day needed"
            if figures.needed_per_day is not None
            else ""
        ),
    ]
    if figures.pending:
        lines.append(
            f"Pending {figures.pending} begun in the window and not yet decided: provisional"
        )
    lines += ["", *_table("By source", figures.by_source), *_table("By plan", figures.by_plan)]
    lines += _table("By placement", figures.by_placement)
    lines += [
        f"Gifts   {figures.gifts_claimed} claimed, {figures.gifts_unclaimed} not yet",
        "",
        "Money of first payments and gifts, before fees",
    ]
    for money in figures.money:
        gross, refunded, lost, net = (
            format_money(minor, money.currency)
            for minor in (
                money.gross_minor,
                money.refunded_minor,
                money.lost_minor,
                money.net_minor,
            )
        )
        lines.append(
            f"  {money.currency.upper()}  {money.payments} payments, gross {gross}, "
            f"refunds {refunded}, lost disputes {lost}, net {net}"
        )
    lines += ["", "Day         people  gifts   total"]
    lines += [f"{day.day}  {day.people:6}  {day.gifts:5}  {day.total:6}" for day in figures.days]
    return "\n".join([*lines, "", f"What counts: {figures.rule}", ""])


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _goal_line(goal: Progress) -> str:
    if goal.is_money:
        counted = format_money(goal.counted, goal.currency)
        target = format_money(goal.target, goal.currency)
    else:
        counted, target = f"{goal.counted:,}", f"{goal.target:,}"
    return f"{goal.kind.replace('_', ' ')}: {counted} of {target} ({goal.percent} %), {goal.state}"


def _table(title: str, groups: list[Group]) -> list[str]:
    return [title, *[f"  {group.name}: {group.counted}" for group in groups], ""]


def as_json(figures: Figures) -> str:
    """All figures; times in ISO 8601, money in minor units."""
    goals = [
        asdict(goal) | {"percent": goal.percent, "state": goal.state} for goal in figures.goals
    ]
    money = [asdict(each) | {"net_minor": each.net_minor} for each in figures.money]
    whole = asdict(figures) | {"goals": goals, "money": money}
    return json.dumps(whole, indent=2, ensure_ascii=False, default=_plain) + "\n"


def _plain(value: object) -> str:
    if isinstance(value, date):  # a datetime is a date, too
        return value.isoformat()
    raise TypeError(f"{value!r} has no place in a report")


def as_csv(figures: Figures) -> str:
    """One line a day; cells that a spreadsheet would take for a formula are made harmless."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["campaign", "day", "people", "gifts", "total"])
    for day in figures.days:
        row = [figures.slug, day.day.isoformat(), day.people, day.gifts, day.total]
        writer.writerow([_harmless(cell) for cell in row])
    return out.getvalue()


def _harmless(cell: str | int) -> str | int:
    if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS):
        return f"'{cell}"
    return cell


def chart_days(days: list[Day], *, target: int | None) -> SafeString:
    """The running total by day as an SVG line, the target as a dashed one; a table stands beside."""
    width, height, edge = 720, 220, 8
    top = max([day.total for day in days] + [target or 0, 1])
    step = (width - 2 * edge) / max(len(days) - 1, 1)

    def y_of(value: int) -> float:
        return round(height - edge - max(value, 0) * (height - 2 * edge) / top, 1)

    points = format_html_join(
        " ", "{},{}", ((round(edge + at * step, 1), y_of(day.total)) for at, day in enumerate(days))
    )
    goal = (
        format_html(
            '<line class="chart-goal" x1="{}" x2="{}" y1="{}" y2="{}"/>',
            edge,
            width - edge,
            y_of(target),
            y_of(target),
        )
        if target
        else ""
    )
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-hidden="true">{}'
        '<polyline class="chart-line" points="{}"/></svg>',
        width,
        height,
        goal,
        points,
    )
