"""Webhooks on their way: some come twice or late, in any order, and some never."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.test import Client

from campaigns import stripe_api, webhooks
from newsroom.sandbox.control import SandboxControl
from tests.conftest import WEBHOOK_SECRET

Json = dict[str, Any]


class Post:
    def __init__(self, sandbox: SandboxControl) -> None:
        self.sandbox, self.door = sandbox, Client()
        self.under_way: list[Json] = []
        self.sent: set[str] = set()
        self._read_until = 0

    def _collect(self) -> None:
        """What Stripe sent since the last time, oldest first."""
        page: Any = {"created": {"gte": self._read_until}, "limit": 100}
        listed = stripe_api.client().v1.events.list(page).auto_paging_iter()
        for event in reversed([each.to_dict() for each in listed]):
            self._read_until = max(self._read_until, event["created"])
            if event["id"] not in self.sent and event["type"] in webhooks.EVENTS:
                self.sent.add(event["id"])
                self.under_way.append(event)

    def deliver(
        self, which: Sequence[int], *, now: datetime, rest_is_lost: bool, fails: bool
    ) -> None:
        """These of what is under way, perhaps twice; a worker then works on each.

        `fails`: Stripe answers the worker with an error, once for each.
        """
        self._collect()
        came = [self.under_way[each % len(self.under_way)] for each in which if self.under_way]
        for event in came:
            self._bring_to_the_door(event, now=now)
            if fails:
                self.sandbox.add_fault("api", match="GET /v1/", kind="error")
            webhooks.replay_events([event["id"]])
            webhooks.work_on_event(event["id"])
            if fails:
                self.sandbox.remove_faults()
        names = {event["id"] for event in came}
        left = [] if rest_is_lost else self.under_way
        self.under_way = [event for event in left if event["id"] not in names]

    def _bring_to_the_door(self, event: Json, *, now: datetime) -> None:
        """Signed by the simulated clock, where the sandbox would sign by the wall's."""
        body = json.dumps(event, default=str)  # the library reads decimals
        stamp = int(now.timestamp())
        text = f"{stamp}.{body}".encode()
        signed = hmac.new(WEBHOOK_SECRET.encode(), text, hashlib.sha256).hexdigest()
        answer = self.door.post(
            "/stripe/webhook/",
            data=body,
            content_type="application/json",
            headers={"Stripe-Signature": f"t={stamp},v1={signed}"},
        )
        assert answer.status_code == 200, answer.content
