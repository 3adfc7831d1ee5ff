"""Stored events are replayed by a command, and stripped when they are old."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from campaigns import jobs, webhooks
from campaigns.models import Campaign, Payment, StripeEvent
from campaigns.models.due import LEASE
from newsroom.sandbox.control import SandboxControl
from tests.conftest import deliver_events
from tests.support.due import list_due_events
from tests.support.factories import at
from tests.support.sales import place_order
from tests.support.staff import store_event

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

HOURS = timedelta(hours=1)


def replay(*arguments: str, stderr: io.StringIO | None = None) -> str:
    out = io.StringIO()
    call_command("replay_stripe_events", *arguments, stdout=out, stderr=stderr or io.StringIO())
    return out.getvalue()


def due() -> set[str]:
    return set(list_due_events(at=timezone.now()))


def make_old(event_id: str = "evt_old", *, days: int = 401, **changes: Any) -> StripeEvent:
    received_at = timezone.now() - timedelta(days=days)
    return store_event(event_id, received_at=received_at, **changes)


# The command


@pytest.fixture
def some() -> None:
    """Store three processed events and one that failed."""
    store_event("evt_1", type="charge.succeeded", received_at=at("2026-11-08 12:00"))
    store_event("evt_2", type="invoice.paid", status="done", received_at=at("2026-11-09 12:00"))
    store_event("evt_3", type="invoice.paid", received_at=at("2026-11-10 00:00"))
    store_event(
        "evt_4",
        type="invoice.paid",
        status="failed",
        error="StripeUnreachable: no answer",
        due_at=timezone.now() + HOURS,
        received_at=at("2026-11-11 12:00"),
    )


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("evt_1 evt_3", "evt_1 evt_3"),
        ("--type invoice.paid", "evt_2 evt_3 evt_4"),
        ("--since 2026-11-10", "evt_3 evt_4"),
        ("--since 2026-11-10T02:00:00+02:00 --status ignored", "evt_3"),
        ("--since 2026-11-10T00:00:01", "evt_4"),
        ("--status failed", "evt_4"),
        ("--type refund.created", ""),
    ],
)
def test_the_chosen_events_are_due_again_and_no_others(chosen: str, expected: str) -> None:
    wanted = set(expected.split())
    assert f"{len(wanted)} of {len(wanted)} chosen events are due again" in replay(*chosen.split())
    assert due() == wanted


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ([], "Choose events with"),
        (["--now"], "Choose events with"),
        (["evt_1", "evt_none"], "These events are not stored: evt_none"),
        (["--since", "yesterday"], "'yesterday' is not a date"),
        (["--status", "lost"], "invalid choice"),
    ],
)
def test_a_filter_without_matches_makes_no_event_due(chosen: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        replay(*chosen)
    assert due() == set()


def test_an_event_that_is_being_processed_is_left_alone() -> None:
    leased_until = timezone.now() + LEASE
    store_event("evt_1", status="failed", attempts=3, due_at=leased_until)
    assert "1 already due or being processed." in replay("evt_1")
    assert StripeEvent.objects.get().due_at == leased_until


def test_chosen_events_can_be_processed_at_once(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    checkout = place_order(campaign)
    sandbox.pay(str(checkout.session_id), card="4242424242424242")
    store_event("evt_1", object_type="checkout.session", object_id=checkout.session_id)
    store_event("evt_2", object_type="customer", object_id="cus_of_nobody")
    output = replay("--status", "ignored", "--now")
    assert output == "2 of 2 chosen events are due again.\n1 done, 1 ignored\n"
    assert Payment.objects.get().status == "succeeded"
    assert StripeEvent.objects.get(event_id="evt_1").status == "done"


def test_a_repeated_failure_is_reported_and_retried(
    sandbox: SandboxControl, settings: LazySettings
) -> None:
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    store_event("evt_1", object_type="charge", object_id="ch_1", type="charge.succeeded")
    errors = io.StringIO()
    with pytest.raises(CommandError, match="Some events failed"):
        replay("evt_1", "--now", stderr=errors)
    assert "evt_1 (charge.succeeded): " in errors.getvalue()
    event = StripeEvent.objects.get()
    assert event.status == "failed"
    assert event.due_at is not None


# Retention


def test_an_old_event_keeps_only_ids_and_its_time() -> None:
    event = make_old(object_type="charge", object_id="ch_1", type="charge.succeeded")
    jobs.run_due_jobs()
    event.refresh_from_db()
    assert event.stripped_at is not None
    assert json.loads(event.payload) == {
        "id": "evt_old",
        "object": "event",
        "type": "charge.succeeded",
        "created": 1_794_312_000,
        "livemode": False,
        "data": {"object": {"object": "charge", "id": "ch_1"}},
    }


def test_an_old_event_without_an_object_keeps_its_own_id() -> None:
    event = make_old(object_type="", object_id="")
    jobs.run_due_jobs()
    event.refresh_from_db()
    assert json.loads(event.payload)["data"] == {"object": {}}


@pytest.mark.parametrize(
    ("changes", "is_stripped"),
    [
        ({"days": 399}, False),
        ({"days": 401}, True),
        ({"status": "done"}, True),
        ({"status": "failed", "due_at": at("2100-01-01 00:00")}, False),
        ({"status": "new", "due_at": at("2100-01-01 00:00")}, False),
    ],
    ids=["younger", "older", "done", "failed", "new"],
)
def test_only_old_and_processed_events_are_stripped(
    changes: dict[str, Any], is_stripped: bool
) -> None:
    event = make_old(**changes)
    before = event.payload
    jobs.run_due_jobs()
    event.refresh_from_db()
    assert (event.payload != before) == is_stripped
    assert (event.stripped_at is not None) == is_stripped


def test_without_a_retention_time_nothing_is_stripped(settings: LazySettings) -> None:
    settings.EVENT_RETENTION_DAYS = 0
    make_old(days=5000)
    jobs.run_due_jobs()
    assert StripeEvent.objects.get().stripped_at is None


def list_old() -> list[int]:
    old = webhooks.select_old_events(at=timezone.now())
    return list(old.values_list("pk", flat=True)[:2])


def test_events_are_stripped_in_turns_oldest_first() -> None:
    events = [make_old(f"evt_{number}", days=500 + number) for number in range(3)]
    now = timezone.now()
    assert list_old() == [events[2].pk, events[1].pk]
    for pk in list_old():
        webhooks.strip_event(pk, at=now)
    assert list_old() == [events[0].pk]
    webhooks.strip_event(events[2].pk, at=now + HOURS)  # once only
    events[2].refresh_from_db()
    assert events[2].stripped_at == now


def test_a_stripped_event_can_be_replayed(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    checkout = place_order(campaign)
    sandbox.pay(str(checkout.session_id), card="4242424242424242")
    event_id = str(sandbox.events("checkout.session.completed")[-1]["id"])
    deliver_events(sandbox, client, [event_id])
    assert "ada@example.org" in StripeEvent.objects.get().payload
    Payment.objects.update(amount_minor=1)  # a replay corrects it
    StripeEvent.objects.update(received_at=timezone.now() - timedelta(days=500))
    jobs.run_due_jobs()
    assert "ada@example.org" not in StripeEvent.objects.get().payload
    assert "1 done" in replay(event_id, "--now")
    assert Payment.objects.get().amount_minor == 6000
    # A repeated webhook changes nothing.
    deliver_events(sandbox, client, [event_id])
    assert "ada@example.org" not in StripeEvent.objects.get().payload
