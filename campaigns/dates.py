"""Times in words: one clock of 24 hours, one format, and the end of a campaign."""

from datetime import datetime, timedelta, tzinfo

from django.utils.formats import date_format
from django.utils.translation import gettext

_LEAST = timedelta(microseconds=1)


def write_offset(moment: datetime) -> str:
    """Return the offset of an aware time: UTC, UTC+3, UTC+5:30."""
    minutes = (moment.utcoffset() or timedelta()) // timedelta(minutes=1)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    sign = "+" if minutes > 0 else "\N{MINUS SIGN}"
    return f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "")


def write_moment(moment: datetime) -> str:
    """Return an aware time as it is in its own zone: 24 November 2026, 14:00 (UTC+2)."""
    return f"{date_format(moment, 'j E Y, H:i')} ({write_offset(moment)})"


def write_end(ends_at: datetime, *, zone: tzinfo, at: datetime) -> str:
    """Return the end of a campaign as it reads after "until" or "by", at that moment.

    The end is exclusive: a campaign that ends at midnight ends with the day before. "The end of 24
    December", "the end of today", "24 December, 18:00" or "today, 18:00".
    """
    end, last = ends_at.astimezone(zone), (ends_at - _LEAST).astimezone(zone)
    day = _write_day(last, at=at.astimezone(zone))
    if _is_midnight(end):
        return gettext("the end of %(day)s") % {"day": day}
    return gettext("%(day)s, %(time)s") % {"day": day, "time": date_format(end, "H:i")}


def write_past_end(ends_at: datetime, *, zone: tzinfo) -> str:
    """Return the end of a campaign as it reads after "ended on": the last day, or a time of it."""
    end, last = ends_at.astimezone(zone), (ends_at - _LEAST).astimezone(zone)
    return date_format(last, "j E Y") if _is_midnight(end) else date_format(end, "j E Y, H:i")


def _is_midnight(moment: datetime) -> bool:
    return moment.time().replace(tzinfo=None) == datetime.min.time()


def _write_day(day: datetime, *, at: datetime) -> str:
    """Return the day, with its year if it isn't this year; "today" if it is."""
    if day.date() == at.date():
        return gettext("today")
    # The no-break space keeps the day and its month on one line.
    return date_format(day, "j\xa0E" if day.year == at.year else "j\xa0E Y")
