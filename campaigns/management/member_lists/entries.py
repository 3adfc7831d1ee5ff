"""Lines of a list as entries to import."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_date, parse_datetime

from campaigns import actions
from campaigns.forms import NameField, PersonEmailField
from campaigns.management.member_lists.columns import Columns
from campaigns.management.member_lists.tables import Line
from campaigns.spreadsheets import is_formula

EARLIEST_YEAR = 1900
KEY_LENGTH = 254
# 30.11.2024, with or without a time.
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:,? +(\S+))?")
# 2024-11-30 09:05:00 UTC and 2024/11/30
_NAMED_UTC = re.compile(r"\s*(?:UTC|GMT)$", re.IGNORECASE)
_SLASHED = re.compile(r"^(\d{4})/(\d{1,2})/(\d{1,2})")
_NAME, _EMAIL = NameField(required=False), PersonEmailField()


class RowError(ValueError):
    """Raised for a row that can't be imported; the message has the reason, but no address."""


@dataclass(frozen=True, kw_only=True)
class Entry(actions.ImportedMembership):
    """A row that can be imported: a person and the time of their membership."""

    number: int


def read_entry(line: Line, columns: Columns, *, zone: ZoneInfo, now: datetime) -> Entry:
    """Return the line as an entry; raises RowError with its first mistake."""
    cells = list(line.cells)
    while len(cells) > len(columns.headings) and not cells[-1]:
        cells.pop()
    if surplus := len(cells) - len(columns.headings):
        amount, word = abs(surplus), "more" if surplus > 0 else "fewer"
        raise RowError(f"{amount} {word} {'cell' if amount == 1 else 'cells'} than the header")
    since = read_moment(columns.pick(cells, "since"), "since", zone=zone)
    if since is None:
        raise RowError("“since” is empty")
    if since > now:
        raise RowError("“since” is in the future")
    until = read_moment(columns.pick(cells, "until"), "until", zone=zone, is_end=True)
    if until is not None and until <= since:
        raise RowError("“until” is not after “since”")
    email = _read_email(columns.pick(cells, "email"))
    names = (columns.pick(cells, "first name"), columns.pick(cells, "last name"))
    name = _read_name(columns.pick(cells, "name") or " ".join(filter(None, names)))
    entry = Entry(number=line.number, email=email, name=name, since=since, until=until)
    if len(entry.key) > KEY_LENGTH:
        raise RowError("“email” is too long")
    return entry


def _read_email(text: str) -> str:
    if is_formula(text):
        raise RowError(f"“email” starts with {text[0]}, like a spreadsheet formula")
    try:
        return _EMAIL.clean(text)
    except ValidationError as error:
        raise RowError("“email” is not an e-mail address") from error


def _read_name(text: str) -> str:
    try:
        return _NAME.clean(text)
    except ValidationError as error:
        raise RowError(f"“name” is not valid. {error.messages[0]}") from error


def read_moment(text: str, column: str, *, zone: ZoneInfo, is_end: bool = False) -> datetime | None:
    """Return the moment of a date or time; None if it is empty.

    A day begins at midnight in `zone`, and as an end it is included. A time that names no zone is
    in `zone`, too. Raises RowError, also for ambiguous dates such as 11/12/2024.
    """
    if not text:
        return None
    try:
        moment = _parse(text, zone=zone, is_end=is_end)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.year < EARLIEST_YEAR:
        raise RowError(
            f"“{column}” is not a date. Write it as 2024-11-30, 30.11.2024 or 2024-11-30 09:05"
        )
    return moment


def _parse(text: str, *, zone: ZoneInfo, is_end: bool) -> datetime | None:
    written = _SLASHED.sub(r"\1-\2-\3", _NAMED_UTC.sub("+00:00", text))
    if dotted := _DOTTED.fullmatch(written):
        day, month, year, time = dotted.groups()
        written = f"{year}-{month:0>2}-{day:0>2}" + (f" {time}" if time else "")
    if (day_written := parse_date(written)) is not None:
        return _start_of_day(day_written + timedelta(days=is_end), zone)
    moment = parse_datetime(written)
    if moment is None or moment.tzinfo is None:
        return moment and moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


def _start_of_day(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)
