"""All event types that we subscribe to, and their effects."""

import json
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from campaigns import settlement, stripe_api, webhooks
from campaigns.management.commands.stripe_setup import EVENTS
from campaigns.models import Campaign, Checkout, Membership, Payment, Refund, StripeEvent, Tally
from newsroom.sandbox.control import SandboxControl
from tests.support.sales import place_order
from tests.support.webhooks import make_event, post

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "tests" / "data" / "stripe-openapi.json").read_text())
# Prefixes of event types and the objects that they name; the longest prefix applies.
OBJECTS = {
    "checkout.session.": "checkout.session",
    "customer.subscription.": "subscription",
    "invoice.": "invoice",
    "invoice_payment.": "invoice_payment",
    "payment_intent.": "payment_intent",
    "charge.": "charge",
    "charge.dispute.": "dispute",
    "charge.refund.": "refund",
    "refund.": "refund",
}
# Types that change no row of ours, or come together with one that we subscribe to.
LEFT_OUT = {
    *("charge.captured", "charge.expired", "charge.pending", "charge.refund.updated"),
    *("customer.subscription.pending_update_applied", "customer.subscription.trial_will_end"),
    "customer.subscription.pending_update_expired",
    *("invoice.created", "invoice.deleted", "invoice.finalization_failed", "invoice.finalized"),
    *("invoice.overdue", "invoice.overpaid", "invoice.payment_attempt_required", "invoice.sent"),
    *("invoice.payment_succeeded", "invoice.upcoming", "invoice.updated", "invoice.will_be_due"),
    *("payment_intent.amount_capturable_updated", "payment_intent.created"),
    *("payment_intent.partially_funded", "payment_intent.requires_action"),
}
Named = dict[str, str]


def object_of(event_type: str) -> str:
    return OBJECTS[max((prefix for prefix in OBJECTS if event_type.startswith(prefix)), key=len)]


@pytest.fixture
def sale(campaign: Campaign, sandbox: SandboxControl) -> Checkout:
    """Sell a yearly membership, partly refunded, then disputed; no event has arrived."""
    checkout = place_order(campaign)
    sandbox.pay(str(checkout.session_id), card="4242424242424242")
    intent = sandbox.events("payment_intent.succeeded")[0]["data"]["object"]["id"]
    stripe_api.client().v1.refunds.create({"payment_intent": intent, "amount": 1500})
    sandbox.open_dispute(payment_intent=intent)
    return checkout


@pytest.fixture
def named(sale: Checkout, sandbox: SandboxControl) -> Named:
    """Return the id of each object of the sale by its type."""
    return {
        event["data"]["object"]["object"]: event["data"]["object"]["id"]
        for event in sandbox.events()
    }


def deliver(client: Client, event_type: str, **changes: Any) -> StripeEvent:
    """Send an event to the endpoint, then process it."""
    event = make_event(type=event_type, **changes)
    assert post(client, json.dumps(event)).status_code == 200
    webhooks.work_on_event(event["id"])
    return StripeEvent.objects.get(event_id=event["id"])


def walk(client: Client, name: Any) -> dict[str, tuple[str, str]]:
    """Deliver an event of each type, whose `data.object` is made by `name`. Return the rows."""
    became = {}
    for number, event_type in enumerate(EVENTS):
        data = {"object": name(object_of(event_type))}
        row = deliver(client, event_type, id=f"evt_{number}", data=data)
        became[event_type] = (row.status, row.error)
    return became


def test_every_event_type_of_our_objects_is_subscribed_or_listed_as_unused() -> None:
    endpoint = SCHEMA["paths"]["/v1/webhook_endpoints"]["post"]["requestBody"]["content"]
    schema = endpoint["application/x-www-form-urlencoded"]["schema"]
    known = schema["properties"]["enabled_events"]["items"]["enum"]
    ours = {name for name in known if name.startswith(tuple(OBJECTS))}
    assert len(EVENTS) == len(set(EVENTS))
    assert set(EVENTS) == ours - LEFT_OUT
    assert ours >= LEFT_OUT


