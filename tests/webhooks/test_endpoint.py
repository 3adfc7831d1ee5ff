"""The webhook endpoint: which requests it stores and which it refuses."""

import json
import time
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from campaigns import webhooks
from campaigns.models import Campaign, StripeEvent, Tally
from newsroom.sandbox.control import SandboxControl
from tests.support.due import list_due_events
from tests.support.sales import place_order
from tests.support.webhooks import ENDPOINT, completed_event_id, make_event, post, sign

pytestmark = pytest.mark.both_databases


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
        ENDPOINT,
        data=json.dumps(make_event()),
        content_type="application/json",
        headers={"Stripe-Signature": header},
    )
    assert response.status_code == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.django_db
def test_a_webhook_without_the_header_is_refused(client: Client, sandbox: SandboxControl) -> None:
    body = json.dumps(make_event())
    assert client.post(ENDPOINT, data=body, content_type="application/json").status_code == 400
    assert client.get(ENDPOINT).status_code == 405
    assert not StripeEvent.objects.exists()


@pytest.mark.django_db
def test_a_signature_that_is_not_ascii_is_refused(client: Client, sandbox: SandboxControl) -> None:
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
def test_a_webhook_is_refused_after_300_seconds(client: Client, sandbox: SandboxControl) -> None:
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
def test_both_secrets_are_accepted_while_one_is_replaced(
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
    "no JSON": "We’re still waiting for your bank",
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


def test_signed_but_malformed_webhooks_break_no_worker(
    campaign: Campaign, client: Client, sandbox: SandboxControl
) -> None:
    stored = 0
    for number, (name, body) in enumerate(ODD.items()):
        response = post(client, body.replace('"evt_1"', f'"evt_odd_{number}"'))
        before, stored = stored, StripeEvent.objects.count()
        added = stored - before
        assert (response.status_code, added) in {(200, 1), (400, 0), (413, 0)}, name
    assert stored > 0
    # The next sweep processes them, and the events of a later sale.
    checkout = place_order(campaign)
    sandbox.pay(str(checkout.session_id), card="4242424242424242")
    body, header = sandbox.sign_event(completed_event_id(sandbox))
    assert post(client, body, header).status_code == 200
    for event_id in list_due_events(at=timezone.now()):
        webhooks.work_on_event(event_id)
    assert StripeEvent.objects.count() == stored + 1
    assert not StripeEvent.objects.filter(status=StripeEvent.Status.NEW).exists()
    assert Tally.objects.count() == 1


@pytest.mark.django_db
def test_a_webhook_that_is_not_utf_8_is_refused(client: Client, sandbox: SandboxControl) -> None:
    body = json.dumps(make_event()).encode()[:-1] + b', "note": "\xff"}'
    header = sign(body.decode("latin-1"))
    assert post(client, body, header).status_code == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.django_db
def test_a_webhook_is_stored_unchanged(client: Client, sandbox: SandboxControl) -> None:
    body = json.dumps(make_event(note="Київ \0 \ud800"), ensure_ascii=True, indent=3)
    post(client, body)
    assert StripeEvent.objects.get().payload == body
