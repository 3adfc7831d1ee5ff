"""Delivery of webhooks: in any order, late, repeatedly, or never."""

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


class WebhookQueue:
    """Events that Stripe has sent and that haven't been delivered yet."""

    def __init__(self, sandbox: SandboxControl) -> None:
        self.sandbox, self.client = sandbox, Client()
        self.pending: list[Json] = []
        self.sent: set[str] = set()
        self._read_until = 0

    def _collect(self) -> None:
        """Add the events that Stripe created since the last call, oldest first."""
        page: Any = {"created": {"gte": self._read_until}, "limit": 100}
        listed = stripe_api.client().v1.events.list(page).auto_paging_iter()
        for event in reversed([event.to_dict() for event in listed]):
            self._read_until = max(self._read_until, event["created"])
            if event["id"] not in self.sent and event["type"] in webhooks.EVENTS:
                self.sent.add(event["id"])
                self.pending.append(event)

    def deliver(
        self, which: Sequence[int], *, now: datetime, rest_is_lost: bool, fails: bool
    ) -> None:
        """Deliver the events at these positions, then process each of them.

        With `fails`, Stripe answers with an error once for each event.
        """
        self._collect()
        delivered = [self.pending[number % len(self.pending)] for number in which if self.pending]
        for event in delivered:
            self._send(event, now=now)
            if fails:
                self.sandbox.add_fault("api", match="GET /v1/", kind="error")
            webhooks.replay_events([event["id"]])
            webhooks.work_on_event(event["id"])
            if fails:
                self.sandbox.remove_faults()
        delivered_ids = {event["id"] for event in delivered}
        remaining = [] if rest_is_lost else self.pending
        self.pending = [event for event in remaining if event["id"] not in delivered_ids]

    def _send(self, event: Json, *, now: datetime) -> None:
        """Send the event, signed at the simulated time instead of the real one."""
        body = json.dumps(event, default=str)  # Stripe's library parses decimals
        stamp = int(now.timestamp())
        text = f"{stamp}.{body}".encode()
        signed = hmac.new(WEBHOOK_SECRET.encode(), text, hashlib.sha256).hexdigest()
        answer = self.client.post(
            "/stripe/webhook/",
            data=body,
            content_type="application/json",
            headers={"Stripe-Signature": f"t={stamp},v1={signed}"},
        )
        assert answer.status_code == 200, answer.content
