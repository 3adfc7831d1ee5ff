"""Stored webhooks are processed, postponed, replayed and found by the sweep."""

import json
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from campaigns import jobs, settlement, webhooks
from campaigns.models import Campaign, Checkout, Membership, Payment, StripeEvent, Tally
from campaigns.models.due import LEASE
from newsroom.sandbox.control import SandboxControl
from tests.conftest import deliver_events
from tests.support.due import list_due_events
from tests.support.factories import at, make_member
from tests.support.sales import place_order
from tests.support.webhooks import completed_event_id, make_event, post

pytestmark = pytest.mark.both_databases


def make_due(event_id: str) -> None:
    StripeEvent.objects.filter(event_id=event_id).update(due_at=timezone.now())


@pytest.fixture
def paid(campaign: Campaign, sandbox: SandboxControl) -> Checkout:
    """Sell a yearly membership; no event has arrived yet."""
    checkout = place_order(campaign)
    sandbox.pay(str(checkout.session_id), card="4242424242424242")
    return checkout


# Processing


def test_an_event_of_an_unknown_type_is_stored_and_ignored(
    client: Client, sandbox: SandboxControl, campaign: Campaign
) -> None:
    named = {"object": "climate.order", "id": "climorder_1"}
    event = make_event(type="climate.order.created", data={"object": named})
    assert post(client, json.dumps(event)).status_code == 200
    assert webhooks.work_on_event("evt_1") is None
    stored = StripeEvent.objects.get()
    assert (stored.status, stored.error, stored.due_at) == ("ignored", "", None)


def test_an_object_of_another_account_is_ignored_with_the_reason(
    client: Client, sandbox: SandboxControl, campaign: Campaign
) -> None:
    post(client, json.dumps(make_event()))
    webhooks.work_on_event("evt_1")
    stored = StripeEvent.objects.get()
    assert (stored.status, stored.due_at) == ("ignored", None)
    assert stored.reason == StripeEvent.Reason.NOT_AT_STRIPE


def test_a_sale_that_is_not_ours_is_ignored(
    client: Client, sandbox: SandboxControl, paid: Checkout
) -> None:
    Checkout.objects.filter(pk=paid.pk).delete()
    deliver_events(sandbox, client, [event["id"] for event in sandbox.events()])
    assert set(StripeEvent.objects.values_list("status", flat=True)) == {"ignored"}
    assert not Payment.objects.exists()


def test_a_redelivered_event_changes_nothing(
    client: Client, sandbox: SandboxControl, paid: Checkout
) -> None:
    event_id = completed_event_id(sandbox)
    deliver_events(sandbox, client, [event_id])
    models = (StripeEvent, Checkout, Payment, Membership, Tally)
    before = [list(model.objects.values()) for model in models]
    body, header = sandbox.sign_event(event_id)
    for _ in range(3):
        assert post(client, body, header).status_code == 200
        assert webhooks.work_on_event(event_id) is None
    assert [list(model.objects.values()) for model in models] == before
    assert StripeEvent.objects.get().attempts == 1
    assert Tally.objects.count() == 1


def test_a_failed_event_keeps_its_error_and_waits_longer_each_time(
    client: Client, sandbox: SandboxControl, paid: Checkout
) -> None:
    sandbox.add_fault("api", match="GET /v1/checkout/sessions", kind="error", times=-1)
    event_id = completed_event_id(sandbox)
    post(client, *sandbox.sign_event(event_id))
    pauses = []
    for attempt in (1, 2, 3):
        make_due(event_id)
        before = timezone.now()
        webhooks.work_on_event(event_id)
        stored = StripeEvent.objects.get()
        assert (stored.status, stored.attempts) == ("failed", attempt)
        assert "StripeFailed" in stored.error
        assert stored.due_at is not None
        pauses.append(stored.due_at - before)
        assert event_id not in list_due_events(at=before)
        assert webhooks.work_on_event(event_id) is None  # not due yet
        assert event_id in list_due_events(at=stored.due_at)
    assert pauses[0] >= timedelta(seconds=2)
    assert pauses[1] >= timedelta(seconds=4)
    assert pauses[2] >= timedelta(seconds=8)
    StripeEvent.objects.update(attempts=4000)
    make_due(event_id)
    webhooks.work_on_event(event_id)
    longest = StripeEvent.objects.get().due_at
    assert longest is not None
    assert longest - timezone.now() <= timedelta(hours=1)


