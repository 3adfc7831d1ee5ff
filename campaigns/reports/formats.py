"""The formats of a report: text for a terminal, JSON, CSV and a chart for a page."""

import csv
import io
import json
import textwrap
from dataclasses import asdict
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from campaigns.models import Goal
from campaigns.money import decimal_places, format_money, to_major
from campaigns.progress import Progress
from campaigns.reports.figures import Day, Figures
from campaigns.spreadsheets import neutralise_cell


def as_text(figures: Figures) -> str:
    """Return the report as text for a terminal or an e-mail."""
    zone = ZoneInfo(figures.zone)
    head = [
        f"{figures.name} ({figures.slug})",
        "",
        f"Window  {_local(figures.starts_at, zone)} to {_local(figures.ends_at, zone)}",
        f"As of   {_local(figures.as_of, zone)}, {figures.zone} time",
    ]
    if figures.closed_at is not None:
        head.append(f"Closed  {_local(figures.closed_at, zone)} by {figures.closed_by}")
    parts = [
        head,
        ["Goals", *(_indented(_goal_rows(figures.goals)) or ["  none yet"])],
        _pace_lines(figures),
        *(
            [title, *_indented([[group.label, f"{group.counted:,}"] for group in groups])]
            for title, groups in (
                ("Counted, by source", figures.by_source),
                ("Counted, by plan", figures.by_plan),
                ("Counted, by placement", figures.by_placement),
            )
            if groups
        ),
        [
            "Counted gifts",
            *_indented(
                [
                    ["claimed", f"{figures.gifts_claimed:,}"],
                    ["not claimed", f"{figures.gifts_unclaimed:,}"],
                    ["expired unclaimed", f"{figures.gifts_expired:,}"],
                    ["recipients who became paying members", f"{figures.gifts_converted:,}"],
                ]
            ),
        ],
        [
            "First payments and gifts made in the window, before fees",
            *(_indented(_money_rows(figures)) or ["  none yet"]),
            *_held_lines(figures),
        ],
        [
            "Payouts by Stripe for these payments, after its fees",
            *(_indented(_paid_out_rows(figures)) or ["  nothing yet"]),
        ],
        [
            "Started and stopped counting, by day",
            *(_indented(_day_rows(figures)) or ["  none yet"]),
        ],
        [
            "What counts",
            *textwrap.wrap(figures.rule, 78, initial_indent="  ", subsequent_indent="  "),
        ],
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _indented(rows: list[list[str]]) -> list[str]:
    """Return the rows as aligned columns: the first flush left, the others flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _goal_rows(goals: list[Progress]) -> list[list[str]]:
    rows = []
    for goal in goals:
        counted, target = _amount(goal, goal.counted), _amount(goal, goal.target)
        progress = f"{counted} of {target} ({goal.percent}%), {goal.state}"
        if goal.known_now is not None:
            now = _amount(goal, goal.known_now)
            progress += f"; closed at {counted}; {now} as known now"
        rows.append([str(Goal.Kind(goal.kind).label), progress])
    return rows


def _amount(goal: Progress, number: int) -> str:
    return format_money(number, goal.currency) if goal.is_money else f"{number:,}"


def _pace(figures: Figures, per_day: float) -> str:
    """Return a pace in the unit of the primary goal."""
    if figures.primary is not None and figures.primary.is_money:
        return format_money(round(per_day), figures.currency)
    return f"{per_day:.1f}"


def _pace_lines(figures: Figures) -> list[str]:
    lines = []
    if figures.recent_per_day is not None:
        days = f"{figures.recent_days} full days" if figures.recent_days > 1 else "full day"
        lines.append(f"Pace    {_pace(figures, figures.recent_per_day)} a day over the last {days}")
    if figures.needed_per_day is not None:
        lines.append(f"Needed  {_pace(figures, figures.needed_per_day)} a day from now to the end")
    if figures.pending:
        payments = "payments" if figures.pending > 1 else "payment"
        consequence = (
            "the final count doesn't include them"
            if figures.primary is not None and figures.primary.is_final
            else "the count is provisional until the bank decides"
        )
        lines.append(f"Pending {figures.pending:,} {payments} from the window; {consequence}")
    elif figures.primary is not None and figures.primary.is_provisional:
        lines.append("Pending no payments; the count is provisional until staff close the campaign")
    return lines or ["Pace    shown while the campaign is running"]


def _money_rows(figures: Figures) -> list[list[str]]:
    if not figures.money:
        return []
    rows = [["", "payments", "gross", "refunds", "lost disputes", "net"]]
    for money in figures.money:
        amounts = (money.gross_minor, -money.refunded_minor, -money.lost_minor, money.net_minor)
        rows.append(
            [
                money.currency.upper(),
                f"{money.payments:,}",
                *(format_money(minor, money.currency) for minor in amounts),
            ]
        )
    return rows


def _held_lines(figures: Figures) -> list[str]:
    """Return a line for each currency with held payments, which the totals don't include."""
    return [
        f"  held: {held.payments:,} {'payments' if held.payments > 1 else 'payment'}, "
        f"{format_money(held.amount_minor, held.currency)}, until staff accept or decline "
        f"{'them' if held.payments > 1 else 'it'}"
        for held in figures.held
    ]


def _paid_out_rows(figures: Figures) -> list[list[str]]:
    if not figures.paid_out:
        return []
    rows = [["", "payments", "gross", "fees", "refunds", "disputes", "dispute fees", "net"]]
    for paid in figures.paid_out:
        taken = (paid.fees_minor, paid.refunded_minor, paid.disputed_minor, paid.dispute_fees_minor)
        amounts = (paid.gross_minor, *(-minor for minor in taken), paid.net_minor)
        rows.append(
            [
                paid.currency.upper(),
                f"{paid.payments:,}",
                *(format_money(minor, paid.currency) for minor in amounts),
            ]
        )
    return rows


def _day_rows(figures: Figures) -> list[list[str]]:
    if not figures.days:
        return []
    rows = [["day", "people", "gifts", "stopped", "total", "raised", "raised total"]]
    for day in figures.days:
        numbers = (day.people, day.gifts, -day.stopped, day.total)
        raised = (day.raised_minor, day.raised_total_minor)
        rows.append(
            [
                day.day.isoformat(),
                *(f"{number:,}" for number in numbers),
                *(format_money(minor, figures.currency) for minor in raised),
            ]
        )
    return rows


def as_json(figures: Figures) -> str:
    """Return all figures as JSON; times in ISO 8601, money in minor units.

    `currency_exponent` is the number of decimal places of a minor unit.
    """
    goals = [
        asdict(goal) | {"percent": goal.percent, "state": goal.state} | goal.unit
        for goal in figures.goals
    ]
    money = [asdict(total) | {"net_minor": total.net_minor} for total in figures.money]
    paid_out = [asdict(total) | {"net_minor": total.net_minor} for total in figures.paid_out]
    whole = asdict(figures) | {"currency_exponent": decimal_places(figures.currency)}
    whole |= {"goals": goals, "money": money, "paid_out": paid_out}
    return json.dumps(whole, indent=2, ensure_ascii=False, default=_plain) + "\n"


def _plain(value: object) -> str:
    if isinstance(value, date):  # a datetime is a date, too
        return value.isoformat()
    raise TypeError(f"A report can't contain {value!r}.")


def as_csv(figures: Figures) -> str:
    """Return one line a day; cells that look like a formula to a spreadsheet are escaped.

    Money is in major units of the currency: 60.50.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    counts = ["people", "gifts", "stopped", "total"]
    writer.writerow(["campaign", "day", *counts, "currency", "raised", "raised_total"])
    for day in figures.days:
        numbers = (day.people, day.gifts, day.stopped, day.total)
        raised = [
            to_major(minor, figures.currency)
            for minor in (day.raised_minor, day.raised_total_minor)
        ]
        name = neutralise_cell(figures.slug)
        writer.writerow([name, day.day.isoformat(), *numbers, figures.currency, *raised])
    return out.getvalue()


def chart_days(days: list[Day], *, target: int | None) -> SafeString:
    """Return an SVG with the daily total as a line and the target as a dashed line.

    The line of a single day would have no length, so that day is a point.

    Screen readers skip it: the table beside it has the same numbers.
    """
    width, height, edge = 720, 220, 8
    top = max([day.total for day in days] + [target or 0, 1])
    step = (width - 2 * edge) / max(len(days) - 1, 1)

    def y_of(value: int) -> float:
        return round(height - edge - max(value, 0) * (height - 2 * edge) / top, 1)

    points = format_html_join(
        " ", "{},{}", ((round(edge + at * step, 1), y_of(day.total)) for at, day in enumerate(days))
    )
    line = format_html('<polyline class="chart-line" points="{}"/>', points)
    if len(days) == 1:
        line = format_html(
            '<circle class="chart-point" cx="{}" cy="{}" r="6"/>', width / 2, y_of(days[0].total)
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
        '<svg class="chart" viewBox="0 0 {} {}" aria-hidden="true">{}{}</svg>',
        width,
        height,
        goal,
        line,
    )
