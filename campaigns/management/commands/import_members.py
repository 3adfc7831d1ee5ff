"""The import of earlier members from a file, so that they don't count as new members."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from campaigns import actions
from campaigns.models import ErasedAddress, Membership
from campaigns.models.erasure import hash_erased, is_of_erased
from campaigns.people import canonical_email
from campaigns.spreadsheets import is_formula

BATCH = 500
NEEDED = {"email", "since"}
# Spreadsheets write semicolons in countries that use a decimal comma.
DELIMITERS = (",", ";", "\t")
EARLIEST_YEAR = 1900
NAME_LENGTH = 120
KEY_LENGTH = 254


class RowError(ValueError):
    """Raised for a row that can't be imported; the message has the reason, but no address."""


@dataclass(frozen=True)
class Row:
    """A row of the file; its number is that of its last line."""

    number: int
    cells: dict[str, str]
    surplus: int  # number of cells more than the header has; negative if cells are missing


@dataclass(frozen=True, kw_only=True)
class Entry(actions.ImportedMembership):
    """A row that can be imported: a person and the time of their membership."""

    number: int


@dataclass
class Outcome:
    """The result of an import so far."""

    imported: int = 0
    on_file: int = 0
    errors: int = 0
    erased: int = 0
    entries: dict[str, Entry] = field(default_factory=dict)  # by key


class Command(BaseCommand):
    help = (
        "Import earlier members from a CSV file in UTF-8. Its first line names the columns: email, "
        "since and, if you like, name and until. Write dates as 2024-11-30 or 30.11.2024. A "
        "membership without “until” has no end. Safe to repeat. Sends no e-mails."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="check every row, import none")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = read_rows(options["file"])
        write, now, outcome = not options["dry_run"], timezone.now(), Outcome()
        for done, batch in _batches(rows):
            entries = list(self._check(batch, outcome, now=now))
            with transaction.atomic():
                new = self._skip_on_file(self._skip_erased(entries, outcome), outcome)
                if write and new:
                    actions.import_memberships(new, now=now)
            self._show_bar(done, len(rows))
        self.stdout.write(describe_outcome(outcome, is_dry_run=not write))
        if outcome.errors:
            raise CommandError("Correct the skipped rows and import the file again.")

    def _check(self, batch: Iterable[Row], outcome: Outcome, *, now: datetime) -> Iterator[Entry]:
        """Yield the rows that can be imported, once for each person and first day."""
        for row in batch:
            try:
                entry = read_entry(row, now=now)
            except RowError as error:
                outcome.errors += 1
                self._say(row.number, str(error))
                continue
            first = outcome.entries.setdefault(entry.key, entry)
            if first is entry:
                yield entry
                continue
            outcome.on_file += 1
            if first.until != entry.until:
                self._say(row.number, f"“until” differs from row {first.number}, which is used")

    def _skip_erased(self, entries: list[Entry], outcome: Outcome) -> list[Entry]:
        """Return the entries without people whose data was erased; we know them by a hash only."""
        hash_of = {entry.key: hash_erased(entry.email) for entry in entries}
        hashes = ErasedAddress.objects.filter(address_hash__in=hash_of.values())
        erased = set(hashes.values_list("address_hash", flat=True))
        for entry in entries:
            if hash_of[entry.key] in erased:
                outcome.erased += 1
                self._say(entry.number, "skipped because the person's data was erased on request")
        return [entry for entry in entries if hash_of[entry.key] not in erased]

    def _skip_on_file(self, entries: list[Entry], outcome: Outcome) -> list[Entry]:
        """Return the entries without those that were imported before."""
        keys = [entry.key for entry in entries]
        on_file = Membership.objects.filter(import_key__in=keys)
        until_of = dict(on_file.values_list("import_key", "ends_at"))
        for entry in entries:
            if until_of.get(entry.key, entry.until) != entry.until:
                self._say(
                    entry.number, "already on file with another “until”, which doesn't change"
                )
        new = [entry for entry in entries if entry.key not in until_of]
        outcome.on_file += len(entries) - len(new)
        outcome.imported += len(new)
        return new

    def _say(self, number: int, message: str) -> None:
        clear = "\r\x1b[K" if self.stderr.isatty() else ""
        self.stderr.write(f"{clear}row {number}: {message}")

    def _show_bar(self, done: int, total: int) -> None:
        if self.stderr.isatty():
            bar = "#" * (40 * done // total)
            end = "\n" if done == total else ""
            self.stderr.write(f"\r[{bar:.<40}] {done} of {total}", style_func=str, ending=end)


def describe_outcome(outcome: Outcome, *, is_dry_run: bool) -> str:
    """Return "2 imported, 0 already on file, 1 error; 1 row skipped"."""
    skipped = outcome.errors + outcome.erased
    parts = [
        f"{outcome.imported} {'would be imported' if is_dry_run else 'imported'}",
        f"{outcome.on_file} already on file",
        f"{outcome.errors} {'error' if outcome.errors == 1 else 'errors'}",
    ]
    if outcome.erased:
        parts.append(f"{outcome.erased} erased on request")
    return f"{', '.join(parts)}; {skipped} {'row' if skipped == 1 else 'rows'} skipped"


def _batches(rows: list[Row]) -> Iterator[tuple[int, list[Row]]]:
    """Yield batches of rows, each with the number of rows so far."""
    source, done = iter(rows), 0
    while batch := list(islice(source, BATCH)):
        done += len(batch)
        yield done, batch


# Reading


def read_rows(path: Path) -> list[Row]:
    """Return the rows that are not empty; raises CommandError if the file can't be read."""
    text = _read_text(path)
    first_line = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if missing := sorted(NEEDED - set(names)):
            found = ", ".join(name for name in names if name) or "none"
            raise CommandError(
                f"{path} has no column {' and '.join(missing)}. Its columns: {found}."
            )
        if twice := sorted({name for name in names if name and names.count(name) > 1}):
            raise CommandError(f"{path} has a column twice: {', '.join(twice)}.")
        return [
            _row(reader.line_num, names, [cell.strip() for cell in cells])
            for cells in reader
            if any(cell.strip() for cell in cells)
        ]
    except csv.Error as error:
        raise CommandError(f"{path} can't be read at line {reader.line_num}: {error}.") from error


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}.") from error
    # The “Unicode text” of spreadsheets is UTF-16, recognisable by its first two bytes.
    encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CommandError(
            f"{path} is not in UTF-8 (see line {line}). Save it as “CSV UTF-8” and try again."
        ) from error


