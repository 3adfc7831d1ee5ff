"""The formats of a report: text for a terminal, JSON and CSV."""

import csv
import io
import json
from dataclasses import asdict
from datetime import date

from campaigns.money import decimal_places, to_major
from campaigns.reports.outlook import Outlook
from campaigns.reports.report import Report
from campaigns.reports.text import as_text
from campaigns.spreadsheets import neutralise_cell

__all__ = ["as_csv", "as_json", "as_text"]


# It grows when a key changes its meaning or goes away; new keys may come at any time.
JSON_VERSION = 1


def as_json(report: Report, outlook: Outlook | None = None, *, names_staff: bool = True) -> str:
    """Return all figures as JSON; times in ISO 8601, money in minor units.

    `currency_exponent` is the number of decimal places of a minor unit. docs/report.schema.json
    describes every key. The forecast comes from the outlook. Without `names_staff`, nobody's name
    is in it.
    """
    data = {"version": JSON_VERSION} | _as_data(report, names_staff=names_staff)
    found = outlook.forecast if outlook else None
    data["forecast"] = found and {
        **{name: getattr(found, name)[-1] for name in ("low", "median", "high")},
        **{name: getattr(found, name) for name in ("chance", "calibrated_on", "held_for")},
    }
    return json.dumps(data, indent=2, ensure_ascii=False, default=_plain) + "\n"


def _as_data(report: Report, *, names_staff: bool) -> dict[str, object]:
    goals = [
        asdict(goal) | {"percent": goal.percent, "state": goal.state} | goal.unit
        for goal in report.goals
    ]
    moves = ("today", "yesterday", "last_week", "last_week_by_now")
    kept = (report.retention.kept, *report.retention.earlier)
    return {
        "slug": report.slug,
        "name": report.name,
        "zone": report.zone,
        "starts_at": report.starts_at,
        "ends_at": report.ends_at,
        "as_of": report.as_of,
        "closed_at": report.closed_at,
        "closed_by": report.closed_by if names_staff else "",
        "from": report.period.first,
        "to": report.period.last,
        "is_whole": report.period.is_whole,
        "currency": report.currency,
        "currency_exponent": decimal_places(report.currency),
        "goals": goals,
        "pending": report.pending,
        **{name: asdict(getattr(report.standing, name)) for name in moves},
        "pace": asdict(report.pace),
        "days": [asdict(day) for day in report.days],
        "sources": {
            each.name: [asdict(group) for group in each.groups] for each in report.sources.all
        },
        "hours": report.hours.rows,
        "gifts": asdict(report.gifts),
        "sharing": asdict(report.sharing),
        "unfinished": asdict(report.unfinished),
        "newsletters": asdict(report.newsletters),
        "money": [asdict(each) | {"net_minor": each.net_minor} for each in report.money.totals],
        "paid_out": [asdict(each) | {"net_minor": each.net_minor} for each in report.money.payouts],
        "held": [asdict(each) for each in report.money.held],
        "amounts": [
            asdict(each) | {"paid_minor": each.paid_minor, "year_minor": each.year_minor}
            for each in report.paid.amounts
        ],
        "payers": {
            "people": report.paid.people,
            "first_time": report.paid.first_time,
            "returning": report.paid.returning,
        },
        "retention": {
            "won": report.retention.won,
            "stopped": report.retention.stopped,
            "cancelled": report.retention.cancelled,
            "reasons": [asdict(reason) for reason in report.retention.reasons],
            "kept": {
                each.slug: {
                    months: asdict(rate) | {"percent": rate.percent} for months, rate in each.rates
                }
                for each in kept
            },
        },
        "rule": report.rule,
        "definitions": report.definitions,
        "compared": _as_data(report.compared, names_staff=names_staff) if report.compared else None,
    }


def _plain(value: object) -> str:
    if isinstance(value, date):  # a datetime is a date, too
        return value.isoformat()
    raise TypeError(f"A report can't contain {value!r}.")


def as_csv(report: Report) -> str:
    """Return one line a day; cells that look like a formula to a spreadsheet are escaped.

    Money is in major units of the currency: 60.50.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    counts = ["people", "gifts", "stopped", "total"]
    writer.writerow(["campaign", "day", *counts, "currency", "raised", "raised_total"])
    for day in report.days:
        numbers = (day.people, day.gifts, day.stopped, day.total)
        raised = [
            to_major(minor, report.currency) for minor in (day.raised_minor, day.raised_total_minor)
        ]
        name = neutralise_cell(report.slug)
        writer.writerow([name, day.day.isoformat(), *numbers, report.currency, *raised])
    return out.getvalue()
