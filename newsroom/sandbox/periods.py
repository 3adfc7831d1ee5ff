"""Billing periods: month arithmetic that keeps to the anchor's day."""

import calendar
from datetime import UTC, datetime

from newsroom.sandbox.documents import Document


def add_intervals(anchor: int, recurring: Document, times: int) -> int:
    """31 January and a month is 28 February, and another month is 31 March again: counted from
    the anchor.
    """
    count: int = recurring["interval_count"] * times
    match recurring["interval"]:
        case "day":
            return anchor + count * 86400
        case "week":
            return anchor + count * 7 * 86400
        case "year":
            count *= 12
    at = datetime.fromtimestamp(anchor, UTC)
    year, month = divmod(at.year * 12 + at.month - 1 + count, 12)
    day = min(at.day, calendar.monthrange(year, month + 1)[1])
    return int(at.replace(year=year, month=month + 1, day=day).timestamp())


def prorate_amount(amount_minor: int, *, start: int, end: int, since: int) -> int:
    """The part of an amount that falls on what is left of its period, rounded half up."""
    if end <= start:
        return 0
    left, whole = max(end - since, 0), end - start
    return (2 * amount_minor * left + whole) // (2 * whole)
