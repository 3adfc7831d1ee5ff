from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.reports import formats, gather_figures

FORMATS = {"text": formats.as_text, "json": formats.as_json, "csv": formats.as_csv}


class Command(BaseCommand):
    help = "Print the report of a campaign, or write it as JSON or CSV."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("campaign", help="the campaign's slug, for example birthday")
        parser.add_argument("--format", choices=sorted(FORMATS), default="text")
        parser.add_argument(
            "--output", type=Path, help="write to this file instead of the terminal"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(slug=options["campaign"]).first()
        if campaign is None:
            known = ", ".join(Campaign.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(
                f"There is no campaign “{options['campaign']}”. Existing campaigns: {known}."
            )
        text = FORMATS[options["format"]](gather_figures(campaign, at=timezone.now()))
        if options["output"]:
            options["output"].write_text(text, encoding="utf-8")
        else:
            self.stdout.write(text, ending="")
