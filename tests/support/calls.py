"""Calls to Stripe, counted; events delivered as a worker gets them."""

import json
import random
import re
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone

from campaigns import webhooks
from campaigns.models import Campaign, StripeEvent
from campaigns.stripe_api.events import read_event
from newsroom.sandbox.control import SandboxControl
from tests.support.due import list_due_events
from tests.support.extensions import Clock

Calls = Counter[str]
Json = dict[str, Any]

ORDERS = ["as they happened", "newest first", "shuffled"]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Count the requests to Stripe by their path without ids."""
    made: Calls = Counter()
    send = requests.Session.request

    def count(session: Any, method: str, url: str, *more: Any, **how: Any) -> Any:
        if "/v1/" in url:
            made[re.sub(r"^.*/v1/|/(cs|sub|in|inpay|pi|ch|re|du)_\w+|\?.*", "", url)] += 1
        return send(session, method, url, *more, **how)

    monkeypatch.setattr(requests.Session, "request", count)
    return made


def store(event: Json) -> str:
    """Store an event as if its webhook had arrived now; returns its id."""
    payload = json.dumps(event, default=str)
    return webhooks.store_fetched_event(read_event(json.loads(payload), payload=payload)).event_id


class Worker:
    """Works on events as they arrive, a fifth of a second apart, then on those that waited."""

    def __init__(
        self, campaign: Campaign, sandbox: SandboxControl, clock: Clock, calls: Calls
    ) -> None:
        self.campaign, self.sandbox, self.clock, self.calls = campaign, sandbox, clock, calls
        self._seen = len(sandbox.events())

    def take_new_events(self) -> list[Json]:
        """Return the events since the last call, oldest first."""
        events: list[Json] = self.sandbox.events()
        new, self._seen = events[self._seen :], len(events)
        return new

    def pass_time(self, seconds: float) -> None:
        self.clock.move_to(timezone.now() + timedelta(seconds=seconds))

    def deliver(self, events: Sequence[Json]) -> None:
        for event in events:
            self.pass_time(0.2)
            webhooks.work_on_event(store(event), may_wait=True)

    def count(self, event_id: str) -> int:
        """Work on a due event; returns how many calls that took."""
        self.calls.clear()
        webhooks.work_on_event(event_id)
        return self.calls.total()

    def finish(self) -> None:
        """Work on what is due until nothing is."""
        while StripeEvent.objects.filter(due_at__isnull=False).exists():
            self.pass_time(1)
            for event_id in list_due_events():
                webhooks.work_on_event(event_id, may_wait=True)


@pytest.fixture
def worker(campaign: Campaign, sandbox: SandboxControl, clock: Clock, calls: Calls) -> Worker:
    return Worker(campaign, sandbox, clock, calls)


def put_in_order(events: list[Json], order: str) -> list[Json]:
    if order.startswith("shuffled"):
        return random.Random(order).sample(events, len(events))  # noqa: S311
    return events if order == "as they happened" else events[::-1]
