import time
from pathlib import Path

import pytest
import stripe

from newsroom.sandbox.control import SandboxControl
from newsroom.sandbox.process import start_sandbox

from .conftest import NOON


def make_client(url: str, key: str, http: stripe.HTTPClient) -> stripe.StripeClient:
    return stripe.StripeClient(key, base_addresses={"api": url}, http_client=http)


def test_a_restart_keeps_objects_events_keys_and_clock(tmp_path: Path) -> None:
    http = stripe.RequestsClient()
    with start_sandbox(tmp_path, secret_key="sk_test_of_this_test") as process:
        control = SandboxControl(process.url)
        control.freeze(NOON)
        client = make_client(process.url, process.secret_key, http)
        created = client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "k1"})
        control.close()
    port = int(process.url.rsplit(":", 1)[1])
    with start_sandbox(tmp_path, port=port, secret_key="sk_test_of_this_test") as process:
        client = make_client(process.url, process.secret_key, http)
        control = SandboxControl(process.url)
        assert control.now() == NOON
        assert client.v1.customers.retrieve(created.id).name == "Ada"
        again = client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "k1"})
        assert again.id == created.id
        assert [event["type"] for event in control.events()] == ["customer.created"]
        control.close()
    http.close()  # type: ignore[no-untyped-call]


def test_the_sandbox_starts_and_stops_quickly(tmp_path: Path) -> None:
    started_at = time.monotonic()
    process = start_sandbox(tmp_path)
    answered_at = time.monotonic()
    process.stop()
    assert answered_at - started_at < 5
    assert time.monotonic() - answered_at < 2
    assert process.process.returncode == 0


def test_a_port_in_use_is_an_error(tmp_path: Path) -> None:
    with start_sandbox(tmp_path / "a") as process:
        port = int(process.url.rsplit(":", 1)[1])
        with pytest.raises(RuntimeError, match="did not start"):
            start_sandbox(tmp_path / "b", port=port)


def test_a_reset_deletes_everything(
    control: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    stripe_client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "k1"})
    control.add_fault("api", match="*", kind="error", times=-1)
    control.freeze(NOON)
    control.reset()
    assert stripe_client.v1.customers.list().data == []
    assert control.events() == []
    assert abs(control.now() - time.time()) < 5
    stripe_client.v1.customers.create({"name": "Bob"}, {"idempotency_key": "k1"})


def test_a_snapshot_can_be_restored_after_a_reset(
    control: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    created = stripe_client.v1.products.create({"name": "Letter"}, {"idempotency_key": "k1"})
    control.save_snapshot()
    before = control.events()
    for _ in range(2):
        stripe_client.v1.customers.create({"name": "Ada"})
        control.reset()
        control.restore_snapshot()
        assert [product.id for product in stripe_client.v1.products.list().data] == [created.id]
        assert stripe_client.v1.customers.list().data == []
        assert control.events() == before
        again = stripe_client.v1.products.create({"name": "Letter"}, {"idempotency_key": "k1"})
        assert again.id == created.id


def test_due_work_is_done_while_the_clock_runs(
    control: SandboxControl, stripe_client: stripe.StripeClient, subscription: stripe.Subscription
) -> None:
    end = subscription["items"].data[0].current_period_end
    control.advance(end - control.now() - 1)
    assert len(control.events("invoice.created")) == 1
    deadline = time.monotonic() + 5
    while len(control.events("invoice.created")) == 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(control.events("invoice.created")) == 2
