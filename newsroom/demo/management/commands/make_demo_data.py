"""Fill the demo's database with campaigns of two years, as many payments as are asked for."""

import argparse
import gc
import sys
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from campaigns.models import Campaign, Plan
from newsroom.demo import campaign as demo_campaign
from newsroom.demo.generator import generate_campaign
from newsroom.demo.plots import plot_campaigns

WIDTH = 30


def read_number(most: int) -> Any:
    def read(typed: str) -> int:
        number = int(typed.replace(",", "")) if typed.replace(",", "").isdecimal() else 0
        if not 1 <= number <= most:
            raise argparse.ArgumentTypeError(f"choose a number from 1 to {most:,}")
        return number

    return read


class Command(BaseCommand):
    help = "Create campaigns over two years with members, gifts, payments, refunds and disputes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--payments",
            type=read_number(10_000_000),
            default=10_000,
            help="how many payments, renewals included (default: 10,000)",
        )
        parser.add_argument(
            "--campaigns", type=read_number(24), default=5, help="how many campaigns (default: 5)"
        )
        parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same rows")

    def handle(self, *args: Any, **options: Any) -> None:
        now, wanted = timezone.now(), options["payments"]
        plots = plot_campaigns(options["campaigns"], now=now, zone=demo_campaign.ZONE)
        taken = Campaign.objects.filter(slug__in=[plot.slug for plot in plots])
        if taken.exists():
            raise CommandError(
                "The database already has these campaigns. Start with an empty one: "
                "bin/demo --empty --fresh"
            )
        if not Plan.objects.filter(slug="member").exists():
            demo_campaign.make_plan()
        made = 0
        gc.freeze()  # or everything that was imported is looked through after each batch
        for left, plot in zip(range(len(plots), 0, -1), plots, strict=True):
            share = (wanted - made) // left
            generate_campaign(
                plot,
                payments=share,
                now=now,
                seed=options["seed"],
                report=partial(self._report, wanted, before=made),
            )
            made += share
        self._report(wanted, wanted, end="\n")
        self.stdout.write(f"Created {wanted:,} payments in {len(plots)} campaigns.")

    def _report(self, wanted: int, made: int, *, before: int = 0, end: str = "") -> None:
        """Show a bar on one line of a terminal."""
        if sys.stderr.isatty():
            made += before
            share = min(made / wanted, 1)
            bar = "█" * round(share * WIDTH)
            self.stderr.write(f"\r  {bar:░<{WIDTH}} {share:4.0%}  {made:>10,}", ending=end)