def _row(number: int, names: list[str], cells: list[str]) -> Row:
    while len(cells) > len(names) and not cells[-1]:
        cells.pop()
    return Row(number, dict(zip(names, cells, strict=False)), len(cells) - len(names))


# Checking


def read_entry(row: Row, *, now: datetime) -> Entry:
    """Return the row as an entry; raises RowError with its first mistake."""
    if row.surplus:
        amount, word = abs(row.surplus), "more" if row.surplus > 0 else "fewer"
        raise RowError(f"{amount} {word} {'cell' if amount == 1 else 'cells'} than the header")
    since = _read_moment(row.cells["since"], "since")
    if since is None:
        raise RowError("“since” is empty")
    if since > now:
        raise RowError("“since” is in the future")
    until = _read_moment(row.cells.get("until", ""), "until")
    if until is not None and until <= since:
        raise RowError("“until” is not after “since”")
    email = _read_email(row.cells["email"])
    name = _read_name(row.cells.get("name", ""))
    entry = Entry(number=row.number, email=email, name=name, since=since, until=until)
    if len(entry.key) > KEY_LENGTH:
        raise RowError("“email” is too long")
    return entry


def _read_email(text: str) -> str:
    _refuse_formula(text, "email")
    try:
        validate_email(text)
    except ValidationError as error:
        raise RowError("“email” is not an e-mail address") from error
    if is_of_erased(text):
        raise RowError("“email” is the placeholder of an erased address")
    return canonical_email(text)


def _read_name(text: str) -> str:
    _refuse_formula(text, "name")
    if len(text) > NAME_LENGTH:
        raise RowError(f"“name” is longer than {NAME_LENGTH} characters")
    if any(ord(letter) < 32 for letter in text):
        raise RowError("“name” contains a line break or another invisible character")
    return text


def _refuse_formula(text: str, column: str) -> None:
    if is_formula(text):
        raise RowError(f"“{column}” starts with {text[0]}, like a spreadsheet formula")


def _read_moment(text: str, column: str) -> datetime | None:
    """Return the date's first moment in UTC; raises RowError for ambiguous dates with slashes."""
    if not text:
        return None
    try:
        moment = _parse_moment(text)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.year < EARLIEST_YEAR:
        raise RowError(f"“{column}” is not a date. Write it as 2024-11-30 or 30.11.2024")
    return moment


def _parse_moment(text: str) -> datetime | None:
    if text.count(".") == 2 and ":" not in text:
        day, month, year = text.split(".")
        return datetime(int(year), int(month), int(day), tzinfo=UTC)
    date = parse_date(text)
    if date is not None:
        return datetime(date.year, date.month, date.day, tzinfo=UTC)
    moment = parse_datetime(text)
    if moment is None or moment.tzinfo is None:
        return moment and moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)
