"""Events about unknown objects: settled if they are ours, otherwise ignored with the reason."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from campaigns import settlement, stripe_api, webhooks
from campaigns.models import Campaign, Checkout, Dispute, Payment, Refund, StripeEvent
from campaigns.stripe_api.events import read_event
from newsroom.sandbox.control import SandboxControl
from tests.admin.conftest import editor  # noqa: F401 - a fixture
from tests.support.reconciliation import make_unrelated_charge, reconcile
from tests.support.sales import buy_without_settling
from tests.support.staff import admin_url, read_page

Reason = StripeEvent.Reason
LOST = "1e4fb81a-5a3a-4f4c-a4a7-5c0f4f6b3f11"


def store_and_process(object_type: str, object_id: str, event_id: str = "evt_1") -> StripeEvent:
    """Store and process an event that names the object."""
    event = {
        "id": event_id,
        "type": f"{object_type}.updated",
        "created": 1_794_312_000,
        "livemode": False,
        "data": {"object": {"object": object_type, "id": object_id}},
    }
    webhooks.store_fetched_event(read_event(event, payload=json.dumps(event)))
    webhooks.work_on_event(event_id)
    return StripeEvent.objects.get(event_id=event_id)


def ids_of(sandbox: SandboxControl) -> dict[str, str]:
    """Return the newest object of each type in Stripe's events."""
    return {
        event["data"]["object"]["object"]: event["data"]["object"]["id"]
        for event in sandbox.events()
    }


def remove_metadata(sandbox: SandboxControl) -> None:
    """Remove our metadata, as staff can in Stripe's dashboard."""
    v1, named, nothing = stripe_api.client().v1, ids_of(sandbox), {"metadata": {"checkout": ""}}
    ways: dict[str, Callable[[str, Any], object]] = {
        "checkout.session": v1.checkout.sessions.update,
        "payment_intent": v1.payment_intents.update,
        "charge": v1.charges.update,
        "subscription": v1.subscriptions.update,
    }
    for kind, update in ways.items():
        if kind in named:
            update(named[kind], nothing)


# Ours


@pytest.mark.parametrize("kind", ["gift", "year"])
def test_an_object_without_metadata_is_found_by_our_rows(
    campaign: Campaign, sandbox: SandboxControl, kind: str
) -> None:
    checkout = buy_without_settling(campaign, sandbox, kind)
    remove_metadata(sandbox)
    assert store_and_process("checkout.session", str(checkout.session_id)).status == "done"
    payment = Payment.objects.get()
    stripe_api.refund_payment(str(payment.intent_id), amount_minor=100, idempotency_key="part")
    sandbox.open_dispute(charge=payment.charge_id)
    named = ids_of(sandbox)
    for number, (object_type, object_id) in enumerate(named.items(), 2):
        found = settlement.find_checkout(object_type, object_id)
        if object_type in {"customer", "product", "price"}:
            assert found.reason == Reason.UNUSED_TYPE
            continue
        assert found.checkout_id == checkout.pk, object_type
        assert store_and_process(object_type, object_id, f"evt_{number}").status == "done"
    assert Refund.objects.count() == Dispute.objects.count() == 1


