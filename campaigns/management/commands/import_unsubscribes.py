"""The import of addresses that unsubscribed or bounced at the mailing tool."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from campaigns import newsletters


class Command(BaseCommand):
    help = (
        "End the newsletter subscriptions that a CSV file in UTF-8 names. Its first line names the "
        "columns: email and, if you like, newsletter (its short name) and reason (for example "
        "bounced or spam). Without a newsletter, all subscriptions of the address end. Safe to "
        "repeat. Sends no e-mails."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="read every row, change none")

    def handle(self, *args: Any, **options: Any) -> None:
        path, is_rehearsal = options["file"], options["dry_run"]
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror}.") from error
        try:
            outcome = newsletters.end_returned(
                content, at=timezone.now(), is_rehearsal=is_rehearsal
            )
        except newsletters.UnreadableReturns as error:
            raise CommandError(str(error)) from error
        for number in outcome.unknown:
            self.stderr.write(f"line {number}: no such subscription")
        self.stdout.write(
            f"{outcome.ended} {'would end' if is_rehearsal else 'ended'}, "
            f"{outcome.unchanged} had already ended, {len(outcome.unknown)} unknown"
        )
