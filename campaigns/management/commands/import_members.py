import csv
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction
from django.utils.dateparse import parse_date, parse_datetime

from campaigns import progress
from campaigns.models import Member, Membership
from campaigns.models.member import canonical_email

BATCH = 500


class RowError(ValueError):
    """The row cannot be taken; the message tells the staff why."""


class Command(BaseCommand):
    help = (
        "Bring in those who were members before. CSV with a header: email, since, and if you like "
        "name and until (dates such as 2024-11-30). Safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="check every row, write none")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            rows = self._read(path)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise CommandError(f"{path} is not a CSV file in UTF-8: {error}") from error
        errors = brought = known = 0
        done = 0
        for batch in _batches(rows):
            with transaction.atomic():
                for number, row in batch:
                    try:
                        if self._bring_in(row, write=not options["dry_run"]):
                            brought += 1
                        else:
                            known += 1
                    except RowError as error:
                        errors += 1
                        self.stderr.write(f"row {number}: {error}")
            done += len(batch)
            self._show(done, len(rows))
        verb = "would be brought in" if options["dry_run"] else "brought in"
        self.stdout.write(f"{brought} {verb}, {known} known already, {errors} with errors")
        if errors:
            raise CommandError(f"{errors} rows were left out; mend them and run it again.")

    def _read(self, path: Path) -> list[tuple[int, dict[str, str]]]:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = {name.strip().lower() for name in reader.fieldnames or []}
            if missing := {"email", "since"} - names:
                raise CommandError(f"{path} lacks the column {', '.join(sorted(missing))}.")
            return [
                (reader.line_num, {str(k).strip().lower(): str(v or "") for k, v in row.items()})
                for row in reader
            ]

    def _bring_in(self, row: dict[str, str], *, write: bool) -> bool:
        """Whether the row is new. One membership a person and beginning, however often it runs."""
        email = canonical_email(row["email"])
        try:
            validate_email(email)
        except ValidationError as error:
            raise RowError(f"“{row['email']}” is no e-mail address") from error
        since = _moment(row["since"], "since")
        if since is None:
            raise RowError("“since” is empty")
        until = _moment(row.get("until", ""), "until")
        if until is not None and until < since:
            raise RowError("“until” is before “since”")
        key = f"{email} {since.date()}"[:254]
        if Membership.objects.filter(import_key=key).exists():
            return False
        if write:
            member = Member.objects.known_by(email, name=row.get("name", "")[:120])
            Membership.objects.create(
                member=member,
                source=Membership.Source.IMPORTED,
                started_at=since,
                ends_at=until,
                import_key=key,
            )
            progress.tally_members([member])  # who was a member before does not count as new
        return True

    def _show(self, done: int, total: int) -> None:
        if sys.stderr.isatty():
            width = 40 * done // max(total, 1)
            bar = "#" * width + "." * (40 - width)
            self.stderr.write(f"\r[{bar}] {done} of {total}", ending="")
            if done == total:
                self.stderr.write("")


def _batches(
    rows: list[tuple[int, dict[str, str]]],
) -> Iterator[list[tuple[int, dict[str, str]]]]:
    source = iter(rows)
    while batch := list(islice(source, BATCH)):
        yield batch


def _moment(text: str, name: str) -> datetime | None:
    text = text.strip()
    if not text:
        return None
    try:
        moment = parse_datetime(text)
        day = parse_date(text)
    except ValueError as error:
        raise RowError(f"“{name}” holds no date: “{text}”") from error
    if moment is None and day is not None:
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if moment is None:
        raise RowError(f"“{name}” should be a date such as 2024-11-30, not “{text}”")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
