import os
from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
)
from django.core.management.color import supports_color
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.reports.contents import Contents, gather_contents
from campaigns.reports.files import CHARTS, FILES
from campaigns.reports.formats import as_text
from campaigns.reports.page import NOTHING, PREVIOUS, Choice
from campaigns.reports.rows import ROW_KINDS, Span
from campaigns.reports.strokes import paint
from campaigns.spreadsheets import Cell, count_sheets, stream_csv, write_xlsx

WRONG, UNWRITABLE = 2, 3
ROW_FORMATS = ("csv", "xlsx")
TEXTS = {"text", "json", "csv", "html", "svg"}  # what a terminal can show
BAR = 40  # columns
EVERY = 1000  # rows between two steps of the bar
HELP = """\
Print the report of a campaign, or write it, one of its charts or the rows behind it to a file.

    manage.py campaign_report birthday
    manage.py campaign_report birthday --format pdf --output birthday.pdf
    manage.py campaign_report birthday --format png --chart days --output days.png
    manage.py campaign_report birthday --rows payments --format xlsx --output payments.xlsx
    manage.py campaign_report birthday --from 2026-11-09 --to 2026-11-15 --compare previous
"""
EXIT_CODES = """\
Exit codes: 0: done. 1: failed. 2: there is no such campaign or chart, or the options don't fit
together. 3: the file could not be written.
"""


