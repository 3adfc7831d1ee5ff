from argparse import ArgumentTypeError
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from campaigns import tasks, webhooks
from campaigns.models import StripeEvent

AT_A_TIME = 500


def parse_moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no date such as 2026-11-10.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Command(BaseCommand):
    help = "Work again on webhooks that are stored: what they name is fetched anew from Stripe."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="*", metavar="id", help="events, such as evt_1abc")
        parser.add_argument(
            "--since",
            type=parse_moment,
            metavar="DATE",
            help="received from then on: 2026-11-10 or 2026-11-10T12:00+02:00; UTC if it says none",
        )
        parser.add_argument("--type", help="of one type, such as invoice.paid")
        parser.add_argument("--status", choices=StripeEvent.Status.values, help="of one state")
        parser.add_argument(
            "--now", action="store_true", help="work on them here, not by the next sweep"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not any(options[name] for name in ("ids", "since", "type", "status")):
            raise CommandError("Say which: ids, --since, --type or --status.")
        chosen = list(
            self._choose(options).order_by("created_at", "pk").values_list("event_id", flat=True)
        )
        due = 0
        for first in range(0, len(chosen), AT_A_TIME):
            some = chosen[first : first + AT_A_TIME]
            due += webhooks.replay_events(some) + webhooks.retry_events(some)
        self.stdout.write(f"{due} of {len(chosen)} chosen are due again.")
        if left := len(chosen) - due:
            self.stdout.write(f"{left} were due already, or are being worked on.")
        if options["now"]:
            self._work_on(chosen)
        elif chosen:
            self.stdout.write("The sweep works on them, within a minute if a worker runs.")

    def _choose(self, options: dict[str, Any]) -> QuerySet[StripeEvent]:
        events = StripeEvent.objects.all()
        if ids := options["ids"]:
            events = events.filter(event_id__in=ids)
            unknown = set(ids) - set(events.values_list("event_id", flat=True))
            if unknown:
                raise CommandError(f"Not stored here: {', '.join(sorted(unknown))}.")
        if options["since"]:
            events = events.filter(received_at__gte=options["since"])
        if options["type"]:
            events = events.filter(type=options["type"])
        if options["status"]:
            events = events.filter(status=options["status"])
        return events

    def _work_on(self, event_ids: list[str]) -> None:
        became: Counter[str] = Counter()
        for event_id in event_ids:
            webhooks.work_on_event(event_id)
            event = StripeEvent.objects.only("status", "error", "type").get(event_id=event_id)
            became[event.status] += 1
            if event.status == StripeEvent.Status.FAILED:
                self.stderr.write(f"{event_id} ({event.type}): {event.error}")
        tasks.do_what_followed()
        self.stdout.write(", ".join(f"{became[status]} {status}" for status in sorted(became)))
        if became[StripeEvent.Status.FAILED]:
            raise CommandError("Some failed; they are tried again by themselves.")
