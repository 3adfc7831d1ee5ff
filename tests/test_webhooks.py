"""The webhook's door and what becomes of what came through it."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone
from stripe import WebhookSignature

from campaigns import tasks, webhooks
from campaigns.models import Campaign, Checkout, Membership, Payment, StripeEvent, Tally
from newsroom.sandbox.control import SandboxControl
from tests.conftest import WEBHOOK_SECRET, deliver_events
from tests.factories import at, make_member
from tests.test_settlement import order_membership

DAY = 86_400
DOOR = "/stripe/webhook/"


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
    """Knock at the door; signed rightly unless a header is given."""
    if header is None:
        assert isinstance(body, str)
        header = sign(body)
    return client.post(
        DOOR, data=body, content_type="application/json", headers={"Stripe-Signature": header}
    )


def make_due(event_id: str) -> None:
    StripeEvent.objects.filter(event_id=event_id).update(next_attempt_at=timezone.now())


@pytest.fixture
def paid(drive: Campaign, sandbox: SandboxControl) -> Checkout:
    """A yearly membership paid at Stripe, of which no event has reached us yet."""
    checkout = order_membership(drive)
    sandbox.pay(str(checkout.session_id), card="4242424242424242")
    return checkout


def completed_event(sandbox: SandboxControl) -> str:
    return str(sandbox.events("checkout.session.completed")[-1]["id"])


# The door


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1,v1=",
        "v1=00",
        "t=soon,v1=00",
        "t=99999999999999999999999,v1=00",
        "nonsense",
        "t=1,v1=Кур'єр",
        "t=1794312000,v1=\xff",
        ",,,=,=",
    ],
)
@pytest.mark.django_db
def test_an_unsigned_webhook_is_refused_and_not_stored(
    client: Client, sandbox: SandboxControl, header: str
) -> None:
    response = client.post(
        DOOR,
        data=json.dumps(make_event()),
        content_type="application/json",
        headers={"Stripe-Signature": header},
    )
    assert response.status_code == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.django_db
def test_a_webhook_without_the_header_is_refused(client: Client, sandbox: SandboxControl) -> None:
    body = json.dumps(make_event())
    assert client.post(DOOR, data=body, content_type="application/json").status_code == 400
    assert client.get(DOOR).status_code == 405
    assert not StripeEvent.objects.exists()


@pytest.mark.django_db
def test_a_right_signature_with_letters_beyond_ascii_is_refused_not_a_fault(
    client: Client, sandbox: SandboxControl
) -> None:
    header = f"t={int(time.time())},v1=é"
    assert post(client, json.dumps(make_event()), header).status_code == 400


@pytest.mark.django_db
def test_a_tampered_webhook_is_refused_and_not_stored(
    client: Client, sandbox: SandboxControl
) -> None:
    body = json.dumps(make_event())
    assert post(client, body.replace("evt_1", "evt_2"), sign(body)).status_code == 400
    assert post(client, body, sign(body, secret="whsec_of_somebody_else")).status_code == 400
    assert not StripeEvent.objects.exists()
    assert post(client, body, sign(body)).status_code == 200


@pytest.mark.django_db
def test_a_webhook_is_stale_after_300_seconds(client: Client, sandbox: SandboxControl) -> None:
    body = json.dumps(make_event())
    assert post(client, body, sign(body, age=305)).status_code == 400
    assert not StripeEvent.objects.exists()
    assert post(client, body, sign(body, age=290)).status_code == 200


@pytest.mark.parametrize(("key", "livemode"), [("sk_test_ours", True), ("sk_live_ours", False)])
@pytest.mark.django_db
def test_a_webhook_of_the_other_mode_is_refused(
    client: Client, sandbox: SandboxControl, settings: LazySettings, key: str, livemode: bool
) -> None:
    settings.STRIPE_SECRET_KEY = key
    assert post(client, json.dumps(make_event(livemode=livemode))).status_code == 400
    assert not StripeEvent.objects.exists()
    assert post(client, json.dumps(make_event(livemode=not livemode))).status_code == 200
    assert StripeEvent.objects.get().is_live is not livemode


@pytest.mark.django_db
def test_each_of_two_secrets_will_do_while_one_is_being_changed(
    client: Client, sandbox: SandboxControl, settings: LazySettings
) -> None:
    settings.STRIPE_WEBHOOK_SECRET = ["whsec_new", "whsec_old"]
    for number, secret in enumerate(settings.STRIPE_WEBHOOK_SECRET):
        body = json.dumps(make_event(id=f"evt_{number}"))
        assert post(client, body, sign(body, secret=secret)).status_code == 200
    assert StripeEvent.objects.count() == 2


def _without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in make_event().items() if name not in names}


def _about(named: object) -> dict[str, Any]:
    return make_event(data={"object": named})


ODD = {
    "no type": json.dumps(_without("type")),
    "no id": json.dumps(_without("id")),
    "no data": json.dumps(_without("data")),
    "no time": json.dumps(_without("created")),
    "no mode": json.dumps(_without("livemode")),
    "a type that is a number": json.dumps(make_event(type=7)),
    "an unknown type with odd letters": json.dumps(make_event(type="Ґ.ґ")),
    "a type of 400 letters": json.dumps(make_event(type="a" * 400)),
    "an id of 400 letters": json.dumps(make_event(id="evt_" + "1" * 396)),
    "an id that is a list": json.dumps(make_event(id=["evt_1"])),
    "an id with a NUL": json.dumps(make_event(id="evt_\0")),
    "an id with a line break": json.dumps(make_event(id="evt_1\n")),
    "a time that is text": json.dumps(make_event(created="yesterday")),
    "a time before the epoch": json.dumps(make_event(created=-5)),
    "a time that is true": json.dumps(make_event(created=True)),
    "a time with a fraction": json.dumps(make_event(created=1.5)),
    "a time beyond all years": json.dumps(make_event(created=10**12 - 1)),
    "a time of a hundred digits": json.dumps(make_event(created=10**100)),
    "a time of ten thousand digits": '{"id": "evt_1", "created": ' + "9" * 10_000 + "}",
    "a time that is no number": '{"id": "evt_1", "created": NaN}',
    "100,000 lists in each other": "[" * 100_000 + "]" * 100_000,
    "100,000 objects in each other": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "an event with a deep inside": json.dumps(make_event(deep=0)).replace(
        '"deep": 0', '"deep": ' + "[" * 900 + "]" * 900
    ),
    "3 MB": json.dumps(make_event(filling="a" * 3_000_000)),
    "1.5 MB": json.dumps(make_event(filling="a" * 1_500_000)),
    "no JSON": "We are still waiting for your bank",
    "nothing": "",
    "a list": json.dumps([make_event()]),
    "a number": "7",
    "null": "null",
    "a NUL in the object's id": json.dumps(_about({"object": "charge", "id": "ch_\0"})),
    "a NUL in the object's type": json.dumps(_about({"object": "\0", "id": "ch_1"})),
    "a NUL elsewhere": json.dumps(make_event(note="a\0b")),
    "a NUL in a name": json.dumps(make_event() | {"a\0b": 1}),
    "half a letter in the object's id": json.dumps(_about({"object": "charge", "id": "\ud800"})),
    "half a letter in the object's type": json.dumps(_about({"object": "\ud800", "id": "ch"})),
    "half a letter elsewhere": json.dumps(make_event(note="\ud800")),
    "an object that is text": json.dumps(_about("charge")),
    "an object without an id": json.dumps(_about({"object": "charge"})),
    "an object with an empty id": json.dumps(_about({"object": "charge", "id": ""})),
    "a session with an empty id": json.dumps(_about({"object": "checkout.session", "id": ""})),
    "an object whose id leads elsewhere": json.dumps(
        _about({"object": "charge", "id": "../customers?limit=1#"})
    ),
    "an object with a long id": json.dumps(_about({"object": "charge", "id": "c" * 5000})),
    "data that is a list": json.dumps(make_event(data=[1, 2])),
    "a name twice": '{"id": "evt_0", ' + json.dumps(make_event())[1:],
}


@pytest.mark.parametrize("odd", ODD)
def test_a_signed_but_odd_webhook_is_stored_or_refused_and_breaks_no_worker(
    drive: Campaign, client: Client, sandbox: SandboxControl, odd: str
) -> None:
    response = post(client, ODD[odd])
    stored = StripeEvent.objects.count()
    assert (response.status_code, stored) in {(200, 1), (400, 0), (413, 0)}
    # Whatever was stored, the next sweep takes it and what comes after it.
    checkout = order_membership(drive)
    sandbox.pay(str(checkout.session_id), card="4242424242424242")
    body, header = sandbox.signed(completed_event(sandbox))
    assert post(client, body, header).status_code == 200
    for event_id in webhooks.due_event_ids(at=timezone.now()):
        webhooks.work_on_event(event_id)
    assert StripeEvent.objects.count() == stored + 1
    assert not StripeEvent.objects.filter(status=StripeEvent.Status.NEW).exists()
    assert Tally.objects.count() == 1


@pytest.mark.django_db
def test_a_webhook_that_is_no_utf_8_is_refused(client: Client, sandbox: SandboxControl) -> None:
    body = json.dumps(make_event()).encode()[:-1] + b', "note": "\xff"}'
    header = sign(body.decode("latin-1"))
    assert post(client, body, header).status_code == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.django_db
def test_a_webhook_is_kept_to_the_letter(client: Client, sandbox: SandboxControl) -> None:
    body = json.dumps(make_event(note="Київ \0 \ud800"), ensure_ascii=True, indent=3)
    post(client, body)
    assert StripeEvent.objects.get().payload == body


# Working on them


def test_an_event_of_an_unknown_type_is_stored_and_ignored(
    client: Client, sandbox: SandboxControl, drive: Campaign
) -> None:
    named = {"object": "climate.order", "id": "climorder_1"}
    event = make_event(type="climate.order.created", data={"object": named})
    assert post(client, json.dumps(event)).status_code == 200
    assert webhooks.work_on_event("evt_1") is None
    stored = StripeEvent.objects.get()
    assert (stored.status, stored.error, stored.next_attempt_at) == ("ignored", "", None)


def test_an_object_of_another_account_is_ignored_and_the_reason_kept(
    client: Client, sandbox: SandboxControl, drive: Campaign
) -> None:
    post(client, json.dumps(make_event()))
    webhooks.work_on_event("evt_1")
    stored = StripeEvent.objects.get()
    assert (stored.status, stored.next_attempt_at) == ("ignored", None)
    assert "ch_of_nobody" in stored.error


def test_a_sale_that_is_none_of_ours_is_ignored(
    client: Client, sandbox: SandboxControl, paid: Checkout
) -> None:
    Checkout.objects.filter(pk=paid.pk).delete()
    deliver_events(sandbox, client, [event["id"] for event in sandbox.events()])
    assert set(StripeEvent.objects.values_list("status", flat=True)) == {"ignored"}
    assert not Payment.objects.exists()


def test_a_redelivered_event_changes_nothing(
    client: Client, sandbox: SandboxControl, paid: Checkout
) -> None:
    event_id = completed_event(sandbox)
    deliver_events(sandbox, client, [event_id])
    models = (StripeEvent, Checkout, Payment, Membership, Tally)
    before = [list(model.objects.values()) for model in models]
    body, header = sandbox.signed(event_id)
    for _ in range(3):
        assert post(client, body, header).status_code == 200
        assert webhooks.work_on_event(event_id) is None
    assert [list(model.objects.values()) for model in models] == before
    assert StripeEvent.objects.get().attempts == 1
    assert Tally.objects.count() == 1


def test_an_event_that_fails_keeps_its_error_and_waits_longer_each_time(
    client: Client, sandbox: SandboxControl, paid: Checkout
) -> None:
    sandbox.add_fault("api", match="GET /v1/checkout/sessions", kind="error", times=-1)
    event_id = completed_event(sandbox)
    post(client, *sandbox.signed(event_id))
    pauses = []
    for attempt in (1, 2, 3):
        make_due(event_id)
        before = timezone.now()
        webhooks.work_on_event(event_id)
        stored = StripeEvent.objects.get()
        assert (stored.status, stored.attempts) == ("failed", attempt)
        assert "StripeFailed" in stored.error
        assert stored.next_attempt_at is not None
        pauses.append(stored.next_attempt_at - before)
        assert event_id not in webhooks.due_event_ids(at=before)
        assert webhooks.work_on_event(event_id) is None  # not before its time
        assert event_id in webhooks.due_event_ids(at=stored.next_attempt_at)
    assert pauses[0] >= timedelta(seconds=2)
    assert pauses[1] >= timedelta(seconds=4)
    assert pauses[2] >= timedelta(seconds=8)
    StripeEvent.objects.update(attempts=4000)
    make_due(event_id)
    webhooks.work_on_event(event_id)
    longest = StripeEvent.objects.get().next_attempt_at
    assert longest is not None
    assert longest - timezone.now() <= timedelta(hours=1)


def test_an_event_works_out_once_stripe_is_back(
    client: Client, sandbox: SandboxControl, paid: Checkout, settings: LazySettings
) -> None:
    event_id = completed_event(sandbox)
    post(client, *sandbox.signed(event_id))
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
    assert (stored.status, stored.error, stored.next_attempt_at) == ("done", "", None)
    assert Tally.objects.count() == 1


def test_an_event_whose_worker_died_is_due_again_when_its_lease_is_over(
    client: Client, sandbox: SandboxControl, paid: Checkout
) -> None:
    event_id = completed_event(sandbox)
    post(client, *sandbox.signed(event_id))
    now = timezone.now()
    # What the claim of a worker that was killed a moment later leaves behind.
    StripeEvent.objects.update(next_attempt_at=now + webhooks.LEASE, attempts=1)
    assert webhooks.work_on_event(event_id) is None
    assert webhooks.due_event_ids(at=now) == []
    assert webhooks.due_event_ids(at=now + timedelta(seconds=45)) == [event_id]


def test_a_worker_whose_lease_ran_out_leaves_the_event_to_the_next_one(
    client: Client, sandbox: SandboxControl, paid: Checkout
) -> None:
    event_id = completed_event(sandbox)
    post(client, *sandbox.signed(event_id))
    late = StripeEvent.objects.get()
    late.attempts = 1
    StripeEvent.objects.update(attempts=2)  # another attempt has begun meanwhile
    webhooks._close(late, StripeEvent.Status.IGNORED, error="too late")
    webhooks._put_off(late, ValueError("too late"))
    assert list(StripeEvent.objects.values_list("status", "error")) == [("new", "")]


def test_a_replayed_event_is_worked_on_again(
    client: Client, sandbox: SandboxControl, paid: Checkout
) -> None:
    event_id = completed_event(sandbox)
    deliver_events(sandbox, client, [event_id])
    Tally.objects.all().delete()
    assert webhooks.replay_events([event_id, "evt_unknown"]) == 1
    assert webhooks.replay_events([event_id]) == 0  # it is due already
    assert webhooks.work_on_event(event_id) == paid.pk
    stored = StripeEvent.objects.get()
    assert (stored.status, stored.attempts) == ("done", 2)
    assert Tally.objects.count() == 1


def test_an_event_that_came_before_our_note_of_the_session_finds_its_checkout(
    client: Client, sandbox: SandboxControl, paid: Checkout
) -> None:
    # As if we had died between Stripe's answer and our note of it.
    session_id = paid.session_id
    Checkout.objects.update(status="starting", session_id=None, session_url="", look_at=None)
    deliver_events(sandbox, client, [completed_event(sandbox)])
    checkout = Checkout.objects.get()
    assert (checkout.status, checkout.session_id) == ("paid", session_id)
    assert Tally.objects.count() == 1


# The sweep


def test_the_sweep_works_on_what_no_message_told_of(
    client: Client, sandbox: SandboxControl, paid: Checkout
) -> None:
    post(client, *sandbox.signed(completed_event(sandbox)))
    tasks.sweep()
    assert StripeEvent.objects.get().status == StripeEvent.Status.DONE
    assert Tally.objects.count() == 1


def test_a_checkout_that_cannot_be_settled_holds_up_no_other(
    sandbox: SandboxControl, drive: Campaign
) -> None:
    broken, whole = order_membership(drive), order_membership(drive, email="ben@example.org")
    for checkout in (broken, whole):
        sandbox.pay(str(checkout.session_id), card="4242424242424242")
    # A subscription that somebody entered by hand: the row that it needs is taken.
    invoice = sandbox.events("invoice.paid")[0]["data"]["object"]
    Membership.objects.create(
        member=make_member(),
        source=Membership.Source.SUBSCRIPTION,
        started_at=at("2026-11-10 12:00"),
        subscription_id=invoice["parent"]["subscription_details"]["subscription"],
    )
    now = timezone.now()
    Checkout.objects.filter(pk=broken.pk).update(look_at=now - timedelta(seconds=2))
    Checkout.objects.filter(pk=whole.pk).update(look_at=now - timedelta(seconds=1))
    tasks.sweep()
    whole.refresh_from_db()
    assert whole.status == Checkout.Status.PAID
    broken.refresh_from_db()
    assert broken.look_at is not None
    assert broken.look_at > now
