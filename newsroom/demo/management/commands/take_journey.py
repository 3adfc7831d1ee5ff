"""Take the whole journey against the running demo, without a browser."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from newsroom.demo.journey import Journey, Stuck


class Command(BaseCommand):
    help = "Join, give and claim over HTTP as a reader would, and watch the count in the article."

    def handle(self, *args: Any, **options: Any) -> None:
        journey = Journey(settings.SITE_URL, tell=self.stdout.write)
        try:
            before, after = journey.take()
        except Stuck as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"count  {before} -> {after}")
        if after < before + 2:  # a bank may have brought another one home meanwhile
            raise CommandError("The count did not rise by the one who joined and the one gift.")
