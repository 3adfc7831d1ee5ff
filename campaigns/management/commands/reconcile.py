"""Whether our figures are Stripe's: 0 they are, 1 they are not, 2 Stripe did not answer."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date

from campaigns import settlement, stripe_api, webhooks
from campaigns.money import format_money

DAYS_TOLD = 31
FIGURES = ("gross", "refunded", "disputed", "fees", "net")


class Command(BaseCommand):
    help = (
        "Bring in what Stripe has and we do not, and hold our figures against Stripe's to the "
        "minor unit. Exit code 0: equal; 1: they differ; 2: Stripe did not answer. Safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since", metavar="DATE", help="such as 2026-11-01 (UTC), not from where it left off"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="only tell: bring nothing in, move no cursor"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        since, dry_run = _read_day(options["since"]), options["dry_run"]
        try:
            caught_up = webhooks.catch_up(since=since, dry_run=dry_run)
            report = settlement.reconcile(since=since, dry_run=dry_run)
        except stripe_api.StripeError as error:
            raise CommandError(
                f"Stripe did not answer: {error}. What was brought in stays, and the next run "
                "begins where this one did.",
                returncode=2,
            ) from error
        self._tell_events(caught_up, dry_run=dry_run)
        self._tell_groups(report, dry_run=dry_run)
        self._tell_figures(report)
        if not report.is_equal:
            raise CommandError("Our figures differ from Stripe's: see above.", returncode=1)
        self.stdout.write("Equal to the minor unit.")

    def _tell_events(self, caught_up: webhooks.CaughtUp, *, dry_run: bool) -> None:
        if caught_up.since is None:
            self.stdout.write("Nothing was ever sold through Stripe.")
            return
        done = "would be taken in" if dry_run else "taken in"
        self.stdout.write(
            f"events since {caught_up.since:%Y-%m-%d %H:%M}: {caught_up.seen} at Stripe, "
            f"{caught_up.missed} never came and {'were ' if not dry_run else ''}{done}"
        )

    def _tell_groups(self, report: settlement.Reconciliation, *, dry_run: bool) -> None:
        if report.since is None:
            return
        self.stdout.write(
            f"movements since {report.since:%Y-%m-%d %H:%M}: {report.movements} held against ours"
        )
        still = "" if dry_run else "still "
        self._tell("missing here and brought in", report.imported)
        self._tell("different and mended", report.corrected)
        self._tell(f"{still}missing here", report.missing_here)
        self._tell("missing there", report.missing_there)
        self._tell(f"{still}different", report.different)
        self._tell("foreign: of no Checkout of ours, and left out below", report.not_ours)
        self._tell("no payments: payouts and the like, left out below", report.others)

    def _tell(self, title: str, group: settlement.Group) -> None:
        if not group.count:
            return
        sums = ", ".join(format_money(group.sums[each], each) for each in sorted(group.sums))
        self.stdout.write(f"\n{title}: {group.count} ({sums})")
        days = sorted(group.days)
        told = ", ".join(f"{day}: {group.days[day]}" for day in days[-DAYS_TOLD:])
        earlier = sum(group.days[day] for day in days[:-DAYS_TOLD])
        self.stdout.write("  " + (f"earlier: {earlier}, " if earlier else "") + told)
        for name in group.named:
            self.stdout.write(f"  {name}")
        if group.count > len(group.named):
            self.stdout.write(f"  and {group.count - len(group.named)} more")

    def _tell_figures(self, report: settlement.Reconciliation) -> None:
        for currency in report.currencies:
            ours, theirs = report.ours[currency], report.theirs[currency]
            self.stdout.write(f"\n{currency}, minor units  {'ours':>16}{'Stripe':>16}{'more':>12}")
            for name in FIGURES:
                here, there = getattr(ours, f"{name}_minor"), getattr(theirs, f"{name}_minor")
                self.stdout.write(f"  {name:<16}{here:>18}{there:>16}{here - there:>12}")


def _read_day(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise CommandError(f"“{text}” is no date such as 2026-11-01.")
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
