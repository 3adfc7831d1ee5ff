import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe

from newsroom.sandbox.control import SandboxControl, SandboxError

from .conftest import NOON, OpenSession

SECRET = "whsec_of_this_test"


class Receiver:
    """A real HTTP server that records webhooks. It answers `statuses` in turn, then 200."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.statuses: list[int] = []
        self.slow_seconds = 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(receiver.slow_seconds)
                receiver.taken.append((self.headers["Stripe-Signature"], body))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/stripe/"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.taken]


@pytest.fixture
def receiver(control: SandboxControl) -> Iterator[Receiver]:
    receiver = Receiver()
    control.set_webhook(receiver.url, secret=SECRET)
    yield receiver
    control.set_webhook("")
    receiver.stop()


def make_customers(client: stripe.StripeClient, *, count: int) -> None:
    for i in range(count):
        client.v1.customers.create({"name": str(i)})


def get_names(receiver: Receiver) -> list[str]:
    return [json.loads(body)["data"]["object"]["name"] for _, body in receiver.taken]


def test_webhooks_arrive_in_order_with_valid_signatures(
    control: SandboxControl, receiver: Receiver, open_gift: OpenSession
) -> None:
    control.freeze(NOON)
    control.pay(open_gift().id)
    control.wait_for_webhooks()
    assert receiver.types == [event["type"] for event in control.events()]
    for header, body in receiver.taken:
        event = stripe.Webhook.construct_event(body, header, SECRET)
        assert event.api_version == "2026-10-28.endive"
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(receiver.taken[0][1], receiver.taken[1][0], SECRET)
    assert control.webhooks()["delivered"] == len(receiver.taken)


def test_a_failed_webhook_is_sent_again_with_a_new_signature(
    control: SandboxControl, stripe_client: stripe.StripeClient, receiver: Receiver
) -> None:
    receiver.statuses = [500]
    make_customers(stripe_client, count=1)
    control.wait_for_webhooks()
    (first, body), (second, same) = receiver.taken
    assert body == same
    assert first != second
    assert int(second[2:].split(",")[0]) > int(first[2:].split(",")[0])
    stripe.Webhook.construct_event(same, second, SECRET)
    [event] = control.events()
    assert event["deliveries"][0]["attempts"] == 2


def test_an_event_can_be_signed_and_sent_again(
    control: SandboxControl, stripe_client: stripe.StripeClient, receiver: Receiver
) -> None:
    make_customers(stripe_client, count=1)
    control.wait_for_webhooks()
    [event] = control.events()
    body, header = control.sign_event(event["id"], secret="whsec_other")
    assert stripe.Webhook.construct_event(body, header, "whsec_other").id == event["id"]
    assert control.resend_event(event["id"]) == 1
    control.wait_for_webhooks()
    assert len(receiver.taken) == 2


def test_a_slow_receiver_does_not_delay_the_api(
    control: SandboxControl, stripe_client: stripe.StripeClient, receiver: Receiver
) -> None:
    receiver.slow_seconds = 0.5
    started_at = time.monotonic()
    make_customers(stripe_client, count=4)
    assert time.monotonic() - started_at < 0.5
    receiver.slow_seconds = 0.0
    control.wait_for_webhooks()


def test_registered_endpoints_receive_only_their_enabled_events(
    control: SandboxControl, stripe_client: stripe.StripeClient, receiver: Receiver
) -> None:
    control.set_webhook("")
    endpoint = stripe_client.v1.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": ["product.created"]}
    )
    stripe_client.v1.webhook_endpoints.create(
        {"url": "https://news.example/stripe", "enabled_events": ["*"]}
    )
    make_customers(stripe_client, count=1)
    stripe_client.v1.products.create({"name": "Membership"})
    control.wait_for_webhooks()
    [(header, body)] = receiver.taken
    assert endpoint.secret is not None
    assert stripe.Webhook.construct_event(body, header, endpoint.secret).type == "product.created"


def test_without_a_receiver_events_are_only_stored(
    control: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    make_customers(stripe_client, count=1)
    [event] = control.events()
    assert event["deliveries"] == []
    assert control.webhooks()["pending"] == 0


def test_webhooks_cannot_go_to_another_machine(control: SandboxControl) -> None:
    with pytest.raises(SandboxError, match="this machine"):
        control.set_webhook("http://news.example/stripe")


def test_fault_duplicate_sends_twice(
    control: SandboxControl, stripe_client: stripe.StripeClient, receiver: Receiver
) -> None:
    control.add_fault("webhook", match="customer.*", kind="duplicate")
    make_customers(stripe_client, count=2)
    control.wait_for_webhooks()
    assert get_names(receiver) == ["0", "0", "1"]


def test_fault_reorder_sends_the_next_one_first(
    control: SandboxControl, stripe_client: stripe.StripeClient, receiver: Receiver
) -> None:
    control.add_fault("webhook", match="customer.created", kind="reorder")
    make_customers(stripe_client, count=3)
    control.wait_for_webhooks()
    assert get_names(receiver)[:2] == ["1", "0"]
    assert sorted(get_names(receiver)) == ["0", "1", "2"]


def test_fault_drop_never_sends(
    control: SandboxControl, stripe_client: stripe.StripeClient, receiver: Receiver
) -> None:
    control.add_fault("webhook", match="customer.created", kind="drop")
    make_customers(stripe_client, count=2)
    control.wait_for_webhooks()
    assert get_names(receiver) == ["1"]
    assert control.webhooks()["dropped"] == 1


def test_fault_hold_sends_when_the_faults_are_removed(
    control: SandboxControl, stripe_client: stripe.StripeClient, receiver: Receiver
) -> None:
    control.add_fault("webhook", match="*", kind="hold", times=-1)
    make_customers(stripe_client, count=2)
    control.wait_for_webhooks()
    assert (receiver.taken, control.webhooks()["held"]) == ([], 2)
    control.remove_faults()
    control.wait_for_webhooks()
    assert get_names(receiver) == ["0", "1"]


def test_fault_delay_sends_later(
    control: SandboxControl, stripe_client: stripe.StripeClient, receiver: Receiver
) -> None:
    control.add_fault("webhook", match="customer.created", kind="delay", seconds=0.4)
    make_customers(stripe_client, count=2)
    control.wait_for_webhooks()
    assert get_names(receiver) == ["1", "0"]


def test_fault_error_fails_one_attempt(
    control: SandboxControl, stripe_client: stripe.StripeClient, receiver: Receiver
) -> None:
    control.add_fault("webhook", match="customer.created", kind="error")
    make_customers(stripe_client, count=1)
    control.wait_for_webhooks()
    [event] = control.events()
    assert (event["deliveries"][0]["attempts"], len(receiver.taken)) == (2, 1)


def test_a_fault_applies_as_often_as_requested(
    control: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    control.add_fault("api", match="GET /v1/customers", kind="error", status=500, times=2)
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            stripe_client.v1.customers.list()
    assert stripe_client.v1.customers.list().data == []
    with pytest.raises(SandboxError, match="kind must be"):
        control.add_fault("api", match="*", kind="explode")


def test_an_api_fault_can_delay_the_answer(
    control: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    control.add_fault("api", match="POST /v1/cust*", kind="delay", seconds=0.3)
    started_at = time.monotonic()
    make_customers(stripe_client, count=1)
    assert time.monotonic() - started_at >= 0.3
