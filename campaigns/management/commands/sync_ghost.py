"""The comparison with the newspaper's Ghost, and the first run that fills it."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from campaigns import ghost, jobs
from campaigns.ghost import Comparison
from campaigns.models import GhostMember, GhostSite

_TURN = timedelta(seconds=5)
_NAMED = 20


class Command(BaseCommand):
    help = (
        "Compare all members with Ghost, and update those who differ: people with access here get "
        "complimentary access there until the same day, and people who lost it here lose it "
        "there. Members who pay in Ghost are left alone and named. Exit code 0: Ghost is in "
        "line; 1: some members are not; 2: Ghost did not answer or can't be used. Safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only report, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if not ghost.is_in_use():
            raise CommandError(
                "Set GHOST_URL and GHOST_ADMIN_KEY; docs/ghost.md says how.", returncode=2
            )
        ghost.stop_resting()
        try:
            found = ghost.compare_with_ghost(dry_run=options["dry_run"], note=self._show_reading)
            self._report(found)
            # Members could be added, but their access could not be changed later.
            if not ghost.is_connected_to_stripe():
                raise ghost.GhostUnusable(GhostSite.Trouble.STRIPE, "it has no key of Stripe")
        except ghost.ERRORS as error:
            raise CommandError(ghost.explain(error), returncode=2) from error
        if options["dry_run"]:
            self.stdout.write("Nothing was changed.")
            return
        self._work()

    def _report(self, found: Comparison) -> None:
        write = self.stdout.write
        write(f"{found.people} members in Ghost, {found.members} with access here")
        write(f"{found.equal} are in line")
        groups = (
            ("to add or to give access", [member.email for member in found.missing]),
            ("to change", found.differing),
            ("to end", found.ending),
            ("left alone, because they pay in Ghost", found.paying),
            ("left alone, because Ghost's staff gave them access", found.given_by_others),
            ("have another address in Ghost", found.moved),
        )
        for words, addresses in groups:
            if addresses:
                write(f"{len(addresses)} {words}: {_name(addresses)}")
        write(f"Newsletters in Ghost: {', '.join(found.newsletters) or 'none'}")
        if found.unknown:
            write(f"Not among them, but set in our newsletters: {', '.join(found.unknown)}")
        if found.subscribers:
            write(f"{found.subscribers} subscribers of newsletters to bring in line")

    def _work(self) -> None:
        """Work on all that is due, with a bar."""
        job, total = jobs.find_job("ghost"), _count_due()
        while (left := _count_due()) and (outcome := jobs.run_job(job, turn=_TURN)):
            self._show_bar(total - _count_due(), total)
            if not (outcome.worked or outcome.failed) or _count_due() >= left:
                break
        refused = GhostMember.objects.filter(state=GhostMember.State.REFUSED).count()
        waiting = (
            _count_due()
            + GhostMember.objects.filter(due_at__gt=timezone.now(), attempts__gt=0)
            .exclude(state=GhostMember.State.REFUSED)
            .count()
        )
        if trouble := ghost.find_trouble():
            raise CommandError(f"{trouble[0].label}. {waiting} members wait.", returncode=2)
        if refused or waiting:
            raise CommandError(
                f"Ghost refused {refused} members, and {waiting} wait for another attempt. The "
                "admin names them under System, Members in Ghost.",
                returncode=1,
            )
        self.stdout.write("Ghost is in line.")

    def _show_reading(self, number: int) -> None:
        if self.stderr.isatty() and number % 100 == 0:
            self.stderr.write(f"\r{number} members read", style_func=str, ending="")

    def _show_bar(self, done: int, total: int) -> None:
        if self.stderr.isatty() and total:
            bar = "#" * (40 * done // total)
            end = "\n" if done == total else ""
            self.stderr.write(f"\r[{bar:.<40}] {done} of {total}", style_func=str, ending=end)


def _count_due() -> int:
    return GhostMember.objects.filter(due_at__lte=timezone.now()).count()


def _name(addresses: list[str]) -> str:
    more = len(addresses) - _NAMED
    return ", ".join(addresses[:_NAMED]) + (f" and {more} more" if more > 0 else "")
