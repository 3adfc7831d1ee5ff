"""Webhooks, sent to our endpoint as Stripe sends them."""

import time
from typing import Any

from django.test import Client
from stripe import WebhookSignature

from newsroom.sandbox.control import SandboxControl
from tests.conftest import WEBHOOK_SECRET

ENDPOINT = "/stripe/webhook/"


def make_event(**changes: Any) -> dict[str, Any]:
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "charge.succeeded",
        "created": 1_794_312_000,
        "livemode": False,
        "data": {"object": {"object": "charge", "id": "ch_of_nobody"}},
    }
    return event | changes


def sign(body: str, *, secret: str = WEBHOOK_SECRET, age: int = 0) -> str:
    moment = int(time.time()) - age
    return str(WebhookSignature.generate_signature_header(body, secret, moment))


def post(client: Client, body: str | bytes, header: str | None = None) -> Any:
    """Send a webhook, with a valid signature unless a header is given."""
    if header is None:
        assert isinstance(body, str)
        header = sign(body)
    return client.post(
        ENDPOINT, data=body, content_type="application/json", headers={"Stripe-Signature": header}
    )


def completed_event_id(sandbox: SandboxControl) -> str:
    """Return the id of the newest event of a completed session."""
    return str(sandbox.events("checkout.session.completed")[-1]["id"])
