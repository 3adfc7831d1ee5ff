"""The report as text for a terminal or an e-mail."""

import textwrap
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from campaigns.models import Goal
from campaigns.money import format_money
from campaigns.progress import Progress
from campaigns.reports.answers import answer_paid, answer_stay, answer_works
from campaigns.reports.headline import write_headline
from campaigns.reports.outlook import Outlook
from campaigns.reports.report import Report
from campaigns.reports.sharing import Sharing
from campaigns.reports.sources import Breakdown
from campaigns.reports.strokes import (
    WIDTH,
    add_bars,
    align_rows,
    cut_text,
    divide,
    draw_gauge,
    draw_spark,
    indent_table,
    wrap_text,
)
from campaigns.reports.unfinished import Unfinished

MOST_DAYS = 92
DEFINED = {
    "standing": "the count",
    "days": "the days",
    "pace": "the pace",
    "forecast": "the forecast",
    "sources": "the sources",
    "hours": "the hours",
    "gifts": "the gifts",
    "sharing": "shared links",
    "unfinished": "unfinished payments",
    "newsletters": "newsletter sign-ups",
    "money": "the money",
    "paid": "the amounts",
    "retention": "who stayed",
}


def as_text(report: Report, outlook: Outlook | None = None) -> str:
    """Return the report as text for a terminal of 80 columns; the outlook adds its verdict."""
    zone = ZoneInfo(report.zone)
    head = [
        f"{report.name} ({report.slug})",
        "",
        *_headline(report, outlook),
        f"Window  {_local(report.starts_at, zone)} to {_local(report.ends_at, zone)}",
        f"As of   {_local(report.as_of, zone)}, {report.zone} time",
    ]
    if not report.period.is_whole:
        head.append(f"Period  {report.period.first} to {report.period.last}")
        head += [f"        {report.outside}"] if report.outside else []
    if report.closed_at is not None:
        head.append(f"Closed  {_local(report.closed_at, zone)} by {report.closed_by}")
    goals = report.goals
    parts = [
        head,
        divide("Where do we stand?"),
        ["Goals", *(_goal_lines(goals) or ["  none yet"]), *_pending_lines(report)],
        ["Joined and left", *indent_table(_move_rows(report))],
        *([_compared_lines(report, report.compared)] if report.compared else []),
        divide("Will we make it?"),
        _pace_lines(report),
        *([_note_lines(outlook)] if outlook and outlook.curve.notes else []),
        divide("What works?"),
        *_answer_lines(answer_works(report)),
        *(
            [f"Counted, by {_uncapitalise(each.label)}", *_group_lines(each)]
            for each in report.sources.all
            if each.is_known
        ),
        ["Counted gifts", *indent_table(_gift_rows(report))],
        *([_sharing_lines(report.sharing)] if report.sharing.joined else []),
        *([_unfinished_lines(report.unfinished)] if report.unfinished.reminded else []),
        ["Newsletter sign-ups", *indent_table(_newsletter_rows(report))],
        divide("What do people pay?"),
        *_answer_lines(answer_paid(report, "en")),
        [
            "First payments, gifts and contributions made in the window, before fees",
            *(indent_table(_money_rows(report)) or ["  none yet"]),
            *_held_lines(report),
        ],
        [
            "Payouts by Stripe for these payments, after its fees",
            *(indent_table(_paid_out_rows(report)) or ["  nothing yet"]),
        ],
        ["Amounts paid", *(indent_table(_amount_rows(report)) or ["  none yet"])],
        divide("Do they stay?"),
        *_answer_lines(answer_stay(report)),
        ["Members who stayed", *indent_table(_kept_rows(report))],
        divide("Day by day"),
        [
            "Started and stopped counting, by day",
            *(_day_lines(report) or ["  none yet"]),
        ],
        ["What counts", *wrap_text(report.rule)],
        *(
            [f"Definition of {DEFINED[figure]}", *wrap_text(definition)]
            for figure, definition in report.definitions.items()
        ),
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _answer_lines(answer: str) -> list[list[str]]:
    return [wrap_text(answer)] if answer else []


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _headline(report: Report, outlook: Outlook | None) -> list[str]:
    """Return the count with its bar, who joined by day, and the answer to the second question."""
    lines = []
    if report.primary is not None:
        percent = f"{report.primary.percent}%"
        gauge = draw_gauge(report.primary.percent / 100, WIDTH - 4 - len(percent))
        lines += [f"  {write_headline(report.primary, 'en').words}", f"  {gauge} {percent}"]
    joined = [day.joined for day in report.days]
    if any(joined):
        title = "  joined by day  "
        lines.append(title + draw_spark(joined, WIDTH - len(title)))
    if outlook is not None:
        lines += wrap_text(outlook.verdict)
        if outlook.low is not None and outlook.high is not None and report.primary is not None:
            low, high = (_amount(report.primary, end) for end in (outlook.low, outlook.high))
            lines.append(f"  Likely at the end: {low} to {high}.")
    return [*lines, ""] if lines else []


def _goal_lines(goals: Sequence[Progress]) -> list[str]:
    """Return the goals with their progress, which continues on the next line if it is long."""
    labels = [str(Goal.Kind(goal.kind).label) for goal in goals]
    width = max(map(len, labels), default=0)
    lines = []
    for label, goal in zip(labels, goals, strict=True):
        before = f"  {label:<{width}}  "
        lines += textwrap.wrap(
            _describe_goal(goal), WIDTH, initial_indent=before, subsequent_indent=" " * len(before)
        )
    return lines


def _describe_goal(goal: Progress) -> str:
    counted, target = _amount(goal, goal.counted), _amount(goal, goal.target)
    reached = f"{counted} of {target}"
    if goal.starts_from:
        shown, before = _amount(goal, goal.shown), _amount(goal, goal.starts_from)
        reached = f"{counted} counted, {shown} of {target} with {before} from before"
    if goal.stretch_target is not None:
        reached += f", next target {_amount(goal, goal.stretch_target)}"
    progress = f"{reached} ({goal.percent}%), {goal.state}"
    if goal.known_now is not None:
        now = _amount(goal, goal.known_now)
        progress += f"; closed at {counted}; {now} as known now"
    return progress


def _uncapitalise(label: str) -> str:
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def _amount(goal: Progress, number: int) -> str:
    return format_money(number, goal.currency) if goal.is_money else f"{number:,}"


def _pace(report: Report, per_day: float) -> str:
    """Return a pace in the unit of the primary goal."""
    if report.primary is not None and report.primary.is_money:
        return format_money(round(per_day), report.currency)
    return f"{per_day:.1f}"


def _pace_lines(report: Report) -> list[str]:
    lines = []
    pace, goal = report.pace, report.primary
    if goal is not None and not goal.is_final and pace.expected_by_now is not None:
        gap = _amount(goal, abs(pace.ahead or 0))
        beside = f"{gap} {'behind' if (pace.ahead or 0) < 0 else 'ahead'}"
        lines.append(f"Even    {_amount(goal, pace.expected_by_now)} by now: {beside}")
    if report.pace.recent_per_day is not None:
        days = f"{report.pace.recent_days} full days" if report.pace.recent_days > 1 else "full day"
        lines.append(
            f"Pace    {_pace(report, report.pace.recent_per_day)} a day over the last {days}"
        )
    if report.pace.needed_per_day is not None and not (goal and goal.is_reached):
        lines.append(
            f"Needed  {_pace(report, report.pace.needed_per_day)} a day from now to the end"
        )
    return lines or ["Pace    shown while the campaign is running"]


def _pending_lines(report: Report) -> list[str]:
    """Return whether the count can still change, if it can."""
    if report.pending:
        payments = "payments" if report.pending > 1 else "payment"
        consequence = (
            "the final count doesn't include them"
            if report.primary is not None and report.primary.is_final
            else "the count is provisional until the bank decides"
        )
        pending = f"Pending {report.pending:,} {payments} from the window; {consequence}"
        return wrap_text(pending)
    if report.primary is not None and report.primary.is_provisional:
        return ["  Pending no payments; the count is provisional until staff close it"]
    return []


def _move_rows(report: Report) -> list[list[str]]:
    """Return the latest days of a running campaign, and all days together."""
    standing, latest = report.standing, []
    if report.starts_at <= report.as_of < report.ends_at:
        latest = [
            ("today", standing.today),
            ("yesterday", standing.yesterday),
            (f"{standing.last_week.day:%A} last week", standing.last_week),
            ("  until this time of day", standing.last_week_by_now),
        ]
    rows = [["", "joined", "people", "gifts", "left", "raised"]]
    for name, moves in latest:
        minor = moves.raised_minor
        raised = "" if minor is None else format_money(minor, report.currency)
        numbers = (moves.joined, moves.people, moves.gifts, moves.left)
        rows.append([name, *(f"{number:,}" for number in numbers), raised])
    names = ("joined", "people", "gifts", "stopped")
    sums = [sum(getattr(day, name) for day in report.all_days) for name in names]
    raised = format_money(sum(day.raised_minor for day in report.all_days), report.currency)
    return [*rows, ["in all", *(f"{number:,}" for number in sums), raised]]


def _compared_lines(report: Report, other: Report) -> list[str]:
    """Return both periods side by side, with the gross of each currency."""
    other_name = "the days before" if other.slug == report.slug else cut_text(other.slug, 30)
    rows = [["", "these days", other_name]]
    for name, each in (("from", "first"), ("to", "last")):
        rows.append([name, *(str(getattr(one.period, each)) for one in (report, other))])
    for name, each in (("joined", "joined"), ("left", "stopped")):
        sums = (sum(getattr(day, each) for day in one.days) for one in (report, other))
        rows.append([name, *(f"{number:,}" for number in sums)])
    gross = [
        {one.currency: one.gross_minor for one in each.money.totals} for each in (report, other)
    ]
    for currency in sorted({*gross[0], *gross[1]}):
        paid = [format_money(each.get(currency, 0), currency) for each in gross]
        rows.append([f"gross {currency.upper()}", *paid])
    return [f"Compared, as of {_local(other.as_of, ZoneInfo(other.zone))}", *indent_table(rows)]


def _note_lines(outlook: Outlook) -> list[str]:
    """Return the notes on the curve by their day, each on one line."""
    curve = outlook.curve
    rows = [[curve.days[note.at], note.text] for note in curve.notes]
    width = max(len(day) for day, _text in rows)
    room = WIDTH - width - 4
    return ["Notes", *(f"  {day:<{width}}  {cut_text(text, room)}" for day, text in rows)]


def _group_lines(breakdown: Breakdown) -> list[str]:
    lines = align_rows([[cut_text(group.label), f"{group.counted:,}"] for group in breakdown.top])
    lines = add_bars(lines, [group.counted for group in breakdown.top])
    return [*lines, f"  others: {breakdown.others:,}"] if breakdown.others else lines


def _sharing_lines(sharing: Sharing) -> list[str]:
    rows = [["joined by them", f"{sharing.joined:,}"], ["links", f"{sharing.links:,}"]]
    return ["Links that members shared", *indent_table(rows)]


def _unfinished_lines(unfinished: Unfinished) -> list[str]:
    rows = [
        ["reminded by e-mail", f"{unfinished.reminded:,}"],
        ["paid after that", f"{unfinished.returned:,}"],
    ]
    return ["Unfinished payments", *indent_table(rows)]


def _gift_rows(report: Report) -> list[list[str]]:
    gifts = report.gifts
    return [
        ["delivered", f"{gifts.delivered:,}"],
        ["claimed", f"{gifts.claimed:,}"],
        ["not claimed", f"{gifts.unclaimed:,}"],
        ["expired unclaimed", f"{gifts.expired:,}"],
        ["recipients who became paying members", f"{gifts.paying_members:,}"],
    ]


def _newsletter_rows(report: Report) -> list[list[str]]:
    sign_ups = report.newsletters
    return [
        ["asked", f"{sign_ups.asked:,}"],
        ["confirmed", f"{sign_ups.confirmed:,}"],
        ["joined later", f"{sign_ups.joined:,}"],
    ]


def _amount_rows(report: Report) -> list[list[str]]:
    if not report.paid.amounts:
        return []
    rows = [["", "payments", "median", "mean", "paid", "worth a year"]]
    for each in report.paid.amounts:
        minors = (each.median_minor, each.mean_minor, each.paid_minor, each.year_minor)
        amounts = [format_money(minor, each.currency) for minor in minors]
        rows.append([each.currency.upper(), f"{each.payments:,}", *amounts])
        for kind in each.kinds:
            money = [
                format_money(minor, each.currency) for minor in (kind.paid_minor, kind.year_minor)
            ]
            rows.append([f"  {kind.label}", f"{kind.payments:,}", "", "", *money])
    return rows


def _kept_rows(report: Report) -> list[list[str]]:
    kept = (report.retention.kept, *report.retention.earlier)
    months = [f"{number} mo." for number, _rate in report.retention.kept.rates]
    shares = [
        ["—" if rate.percent is None else f"{rate.percent:.0f}%" for _months, rate in each.rates]
        for each in kept
    ]
    named = [[each.slug, *row] for each, row in zip(kept, shares, strict=True)]
    return [["", *months], *named]


def _money_rows(report: Report) -> list[list[str]]:
    if not report.money.totals:
        return []
    rows = [["", "payments", "gross", "refunds", "lost disputes", "net"]]
    for money in report.money.totals:
        amounts = (money.gross_minor, -money.refunded_minor, -money.lost_minor, money.net_minor)
        rows.append(
            [
                money.currency.upper(),
                f"{money.payments:,}",
                *(format_money(minor, money.currency) for minor in amounts),
            ]
        )
    return rows


def _held_lines(report: Report) -> list[str]:
    """Return a line for each currency with held payments, which the totals don't include."""
    return [
        f"  held: {held.payments:,} {'payments' if held.payments > 1 else 'payment'}, "
        f"{format_money(held.amount_minor, held.currency)}, until staff accept or decline "
        f"{'them' if held.payments > 1 else 'it'}"
        for held in report.money.held
    ]


def _paid_out_rows(report: Report) -> list[list[str]]:
    if not report.money.payouts:
        return []
    rows = [["", "payments", "gross", "fees", "refunds", "disputes", "dispute fees", "net"]]
    for paid in report.money.payouts:
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


def _day_lines(report: Report) -> list[str]:
    """Return a line a day, with a bar of who joined; only the last days of a long campaign."""
    if not report.days:
        return []
    shown = report.days[-MOST_DAYS:]
    rows = [["day", "people", "gifts", "stopped", "total", "raised", "raised total"]]
    for day in shown:
        numbers = (day.people, day.gifts, -day.stopped, day.total)
        raised = (day.raised_minor, day.raised_total_minor)
        rows.append(
            [
                day.day.isoformat(),
                *(f"{number:,}" for number in numbers),
                *(format_money(minor, report.currency) for minor in raised),
            ]
        )
    if max(map(len, align_rows(rows))) > WIDTH:
        rows = [[*row[:5], row[6]] for row in rows]  # the total tells more than the day's money
    head, *lines = align_rows(rows)
    lines = add_bars(lines, [day.joined for day in shown])
    left_out = len(report.days) - len(shown)
    before = [f"  {left_out:,} earlier days are left out; CSV has all of them"] if left_out else []
    return [*before, head, *lines]