def test_every_event_type_settles_its_sale(client: Client, sale: Checkout, named: Named) -> None:
    for number, event_type in enumerate(EVENTS):
        version = Checkout.objects.get().version
        kind = object_of(event_type)
        data = {"object": {"object": kind, "id": named[kind]}}
        row = deliver(client, event_type, id=f"evt_{number}", data=data)
        assert (row.status, row.error) == ("done", ""), event_type
        assert Checkout.objects.get().version == version + 1, event_type
    assert Payment.objects.get().disputes.count() == Refund.objects.count() == 1
    assert Membership.objects.count() == Tally.objects.count() == 1


def test_an_event_about_an_unknown_object_is_stored_and_ignored_with_the_reason(
    client: Client, campaign: Campaign
) -> None:
    became = walk(client, lambda kind: {"object": kind, "id": f"{kind.replace('.', '_')}_of_none"})
    assert set(became.values()) == {("ignored", "")}
    reasons = StripeEvent.objects.values_list("reason", flat=True)
    assert list(reasons) == [StripeEvent.Reason.NOT_AT_STRIPE] * len(EVENTS)


def test_an_ignored_event_is_settled_when_it_is_replayed(
    client: Client, sandbox: SandboxControl, sale: Checkout, named: Named
) -> None:
    session_id = str(sale.session_id)
    Checkout.objects.update(session_id=None, status="starting")
    data = {"object": {"object": "charge", "id": named["charge"]}}
    assert deliver(client, "charge.succeeded", data=data).status == "done"
    assert not Payment.objects.exists()  # the session is not saved yet
    data = {"object": {"object": "checkout.session", "id": session_id}}
    deliver(client, "checkout.session.completed", id="evt_2", data=data)
    assert Payment.objects.get().charge_id == named["charge"]


def test_payloads_of_an_older_api_version_work(
    client: Client, sale: Checkout, named: Named
) -> None:
    """A payload is only read for the object that it names."""

    def as_in_2016(kind: str) -> dict[str, Any]:
        return {
            "object": kind,
            "id": named[kind],
            "amount": "9999.99",
            "status": "paid",
            "paid": True,
            "charge": {"id": "ch_another", "refunds": None},
            "subscription": "sub_another",
            "payment_intent": None,
            "metadata": [],
            "lines": {"data": [{"plan": {"id": "gold"}}]},
        }

    assert set(walk(client, as_in_2016).values()) == {("done", "")}
    payment = Payment.objects.get()
    assert (payment.amount_minor, payment.status) == (6000, "succeeded")


def test_an_event_with_only_a_reference_works_like_a_full_one(
    client: Client, sale: Checkout, named: Named
) -> None:
    became = walk(client, lambda kind: {"object": kind, "id": named[kind]})
    assert set(became.values()) == {("done", "")}
    assert settlement.find_checkout("charge", named["charge"]).checkout_id == sale.pk


@pytest.mark.parametrize("time", [1_794_312_000, "2026-11-10T12:00:00.000Z"])
@pytest.mark.django_db
def test_a_thin_event_changes_nothing(client: Client, sandbox: SandboxControl, time: Any) -> None:
    """https://docs.stripe.com/event-destinations: no data, and the time in words."""
    event = {
        "id": "evt_1",
        "object": "v2.core.event",
        "type": "v1.charge.succeeded",
        "created": time,
        "livemode": False,
        "related_object": {"id": "ch_1", "type": "charge", "url": "/v1/charges/ch_1"},
    }
    answer = post(client, json.dumps(event))
    if isinstance(time, str):
        assert (answer.status_code, StripeEvent.objects.count()) == (400, 0)
        return
    assert answer.status_code == 200
    assert webhooks.work_on_event("evt_1") is None
    assert StripeEvent.objects.get().status == "ignored"
    assert not Payment.objects.exists()


def test_the_operations_page_lists_every_event_and_no_other() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    section = page[page.index("## Webhook events") : page.index("## Reconcile with Stripe")]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    listed = {name for row in rows for name in re.findall(r"`([a-z_.*]+)`", row)}
    assert [event for event in EVENTS if not any(fnmatch(event, name) for name in listed)] == []
    assert [name for name in listed if not any(fnmatch(event, name) for event in EVENTS)] == []
