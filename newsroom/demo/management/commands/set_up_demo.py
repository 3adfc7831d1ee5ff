"""Set up the demo's campaigns in an empty database: with sales, unless --empty is given."""

import io
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from campaigns import banners
from newsroom.demo import campaign as demo_campaign
from newsroom.demo import history, letters
from newsroom.demo.connections import connect_newspaper
from newsroom.demo.generator import generate_campaign
from newsroom.demo.plots import plot_earlier
from newsroom.sandbox.control import SandboxControl


class Command(BaseCommand):
    help = "Set up the demo: database, campaign, prices at the pretend Stripe, sales, banners."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--empty", action="store_true", help="start at 0 of 1,000 new members")
        parser.add_argument("--again", action="store_true", help="keep what is there")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        connect_newspaper()  # at each start, since the port can change
        if options["again"]:
            return
        campaign = demo_campaign.make_campaign(now=timezone.now())
        demo_campaign.make_login()
        # The webhook is set at each start, since the port can change.
        call_command("stripe_setup", "--no-webhook", stdout=io.StringIO())
        if not options["empty"]:
            for plot, payments in plot_earlier(campaign):
                generate_campaign(plot, payments=payments, now=timezone.now(), seed=history.SEED)
            sandbox = SandboxControl(settings.STRIPE_API_BASE)
            history.Past(campaign, sandbox).live_through(report=self._report_day)
            sandbox.close()
            letters.sign_up_readers(campaign, now=timezone.now(), seed=history.SEED)
            self.stderr.write(f"\r  Created three weeks of sales: {history.COUNTED} new members")
        banners.publish_campaign(campaign.pk)

    def _report_day(self, day: int, days: int) -> None:
        """Show the progress on one line of a terminal."""
        if sys.stderr.isatty():
            self.stderr.write(f"\r  Creating three weeks of sales: day {day} of {days}", ending="")