class _Formatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Keeps the lines of the examples."""


class Command(BaseCommand):
    help = HELP
    # The checks need all of the application: 40 MB more, which is half of this command. None of
    # them is about what it does, which is to read the database. Values of settings that can't be
    # read stop it like any other program.
    requires_system_checks: list[str] = []

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        kwargs |= {"formatter_class": _Formatter, "epilog": EXIT_CODES}
        return super().create_parser(*args, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("campaign", help="the campaign's short name, for example birthday")
        parser.add_argument("--from", type=_read_day, dest="first", help="the first day")
        parser.add_argument("--to", type=_read_day, dest="last", help="the last day")
        parser.add_argument(
            "--at", type=_read_moment, help="the report as of this time in the campaign's zone"
        )
        parser.add_argument(
            "--compare",
            metavar="WITH",
            default="",
            help="“previous” for the days before, the short name of an earlier campaign, or "
            "“none”; without it, the curve shows the latest campaigns",
        )
        parser.add_argument(
            "--format",
            choices=["text", *FILES, *CHARTS],
            help="text by default, csv with --rows; csv without --rows has one line a day",
        )
        parser.add_argument(
            "--rows", choices=ROW_KINDS, help="the rows behind the report, as csv or xlsx"
        )
        parser.add_argument(
            "--chart",
            metavar="NAME",
            default="curve",
            help="the chart of png and svg: curve, days, hours, gifts or, for example, amounts-eur",
        )
        parser.add_argument(
            "--language",
            choices=dict(settings.LANGUAGES),
            default="en",
            help="the language of names and files; texts for the terminal are in English",
        )
        parser.add_argument(
            "--output", type=Path, help="write to this file instead of the terminal"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = _find_campaign(options["campaign"])
        kind = options["format"] or ("csv" if options["rows"] else "text")
        at = options["at"] or timezone.now()
        if timezone.is_naive(at):
            at = at.replace(tzinfo=campaign.zone_info)
        choice = _read_choice(campaign, options)
        if options["rows"]:
            self._write_rows(campaign, choice, options["rows"], kind, at=at, to=options["output"])
            return
        with self._show_waiting():
            contents = gather_contents(campaign, choice, at=at, language=options["language"])
        if kind == "text":
            text = as_text(contents.report, contents.page.outlook)
            is_coloured = not options["output"] and self._is_coloured(options)
            self._write((paint(text) if is_coloured else text).encode(), kind, options["output"])
        elif kind in CHARTS:
            self._write(_draw(contents, options["chart"], kind), kind, options["output"])
        else:
            self._write(FILES[kind].write(contents), kind, options["output"])

    def _is_coloured(self, options: dict[str, Any]) -> bool:
        if options["no_color"] or os.environ.get("NO_COLOR"):
            return False
        return bool(options["force_color"] or (self.stdout.isatty() and supports_color()))

    @contextmanager
    def _show_waiting(self) -> Iterator[None]:
        """Say on a terminal that figures are read, which takes seconds for a million payments."""
        if not self.stderr.isatty():
            yield
            return
        words = "  Reading the figures …"
        self.stderr.write(words, style_func=str, ending="")
        try:
            yield
        finally:
            self.stderr.write("\r" + " " * len(words) + "\r", style_func=str, ending="")

    def _write(self, content: bytes, kind: str, path: Path | None) -> None:
        self._save(kind, path, lambda file: file.write(content))

    def _write_rows(
        self,
        campaign: Campaign,
        choice: Choice,
        name: str,
        kind: str,
        *,
        at: datetime,
        to: Path | None,
    ) -> None:
        if kind not in ROW_FORMATS:
            raise CommandError(
                f"Rows can't be written as {kind}. Use --format csv or xlsx.", returncode=WRONG
            )
        found = ROW_KINDS[name]
        span = Span(campaign, choice.choose_period(campaign, at=at), at)
        total = found.count_rows(span)
        rows = self._show_bar(found.write(span), total=total)
        if kind == "xlsx":
            save: Callable[[BinaryIO], object] = partial(
                write_xlsx,
                rows,
                sheets=count_sheets(total),
                money_format=found.choose_money_format(span),
            )
        else:
            save = partial(_copy, (text.encode() for text in stream_csv(rows)))
        self._save(kind, to, save)

    def _save(self, kind: str, path: Path | None, write: Callable[[Any], object]) -> None:
        """Write to the file, which then appears as a whole, or to standard output."""
        if path is None:
            self._print(kind, write)
            return
        unfinished = path.with_name(f".{path.name}.part")
        try:
            with unfinished.open("wb") as file:
                write(file)
            unfinished.replace(path)
        except OSError as error:
            raise CommandError(
                f"{path} could not be written: {error.strerror}.", returncode=UNWRITABLE
            ) from error
        finally:
            with suppress(OSError):
                unfinished.unlink()

    def _print(self, kind: str, write: Callable[[Any], object]) -> None:
        if kind not in TEXTS and self.stdout.isatty():
            raise CommandError(
                f"A terminal can't show {kind}. Name a file with --output.", returncode=WRONG
            )
        buffer: BinaryIO | None = getattr(self.stdout, "buffer", None)
        if buffer is None:  # a stream of text, such as a test's
            write(_Printed(self.stdout))
        else:
            self.stdout.flush()
            write(buffer)
            buffer.flush()

    def _show_bar(self, rows: Iterator[list[Cell]], *, total: int) -> Iterator[list[Cell]]:
        """Yield the rows and show how many are done on one line of a terminal."""
        is_shown = self.stderr.isatty() and total > EVERY
        for number, row in enumerate(rows):
            yield row
            if is_shown and (number % EVERY == 0 or number == total):
                bar = "█" * round(BAR * min(number / total, 1))
                end = "\n" if number == total else ""
                line = f"\r  {bar:░<{BAR}} {number:>10,} of {total:,} rows"
                self.stderr.write(line, style_func=str, ending=end)


class _Printed:
    """Writes bytes to a stream of text."""

    def __init__(self, out: Any) -> None:
        self.out = out

    def write(self, content: bytes) -> int:
        self.out.write(content.decode(), ending="")
        return len(content)


def _copy(parts: Iterable[bytes], file: Any) -> None:
    for part in parts:
        file.write(part)


def _draw(contents: Contents, name: str, kind: str) -> bytes:
    chart = contents.find_chart(name)
    if chart is None:
        known = ", ".join(chart.name for chart in contents.charts)
        raise CommandError(
            f"This report has no chart “{name}”. Existing charts: {known}.", returncode=WRONG
        )
    return CHARTS[kind].draw(chart)


def _read_choice(campaign: Campaign, options: dict[str, Any]) -> Choice:
    first, last, compare = options["first"], options["last"], options["compare"]
    if first and last and last < first:
        first, last = last, first
    if compare not in {"", NOTHING, PREVIOUS}:
        _check_earlier(campaign, _find_campaign(compare))
    return Choice(first, last, compare)


def _check_earlier(campaign: Campaign, other: Campaign) -> None:
    """Raise CommandError unless the other campaign began before this one."""
    if other.starts_at < campaign.starts_at:
        return
    earlier = Campaign.objects.filter(starts_at__lt=campaign.starts_at).order_by("-starts_at")
    known = ", ".join(earlier.values_list("slug", flat=True)) or "none"
    raise CommandError(
        f"“{other.slug}” didn’t begin before “{campaign.slug}”. Compare with an earlier campaign "
        f"({known}), “{PREVIOUS}” or “{NOTHING}”.",
        returncode=WRONG,
    )


def _find_campaign(slug: str) -> Campaign:
    campaign = Campaign.objects.filter(slug=slug).first()
    if campaign is None:
        known = ", ".join(Campaign.objects.values_list("slug", flat=True)) or "none"
        raise CommandError(
            f"There is no campaign “{slug}”. Existing campaigns: {known}.", returncode=WRONG
        )
    return campaign


def _read_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("Write a date, for example 2026-11-30.") from None


def _read_moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("Write a time, for example 2026-11-30T12:00.") from None
