"""Those who were members before the campaign, from a file: otherwise they would all count as new."""

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
from campaigns.models.member import canonical_email
from campaigns.spreadsheets import is_formula

BATCH = 500
NEEDED = {"email", "since"}
# A spreadsheet writes semicolons where the comma stands before decimals.
DELIMITERS = (",", ";", "\t")
EARLIEST_YEAR = 1900
NAME_LENGTH = 120
KEY_LENGTH = 254


class RowError(ValueError):
    """The row cannot be taken; the message tells the staff why, without the person's address."""


@dataclass(frozen=True)
class Row:
    """A row as it stands in the file; its number is that of its last line there."""

    number: int
    cells: dict[str, str]
    surplus: int  # cells beyond the header's; below zero, how many are missing


@dataclass(frozen=True, kw_only=True)
class Entry(actions.ImportedMembership):
    """A row that can be taken."""

    number: int


@dataclass
class Outcome:
    brought: int = 0
    known: int = 0
    errors: int = 0
    erased: int = 0
    first_of: dict[str, Entry] = field(default_factory=dict)


class Command(BaseCommand):
    help = (
        "Bring in those who were members before. A CSV file in UTF-8 whose first line names its "
        "columns: email, since and, if you like, name and until. Dates look like 2024-11-30 or "
        "30.11.2024; a membership without “until” goes on. Safe to repeat. Nobody is written to."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="check every row, write none")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = read_rows(options["file"])
        write, now, outcome = not options["dry_run"], timezone.now(), Outcome()
        for done, batch in _batches(rows):
            entries = list(self._check(batch, outcome, now=now))
            with transaction.atomic():
                fresh = self._leave_out_known(self._leave_out_erased(entries, outcome), outcome)
                if write and fresh:
                    actions.import_memberships(fresh, now=now)
            self._show_bar(done, len(rows))
        verb = "brought in" if write else "would be brought in"
        told = f"{outcome.brought} {verb}, {outcome.known} known already"
        if outcome.erased:
            told += f", {outcome.erased} erased at their wish and not brought back"
        self.stdout.write(f"{told}, {outcome.errors} with errors")
        if outcome.errors:
            raise CommandError(f"{outcome.errors} rows are left out; mend them and run it again.")

    def _check(self, batch: Iterable[Row], outcome: Outcome, *, now: datetime) -> Iterator[Entry]:
        """The rows that can be taken, each person and beginning once."""
        for row in batch:
            try:
                entry = read_entry(row, now=now)
            except RowError as error:
                outcome.errors += 1
                self._say(row.number, str(error))
                continue
            first = outcome.first_of.setdefault(entry.key, entry)
            if first is entry:
                yield entry
                continue
            outcome.known += 1
            if first.until != entry.until:
                self._say(row.number, f"“until” differs from row {first.number}, which is taken")

    def _leave_out_erased(self, entries: list[Entry], outcome: Outcome) -> list[Entry]:
        """All but those who wished to be forgotten: known by the hash alone, whatever the row."""
        hash_of = {entry.key: hash_erased(entry.email) for entry in entries}
        hashes = ErasedAddress.objects.filter(address_hash__in=hash_of.values())
        erased = set(hashes.values_list("address_hash", flat=True))
        for entry in entries:
            if hash_of[entry.key] in erased:
                outcome.erased += 1
                self._say(entry.number, "erased at their wish; not brought back")
        return [entry for entry in entries if hash_of[entry.key] not in erased]

    def _leave_out_known(self, entries: list[Entry], outcome: Outcome) -> list[Entry]:
        keys = [entry.key for entry in entries]
        known = Membership.objects.filter(import_key__in=keys)
        until_of = dict(known.values_list("import_key", "ends_at"))
        for entry in entries:
            if until_of.get(entry.key, entry.until) != entry.until:
                self._say(entry.number, "known with another “until”, which is left as it is")
        fresh = [entry for entry in entries if entry.key not in until_of]
        outcome.known += len(entries) - len(fresh)
        outcome.brought += len(fresh)
        return fresh

    def _say(self, number: int, message: str) -> None:
        clear = "\r\x1b[K" if self.stderr.isatty() else ""
        self.stderr.write(f"{clear}row {number}: {message}")

    def _show_bar(self, done: int, total: int) -> None:
        if self.stderr.isatty():
            bar = "#" * (40 * done // total)
            end = "\n" if done == total else ""
            self.stderr.write(f"\r[{bar:.<40}] {done} of {total}", style_func=str, ending=end)


def _batches(rows: list[Row]) -> Iterator[tuple[int, list[Row]]]:
    """Batches of rows, each with the number of rows up to its end."""
    source, done = iter(rows), 0
    while batch := list(islice(source, BATCH)):
        done += len(batch)
        yield done, batch


# Read


def read_rows(path: Path) -> list[Row]:
    """The rows that are not empty. Raises CommandError if the file cannot be read as a whole."""
    text = _read_text(path)
    first_line = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if missing := sorted(NEEDED - set(names)):
            found = ", ".join(name for name in names if name) or "none"
            raise CommandError(f"{path} lacks the column {' and '.join(missing)}; it has: {found}.")
        if twice := sorted({name for name in names if name and names.count(name) > 1}):
            raise CommandError(f"{path} names a column twice: {', '.join(twice)}.")
        return [
            _row(reader.line_num, names, [cell.strip() for cell in cells])
            for cells in reader
            if any(cell.strip() for cell in cells)
        ]
    except csv.Error as error:
        raise CommandError(f"{path} cannot be read at line {reader.line_num}: {error}.") from error


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    # A spreadsheet's “Unicode text” is UTF-16, which its first two bytes tell.
    encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CommandError(
            f"{path} is not in UTF-8: see line {line}. Save it as “CSV UTF-8” and run it again."
        ) from error


def _row(number: int, names: list[str], cells: list[str]) -> Row:
    while len(cells) > len(names) and not cells[-1]:
        cells.pop()
    return Row(number, dict(zip(names, cells, strict=False)), len(cells) - len(names))


# Check


def read_entry(row: Row, *, now: datetime) -> Entry:
    """What the row says; raises RowError with the first thing that is wrong with it."""
    if row.surplus:
        amount, word = abs(row.surplus), "more" if row.surplus > 0 else "fewer"
        raise RowError(f"{amount} {'cell' if amount == 1 else 'cells'} {word} than in the header")
    since = _read_moment(row.cells["since"], "since")
    if since is None:
        raise RowError("“since” is empty")
    if since > now:
        raise RowError("“since” lies in the future")
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
        raise RowError("“email” holds no e-mail address") from error
    if is_of_erased(text):
        raise RowError("“email” holds what stands for an erased address")
    return canonical_email(text)


def _read_name(text: str) -> str:
    _refuse_formula(text, "name")
    if len(text) > NAME_LENGTH:
        raise RowError(f"“name” is longer than {NAME_LENGTH} characters")
    if any(ord(letter) < 32 for letter in text):
        raise RowError("“name” holds a line break or another invisible character")
    return text


def _refuse_formula(text: str, column: str) -> None:
    if is_formula(text):
        raise RowError(f"“{column}” begins with {text[0]}, as a spreadsheet's formula does")


def _read_moment(text: str, column: str) -> datetime | None:
    """A date is its first moment in UTC. Dates with slashes have two readings, and are refused."""
    if not text:
        return None
    try:
        moment = _parse_moment(text)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.year < EARLIEST_YEAR:
        raise RowError(f"“{column}” holds no date such as 2024-11-30 or 30.11.2024")
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
