"""Billing periods: calendar arithmetic that keeps the anchor's day of the month."""

import calendar
from datetime import UTC, datetime

from newsroom.sandbox.documents import Document


def add_intervals(anchor: int, recurring: Document, times: int) -> int:
    """Add intervals to the anchor: 31 January plus one month is 28 February, plus two 31 March."""
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
    """Return the share of an amount for the rest of its period, rounded half up."""
    if end <= start:
        return 0
    left, whole = max(end - since, 0), end - start
    return (2 * amount_minor * left + whole) // (2 * whole)