def test_a_failed_event_succeeds_once_stripe_is_back(
    client: Client, sandbox: SandboxControl, paid: Checkout, settings: LazySettings
) -> None:
    event_id = completed_event_id(sandbox)
    post(client, *sandbox.sign_event(event_id))
    there = settings.STRIPE_API_BASE
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    assert webhooks.work_on_event(event_id) is None
    stored = StripeEvent.objects.get()
    assert stored.status == StripeEvent.Status.FAILED
    assert "StripeUnavailable" in stored.error
    assert not Payment.objects.exists()
    settings.STRIPE_API_BASE = there
    make_due(event_id)
    assert webhooks.work_on_event(event_id) == paid.pk
    stored.refresh_from_db()
    assert (stored.status, stored.error, stored.due_at) == ("done", "", None)
    assert Tally.objects.count() == 1


def test_an_event_whose_worker_died_is_due_again_when_its_lease_is_over(
    client: Client, sandbox: SandboxControl, paid: Checkout
) -> None:
    event_id = completed_event_id(sandbox)
    post(client, *sandbox.sign_event(event_id))
    now = timezone.now()
    # The state after a worker claimed the event and was killed.
    StripeEvent.objects.update(due_at=now + LEASE, attempts=1)
    assert webhooks.work_on_event(event_id) is None
    assert list_due_events(at=now) == []
    assert list_due_events(at=now + timedelta(seconds=45)) == [event_id]


def test_a_worker_whose_lease_ran_out_does_not_close_the_event(
    client: Client, sandbox: SandboxControl, paid: Checkout
) -> None:
    event_id = completed_event_id(sandbox)
    post(client, *sandbox.sign_event(event_id))
    late = StripeEvent.objects.get()
    late.attempts = 1
    StripeEvent.objects.update(attempts=2)  # another attempt has started
    webhooks._close(late, settlement.Found(reason=StripeEvent.Reason.NO_CHECKOUT))
    webhooks._postpone(late, ValueError("too late"))
    assert list(StripeEvent.objects.values_list("status", "error")) == [("new", "")]


def test_a_replayed_event_is_processed_again(
    client: Client, sandbox: SandboxControl, paid: Checkout
) -> None:
    event_id = completed_event_id(sandbox)
    deliver_events(sandbox, client, [event_id])
    Tally.objects.all().delete()
    assert webhooks.replay_events([event_id, "evt_unknown"]) == 1
    assert webhooks.replay_events([event_id]) == 0  # already due
    assert webhooks.work_on_event(event_id) == paid.pk
    stored = StripeEvent.objects.get()
    assert (stored.status, stored.attempts) == ("done", 2)
    assert Tally.objects.count() == 1


def test_an_event_that_arrives_before_the_session_is_saved_finds_its_checkout(
    client: Client, sandbox: SandboxControl, paid: Checkout
) -> None:
    # As if the process had died between Stripe's answer and saving it.
    session_id = paid.session_id
    Checkout.objects.update(status="starting", session_id=None, session_url="", due_at=None)
    deliver_events(sandbox, client, [completed_event_id(sandbox)])
    checkout = Checkout.objects.get()
    assert (checkout.status, checkout.session_id) == ("paid", session_id)
    assert Tally.objects.count() == 1


# The sweep


def test_the_sweep_processes_events_without_a_message(
    client: Client, sandbox: SandboxControl, paid: Checkout
) -> None:
    post(client, *sandbox.sign_event(completed_event_id(sandbox)))
    jobs.run_due_jobs()
    assert StripeEvent.objects.get().status == StripeEvent.Status.DONE
    assert Tally.objects.count() == 1


def test_a_checkout_that_cannot_be_settled_does_not_stop_others(
    sandbox: SandboxControl, campaign: Campaign
) -> None:
    broken, whole = place_order(campaign), place_order(campaign, email="ben@example.org")
    for checkout in (broken, whole):
        sandbox.pay(str(checkout.session_id), card="4242424242424242")
    # A subscription entered by hand has taken the row that this one needs.
    invoice = sandbox.events("invoice.paid")[0]["data"]["object"]
    Membership.objects.create(
        member=make_member(),
        source=Membership.Source.SUBSCRIPTION,
        started_at=at("2026-11-10 12:00"),
        subscription_id=invoice["parent"]["subscription_details"]["subscription"],
    )
    now = timezone.now()
    Checkout.objects.filter(pk=broken.pk).update(due_at=now - timedelta(seconds=2))
    Checkout.objects.filter(pk=whole.pk).update(due_at=now - timedelta(seconds=1))
    jobs.run_due_jobs()
    whole.refresh_from_db()
    assert whole.status == Checkout.Status.PAID
    broken.refresh_from_db()
    assert broken.due_at is not None
    assert broken.due_at > now
