from argparse import ArgumentTypeError
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from campaigns import jobs, tasks, webhooks
from campaigns.models import StripeEvent

AT_A_TIME = 500


def parse_moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a date. Write it as 2026-11-10.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Command(BaseCommand):
    help = "Process stored webhooks again: the objects they name are fetched from Stripe again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "ids", nargs="*", metavar="id", help="ids of events, for example evt_1abc"
        )
        parser.add_argument(
            "--since",
            type=parse_moment,
            metavar="DATE",
            help="received since then: 2026-11-10 or 2026-11-10T12:00+02:00; UTC without an offset",
        )
        parser.add_argument("--type", help="only this type, for example invoice.paid")
        parser.add_argument("--status", choices=StripeEvent.Status.values, help="only this status")
        parser.add_argument("--now", action="store_true", help="process them now, in this command")

    def handle(self, *args: Any, **options: Any) -> None:
        if not any(options[name] for name in ("ids", "since", "type", "status")):
            raise CommandError("Choose events with ids, --since, --type or --status.")
        chosen = list(
            self._choose(options).order_by("created_at", "pk").values_list("event_id", flat=True)
        )
        due = 0
        for first in range(0, len(chosen), AT_A_TIME):
            batch = chosen[first : first + AT_A_TIME]
            due += webhooks.replay_events(batch) + webhooks.retry_events(batch)
        self.stdout.write(f"{due} of {len(chosen)} chosen events are due again.")
        if left := len(chosen) - due:
            self.stdout.write(f"{left} already due or being processed.")
        if options["now"]:
            self._process(chosen)
        elif chosen:
            self.stdout.write("A worker processes them within a minute.")

    def _choose(self, options: dict[str, Any]) -> QuerySet[StripeEvent]:
        events = StripeEvent.objects.all()
        if ids := options["ids"]:
            events = events.filter(event_id__in=ids)
            unknown = set(ids) - set(events.values_list("event_id", flat=True))
            if unknown:
                raise CommandError(f"These events are not stored: {', '.join(sorted(unknown))}.")
        if options["since"]:
            events = events.filter(received_at__gte=options["since"])
        if options["type"]:
            events = events.filter(type=options["type"])
        if options["status"]:
            events = events.filter(status=options["status"])
        return events

    def _process(self, event_ids: list[str]) -> None:
        statuses: Counter[str] = Counter()
        for event_id in event_ids:
            webhooks.work_on_event(event_id)
            event = StripeEvent.objects.only("status", "error", "type").get(event_id=event_id)
            statuses[event.status] += 1
            if event.status == StripeEvent.Status.FAILED:
                self.stderr.write(f"{event_id} ({event.type}): {event.error}")
        jobs.run_due_jobs(*tasks.EFFECTS)
        self.stdout.write(", ".join(f"{statuses[status]} {status}" for status in sorted(statuses)))
        if statuses[StripeEvent.Status.FAILED]:
            raise CommandError("Some events failed. They are retried automatically.")
