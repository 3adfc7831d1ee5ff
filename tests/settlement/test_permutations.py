"""Events in any order, any number of times, end in the same rows."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from campaigns import stripe_api
from campaigns.management.commands.stripe_setup import EVENTS
from campaigns.models import (
    Campaign,
    Checkout,
    StripeEvent,
    Tally,
)
from newsroom.sandbox.control import SandboxControl
from tests.conftest import deliver_events
from tests.support.effort import effort
from tests.support.rows import dump_rows, forget_sales
from tests.support.sales import place_order

pytestmark = pytest.mark.long

CARD = "4242424242424242"
HOUR = 3600


@dataclass
class Journey:
    """A sale at the sandbox and its later changes, one step at a time."""

    sandbox: SandboxControl
    checkouts: list[Checkout]
    earlier_events: int = field(init=False)

    def __post_init__(self) -> None:
        self.earlier_events = len(self.sandbox.events())

    def events(self) -> list[dict[str, Any]]:
        """Return the events so far, oldest first."""
        return [
            event
            for event in self.sandbox.events()[self.earlier_events :]
            if event["type"] in EVENTS
        ]

    def event_ids(self) -> list[str]:
        return [event["id"] for event in self.events()]

    def take(self, step: str) -> None:
        getattr(self, step)()
        self.sandbox.advance(HOUR)

    def pay(self) -> None:
        for checkout in self.checkouts:
            self.sandbox.pay(str(checkout.session_id), card=CARD)

    def refund_part(self) -> None:
        self._refund(amount=1500)

    def refund_rest(self) -> None:
        self._refund()

    def open_dispute(self) -> None:
        self.sandbox.open_dispute(payment_intent=self._intent_id())

    def win_dispute(self) -> None:
        self.sandbox.close_dispute(self._dispute_id(), status="won")

    def lose_dispute(self) -> None:
        self.sandbox.close_dispute(self._dispute_id(), status="lost")

    def _refund(self, **more: Any) -> None:
        params: Any = {"payment_intent": self._intent_id(), **more}
        stripe_api.client().v1.refunds.create(params)

    def _intent_id(self) -> str:
        events = [event for event in self.events() if event["type"] == "payment_intent.succeeded"]
        return str(events[0]["data"]["object"]["id"])

    def _dispute_id(self) -> str:
        events = [event for event in self.events() if event["type"] == "charge.dispute.created"]
        return str(events[-1]["data"]["object"]["id"])


ENDINGS: dict[str, tuple[str, ...]] = {
    "paid": ("pay",),
    "refunded in part": ("pay", "refund_part"),
    "refunded in full": ("pay", "refund_part", "refund_rest"),
    "dispute won": ("pay", "open_dispute", "win_dispute"),
    "dispute lost": ("pay", "refund_part", "open_dispute", "lose_dispute"),
    "dispute won, then refunded": ("pay", "open_dispute", "win_dispute", "refund_rest"),
}
# Endings after which the sale counts, by the count rule.
COUNTS = {
    "paid": True,
    "refunded in part": True,
    "refunded in full": False,
    "dispute won": True,
    "dispute lost": False,
    "dispute won, then refunded": False,
}


def begin(sandbox: SandboxControl, campaign: Campaign, kind: str) -> Journey:
    forget_sales()
    Checkout.objects.all().delete()
    if kind == "gift":
        return Journey(sandbox, [place_order(campaign, "gift")])
    if kind == "two for one person":
        both = [place_order(campaign, kind) for kind in ("once", "month")]
        return Journey(sandbox, both)
    return Journey(sandbox, [place_order(campaign, kind)])


CI = "CI" in os.environ


@pytest.mark.walk
@settings(
    max_examples=effort(quick=6, thorough=20),
    derandomize=CI,
    print_blob=not CI,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_every_order_and_repetition_of_events_ends_in_the_same_rows(
    campaign: Campaign, sandbox: SandboxControl, data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(["once", "gift", "year", "two for one person"]), label="kind")
    ending = data.draw(st.sampled_from(sorted(ENDINGS)), label="ending")
    journey, client = begin(sandbox, campaign, kind), Client()
    delivered: list[str] = []
    for step in ENDINGS[ending]:
        journey.take(step)
        # Between the steps any event may arrive, repeatedly and in any order.
        known = journey.event_ids()
        positions = st.lists(st.integers(0, len(known) - 1), max_size=4)
        chosen = [known[position] for position in data.draw(positions, label=f"after {step}")]
        deliver_events(sandbox, client, chosen)
        delivered += chosen
    late = [event_id for event_id in journey.event_ids() if event_id not in delivered]
    deliver_events(sandbox, client, data.draw(st.permutations(late), label="late"))
    rows = dump_rows()

    forget_sales()
    deliver_events(sandbox, client, journey.event_ids())
    assert rows == dump_rows()
    assert [tally.counted_until is None for tally in Tally.objects.all()] == [
        COUNTS[ending] or kind == "two for one person"
    ]
    assert len(rows["Payment"]) == len(journey.checkouts)
    assert not StripeEvent.objects.filter(status="failed").exists()


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("kind", ["once", "gift", "year"])
def test_the_last_event_alone_settles_the_whole_sale(
    campaign: Campaign, sandbox: SandboxControl, kind: str, ending: str
) -> None:
    """It works even if all other webhooks were lost."""
    journey, client = begin(sandbox, campaign, kind), Client()
    for step in ENDINGS[ending]:
        journey.take(step)
    event_ids = journey.event_ids()
    deliver_events(sandbox, client, event_ids[-1:])
    rows = dump_rows()
    deliver_events(sandbox, client, event_ids)
    assert rows == dump_rows()


# Control


def believe_payloads(events: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return each object as the last delivered event shows it, as a simple handler would."""
    believed: dict[str, Any] = {}
    for event in events:
        stripe_object = json.loads(json.dumps(event["data"]["object"]))
        believed[stripe_object["id"]] = stripe_object
    return believed


@pytest.mark.parametrize("ending", ["refunded in full", "dispute lost"])
def test_a_handler_that_trusts_payloads_ends_in_different_rows(
    campaign: Campaign, sandbox: SandboxControl, ending: str
) -> None:
    journey = begin(sandbox, campaign, "gift")
    for step in ENDINGS[ending]:
        journey.take(step)
    events = journey.events()
    in_order = believe_payloads(events)

    def diverges(order: list[dict[str, Any]]) -> bool:
        return believe_payloads(order) != in_order

    assert not diverges(events)
    worst = find(
        st.permutations(events),
        diverges,
        settings=settings(max_examples=500, derandomize=True, database=None),
    )
    assert len(worst) == len(events)
    # Our own code handles the same order.
    client = Client()
    deliver_events(sandbox, client, [event["id"] for event in worst])
    rows = dump_rows()
    forget_sales()
    deliver_events(sandbox, client, journey.event_ids())
    assert rows == dump_rows()
