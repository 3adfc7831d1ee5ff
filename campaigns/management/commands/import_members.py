"""The import of earlier members from a file, so that they don't count as new members."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from campaigns import actions
from campaigns.management.member_lists.columns import (
    Columns,
    UnknownColumns,
    count_free,
    find_columns,
)
from campaigns.management.member_lists.entries import Entry, RowError, read_entry, read_moment
from campaigns.management.member_lists.tables import Line, Table, UnreadableTable, read_table
from campaigns.models import ErasedAddress, Membership
from campaigns.models.erasure import hashes_of_erased

BATCH = 500


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
        "Import earlier members from a CSV file in UTF-8 or a spreadsheet, as Ghost, Memberful, "
        "WooCommerce, Mailchimp and Excel export them. Its first line names the columns: email, "
        "since and, if you like, name, until and tier. Write dates as 2024-11-30 or 30.11.2024, "
        "with or without a time. A day begins at midnight in the newspaper's time zone "
        "(NEWSROOM_TIME_ZONE), and “until” includes its day. A membership without “until” has no "
        "end. Safe to repeat. Sends no e-mails."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="check every row, import none")
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="FIELD=HEADING",
            help="the column of a field, for example since=created_at; can be repeated",
        )
        parser.add_argument(
            "--only",
            action="append",
            default=[],
            metavar="HEADING=VALUE",
            help="import only rows with this value, for example tier=Gold, or with any value, for "
            "example tier; can be repeated",
        )
        parser.add_argument(
            "--everyone", action="store_true", help="import rows without a tier, too"
        )
        parser.add_argument(
            "--zone",
            default=settings.NEWSROOM_TIME_ZONE,
            help="the time zone of days and times that name none, for example Europe/Kyiv; "
            "%(default)s by default",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path, zone = options["file"], self._read_zone(options["zone"])
        try:
            table = read_table(path)
            columns = find_columns(table, chosen=options["column"], only=options["only"])
        except (UnreadableTable, UnknownColumns) as error:
            raise CommandError(str(error)) from error
        for text in describe_columns(table, columns, zone):
            self.stdout.write(text)
        if not options["everyone"] and (free := count_free(table, columns)):
            heading = columns.heading_of("tier")
            raise CommandError(
                f"{free} of {len(table.lines)} rows have no “{heading}”: they may be readers who "
                f"don't pay. Leave them out with --only tier, or add --everyone."
            )
        lines = [line for line in table.lines if columns.are_wanted(line.cells)]
        if left_out := len(table.lines) - len(lines):
            word = "row" if left_out == 1 else "rows"
            self.stdout.write(f"{left_out} {word} left out by --only")
        self._columns, self._zone = columns, zone
        self._import(lines, write=not options["dry_run"])

    def _read_zone(self, name: str) -> ZoneInfo:
        if name not in available_timezones():
            raise CommandError(f"--zone {name} is not a time zone. Write it like Europe/Kyiv.")
        return ZoneInfo(name)

    def _import(self, lines: list[Line], *, write: bool) -> None:
        now, outcome = timezone.now(), Outcome()
        for done, batch in _batches(lines):
            entries = list(self._check(batch, outcome, now=now))
            with transaction.atomic():
                new = self._skip_on_file(self._skip_erased(entries, outcome), outcome)
                if write and new:
                    actions.import_memberships(new, now=now)
            self._show_bar(done, len(lines))
        self.stdout.write(describe_outcome(outcome, is_dry_run=not write))
        if outcome.errors:
            raise CommandError("Correct the skipped rows and import the file again.")

    def _check(self, batch: Iterable[Line], outcome: Outcome, *, now: datetime) -> Iterator[Entry]:
        """Yield the rows that can be imported, once for each person and first day."""
        for row in batch:
            try:
                entry = read_entry(row, self._columns, zone=self._zone, now=now)
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
        hashes_of = {entry.key: hashes_of_erased(entry.email) for entry in entries}
        known = ErasedAddress.objects.filter(address_hash__in=set().union(*hashes_of.values()))
        erased = set(known.values_list("address_hash", flat=True))
        for entry in entries:
            if hashes_of[entry.key] & erased:
                outcome.erased += 1
                self._say(entry.number, "skipped because the person's data was erased on request")
        return [entry for entry in entries if not hashes_of[entry.key] & erased]

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


def describe_columns(table: Table, columns: Columns, zone: ZoneInfo) -> Iterator[str]:
    """Yield what each column was taken for, with an example of each kind of date."""
    yield f"{len(table.lines)} rows; days and times that name no zone are in {zone.key}"
    for name in columns.positions:
        example = _show_moment(table, columns, name, zone) if name in {"since", "until"} else ""
        yield f"{name}: column “{columns.heading_of(name)}”{example}"
    if "until" not in columns.positions:
        yield "until: no column, so the memberships have no end"
    if columns.unused:
        yield f"not used: {', '.join(columns.unused)}"


def _show_moment(table: Table, columns: Columns, name: str, zone: ZoneInfo) -> str:
    for line in table.lines:
        if text := columns.pick(line.cells, name):
            try:
                moment = read_moment(text, name, zone=zone, is_end=name == "until")
            except RowError:
                continue
            assert moment is not None
            word = "until" if name == "until" else "from"
            return f", for example “{text}”: {word} {moment.astimezone(zone):%Y-%m-%d %H:%M}"
    return ""


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


def _batches(rows: list[Line]) -> Iterator[tuple[int, list[Line]]]:
    """Yield batches of rows, each with the number of rows so far."""
    source, done = iter(rows), 0
    while batch := list(islice(source, BATCH)):
        done += len(batch)
        yield done, batch
