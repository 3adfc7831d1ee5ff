from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from campaigns.jobs import JOBS, run_due_jobs
from campaigns.models import JobFailure

NAMES = [job.name for job in JOBS]


class Command(BaseCommand):
    help = (
        "Run the jobs that are due, once, in this process: e-mails, banners, events and the rest. "
        "Workers do this all the time; use the command without a worker or to look at an error. "
        "Exit code 1 if a row failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "jobs", nargs="*", metavar="job", choices=[*NAMES, []], help=", ".join(NAMES)
        )

    def handle(self, *args: Any, **options: Any) -> None:
        worked = run_due_jobs(*options["jobs"])
        self.stdout.write(f"Worked on {worked} rows.")
        failures = JobFailure.objects.filter(job__in=options["jobs"] or NAMES)
        for failure in failures.order_by("job", "row"):
            self.stderr.write(f"{failure.job} {failure.row}: {failure.error}")
        if failures:
            raise CommandError("Some rows failed. They are due again in a minute or later.")