def test_a_charge_keeps_the_metadata_that_its_intent_lost(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    checkout = buy_without_settling(campaign, sandbox, "gift")
    named = ids_of(sandbox)
    stripe_api.client().v1.payment_intents.update(
        named["payment_intent"], {"metadata": {"checkout": ""}}
    )
    event = store_and_process("payment_intent", named["payment_intent"])
    assert (event.status, event.reason) == ("ignored", Reason.NO_CHECKOUT)
    assert store_and_process("charge", named["charge"], "evt_2").status == "done"
    assert Payment.objects.get().checkout == checkout
    # A replay settles what was ignored before.
    webhooks.replay_events(["evt_1"])
    webhooks.work_on_event("evt_1")
    event.refresh_from_db()
    assert (event.status, event.reason) == ("done", "")


@pytest.mark.parametrize("kind", ["refund", "dispute"])
def test_an_object_that_names_only_its_charge_is_found_by_it(
    campaign: Campaign, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    checkout = buy_without_settling(campaign, sandbox, "gift")
    charge_id = ids_of(sandbox)["charge"]
    if kind == "refund":
        stripe_api.client().v1.refunds.create({"charge": charge_id, "amount": 100})
    else:
        sandbox.open_dispute(charge=charge_id)
    fetch = getattr(stripe_api, f"fetch_{kind}")
    monkeypatch.setattr(
        stripe_api, f"fetch_{kind}", lambda object_id: replace(fetch(object_id), intent_id="")
    )
    assert store_and_process(kind, ids_of(sandbox)[kind]).status == "done"
    assert Payment.objects.get().checkout == checkout
    assert (Refund.objects.count(), Dispute.objects.count()) == (
        kind == "refund",
        kind == "dispute",
    )


# Not ours


@pytest.mark.parametrize(
    ("object_type", "object_id", "reason"),
    [
        ("charge", "ch_of_none", Reason.NOT_AT_STRIPE),
        ("subscription", "sub_of_none", Reason.NOT_AT_STRIPE),
        ("product", "plan_member", Reason.UNUSED_TYPE),
        ("", "", Reason.UNUSED_TYPE),
    ],
)
def test_an_event_that_is_not_ours_is_stored_with_the_reason(
    campaign: Campaign, sandbox: SandboxControl, object_type: str, object_id: str, reason: Reason
) -> None:
    if not object_type:
        raw = {"id": "evt_1", "type": "a.b", "created": 1_794_312_000, "livemode": False}
        webhooks.store_fetched_event(read_event(raw, payload=json.dumps(raw)))
        webhooks.work_on_event("evt_1")
        event = StripeEvent.objects.get()
    else:
        event = store_and_process(object_type, object_id)
    assert (event.status, event.reason, event.error) == ("ignored", reason, "")
    assert object_id in event.payload


@pytest.mark.parametrize(
    ("mark", "reason"), [({}, Reason.NO_CHECKOUT), ({"checkout": LOST}, Reason.LOST_CHECKOUT)]
)
def test_another_sellers_charge_is_not_ours_and_a_lost_checkout_is_reported(
    campaign: Campaign, sandbox: SandboxControl, mark: dict[str, str], reason: Reason
) -> None:
    make_unrelated_charge(sandbox, **mark)
    named = ids_of(sandbox)
    stripe_api.client().v1.refunds.create({"charge": named["charge"], "amount": 100})
    sandbox.open_dispute(charge=named["charge"])
    named = ids_of(sandbox)
    for kind in ("payment_intent", "charge", "refund", "dispute"):
        event = store_and_process(kind, named[kind], f"evt_{kind}")
        assert (event.status, event.reason) == ("ignored", reason), kind
    assert not Payment.objects.exists()
    code, output = reconcile("--since", "2026-11-01")
    if reason == Reason.NO_CHECKOUT:
        assert "not ours: without one of our Checkouts, left out below: 3" in output
        assert code == 0
    else:
        assert "still missing here: 3" in output
        assert "it belongs to a Checkout that is missing here" in output
        assert code == 1


def test_an_error_while_settling_does_not_make_an_object_not_ours(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    """Stripe doesn't have the session of our row: the event stays due."""
    checkout = buy_without_settling(campaign, sandbox, "gift")
    Checkout.objects.filter(pk=checkout.pk).update(session_id="cs_of_another_account")
    event = store_and_process("charge", ids_of(sandbox)["charge"])
    assert event.status == "failed"
    assert event.due_at is not None
    assert "cs_of_another_account" in event.error


# The inbox


def test_the_inbox_shows_and_filters_by_the_reason(
    campaign: Campaign,
    sandbox: SandboxControl,
    client: Client,
    editor: User,  # noqa: F811
) -> None:
    store_and_process("charge", "ch_of_none")
    make_unrelated_charge(sandbox, checkout=LOST)
    lost = store_and_process("charge", ids_of(sandbox)["charge"], "evt_2")
    listed = read_page(client.get(admin_url(StripeEvent, "changelist")))
    assert "Stripe doesn’t have the object" in listed
    assert "it belongs to a Checkout that is missing here" in listed
    narrowed = client.get(admin_url(StripeEvent, "changelist"), {"reason__exact": lost.reason})
    assert narrowed.context["cl"].row_count == 1
    front = read_page(client.get("/admin/"))
    assert f"{admin_url(StripeEvent, 'changelist')}?needs=lost-checkout" in front
    waiting = client.get(admin_url(StripeEvent, "changelist"), {"needs": "lost-checkout"})
    assert [event.pk for event in waiting.context["cl"].queryset] == [lost.pk]
    assert json.loads(lost.payload)["data"]["object"]["object"] == "charge"
