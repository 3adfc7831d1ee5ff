"""The comparison of our figures with Stripe's."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date

from campaigns import settlement, stripe_api, webhooks
from campaigns.money import format_money

DAYS_SHOWN = 31
FIGURES = ("gross", "refunded", "disputed", "fees", "net")


class Command(BaseCommand):
    help = (
        "Import what Stripe has and we don't, and compare our figures with Stripe's to the minor "
        "unit. Exit code 0: equal; 1: different; 2: Stripe did not answer. Safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since",
            metavar="DATE",
            help="start at this date (UTC), for example 2026-11-01, not where the last run ended",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="only report: import nothing, move no cursor"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        since, dry_run = _read_day(options["since"]), options["dry_run"]
        try:
            caught_up = webhooks.catch_up(since=since, dry_run=dry_run)
            report = settlement.reconcile(since=since, dry_run=dry_run)
        except stripe_api.StripeError as error:
            raise CommandError(
                f"Stripe did not answer ({error}). Imported rows stay. The next run starts where "
                "this one started.",
                returncode=2,
            ) from error
        self._report_events(caught_up, dry_run=dry_run)
        self._report_groups(report, dry_run=dry_run)
        self._report_figures(report)
        if not report.is_equal:
            raise CommandError("Our figures differ from Stripe's. See above.", returncode=1)
        self.stdout.write("Our figures equal Stripe's to the minor unit.")

    def _report_events(self, caught_up: webhooks.CaughtUp, *, dry_run: bool) -> None:
        if caught_up.since is None:
            self.stdout.write("Nothing has been sold through Stripe yet.")
            return
        imported = "would be imported" if dry_run else "have been imported"
        self.stdout.write(
            f"events since {caught_up.since:%Y-%m-%d %H:%M}: {caught_up.seen} at Stripe, "
            f"{caught_up.missed} had not arrived and {imported}"
        )

    def _report_groups(self, report: settlement.Reconciliation, *, dry_run: bool) -> None:
        if report.since is None:
            return
        self.stdout.write(
            f"movements since {report.since:%Y-%m-%d %H:%M}: {report.movements} compared with ours"
        )
        still = "" if dry_run else "still "
        self._report("missing here and imported", report.imported)
        self._report("different and corrected", report.corrected)
        self._report(f"{still}missing here", report.missing_here)
        self._report("missing at Stripe", report.missing_there)
        self._report(f"{still}different", report.different)
        self._report("not ours: without one of our Checkouts, left out below", report.not_ours)
        self._report("not payments: payouts and similar, left out below", report.others)

    def _report(self, title: str, group: settlement.Group) -> None:
        if not group.count:
            return
        sums = ", ".join(
            format_money(total, currency) for currency, total in sorted(group.sums.items())
        )
        self.stdout.write(f"\n{title}: {group.count} ({sums})")
        days = sorted(group.days)
        by_day = ", ".join(f"{day}: {group.days[day]}" for day in days[-DAYS_SHOWN:])
        earlier = sum(group.days[day] for day in days[:-DAYS_SHOWN])
        self.stdout.write("  " + (f"earlier: {earlier}, " if earlier else "") + by_day)
        for name in group.named:
            self.stdout.write(f"  {name}")
        if group.count > len(group.named):
            self.stdout.write(f"  and {group.count - len(group.named)} more")

    def _report_figures(self, report: settlement.Reconciliation) -> None:
        for currency in report.currencies:
            ours, theirs = report.ours[currency], report.theirs[currency]
            self.stdout.write(
                f"\n{currency}, minor units  {'ours':>16}{'Stripe':>16}{'difference':>12}"
            )
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
        raise CommandError(f"“{text}” is not a date. Write it as 2026-11-01.")
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
