"""Test the whole journey against the running demo, without a browser."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from newsroom.demo.journey import Journey, Stuck


class Command(BaseCommand):
    help = "Join, give and claim over HTTP as a reader would, and check the article's count."

    def handle(self, *args: Any, **options: Any) -> None:
        journey = Journey(settings.SITE_URL, report=self.stdout.write)
        try:
            before, after = journey.take()
        except Stuck as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"count    {before} -> {after}")
        if after < before + 2:  # a pending bank payment may have added one more
            raise CommandError("The count did not rise by two: one new member and one gift.")
