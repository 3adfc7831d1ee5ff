"""Times in words: one clock of 24 hours, one format, and the end of a campaign."""

from datetime import date, datetime, timedelta, tzinfo

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext

from campaigns.languages import ENGLISH, is_translated, write_day

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


def write_short_day(day: date, *, with_year: bool = True) -> str:
    """Return a day as short as a list or an axis needs it: 21 Nov 2026, or 21 Nov."""
    # Translators: formats of dates. "b" instead of "M" writes the month with a small letter.
    return str(date_format(day, gettext("j M Y") if with_year else gettext("j M")))


def write_short_moment(moment: datetime, *, with_year: bool = True) -> str:
    """Return a time in the current zone as short as a list needs it: 21 Nov 2026, 16:47."""
    local = localtime(moment)
    return f"{write_short_day(local, with_year=with_year)}, {date_format(local, 'H:i')}"


def write_end(ends_at: datetime, *, zone: tzinfo, at: datetime) -> str:
    """Return the end of a campaign as it reads after "until" or "by", at that moment.

    The end is exclusive: a campaign that ends at midnight ends with the day before. "The end of 24
    December", "the end of today", "24 December, 18:00" or "today, 18:00". In a language without
    our translation it is the day alone, which fits both kinds of sentences.
    """
    end, last = ends_at.astimezone(zone), (ends_at - _LEAST).astimezone(zone)
    day = _write_day(last, at=at.astimezone(zone))
    if _is_midnight(end):
        if not is_translated(get_language() or ENGLISH):
            return day
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
    language = get_language() or ENGLISH
    if day.date() == at.date() and is_translated(language):
        return gettext("today")
    return write_day(day, language=language, with_year=day.year != at.year)
