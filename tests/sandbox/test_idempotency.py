import threading
import time
from typing import Any, cast

import pytest
import stripe

from newsroom.sandbox.control import SandboxControl

from . import schema
from .conftest import NOON, OpenSession


def test_the_same_key_gets_the_same_answer_and_does_the_work_once(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    http_client: schema.CheckingClient,
) -> None:
    customers = stripe_client.v1.customers
    first = customers.create({"email": "ada@example.org"}, {"idempotency_key": "k1"})
    first_request = http_client.headers["Request-Id"]
    assert "Idempotent-Replayed" not in http_client.headers

    repeated = customers.create({"email": "ada@example.org"}, {"idempotency_key": "k1"})

    assert repeated.id == first.id
    assert http_client.headers["Idempotent-Replayed"] == "true"
    assert http_client.headers["Original-Request"] == first_request
    assert len(customers.list().data) == 1
    assert len(control.events("customer.created")) == 1


def test_a_key_cannot_be_used_for_another_request(
    control: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    customers = stripe_client.v1.customers
    ada = customers.create({"email": "ada@example.org"}, {"idempotency_key": "k1"})
    with pytest.raises(stripe.IdempotencyError):
        customers.create({"email": "bob@example.org"}, {"idempotency_key": "k1"})
    with pytest.raises(stripe.IdempotencyError):
        customers.update(ada.id, {"email": "ada@example.org"}, {"idempotency_key": "k1"})
    assert [c.email for c in customers.list().data] == ["ada@example.org"]


def test_a_server_error_is_stored_and_replayed(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    http_client: schema.CheckingClient,
) -> None:
    control.add_fault("api", match="POST /v1/customers", kind="error", status=503)
    customers = stripe_client.v1.customers
    for _ in range(2):
        with pytest.raises(stripe.APIError) as refusal:
            customers.create({"email": "ada@example.org"}, {"idempotency_key": "k1"})
        assert refusal.value.http_status == 503
    assert http_client.headers["Idempotent-Replayed"] == "true"
    assert customers.list().data == []
    customers.create({"email": "ada@example.org"}, {"idempotency_key": "k2"})
    assert len(customers.list().data) == 1


def test_an_error_in_the_parameters_is_not_stored(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    http_client: schema.CheckingClient,
) -> None:
    http_client.checks_requests = False
    try:
        with pytest.raises(stripe.InvalidRequestError, match="unknown parameter"):
            stripe_client.v1.customers.create(
                cast(Any, {"colour": "red"}), {"idempotency_key": "k1"}
            )
    finally:
        http_client.checks_requests = True
    created = stripe_client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "k1"})
    assert created.name == "Ada"


def test_an_error_of_the_endpoint_is_stored_and_changes_nothing(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_gift: OpenSession,
    http_client: schema.CheckingClient,
) -> None:
    control.pay(open_gift().id)
    charge = stripe_client.v1.charges.list().data[0]
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError, match="greater than"):
            stripe_client.v1.refunds.create(
                {"charge": charge.id, "amount": 9999}, {"idempotency_key": "k1"}
            )
    assert http_client.headers["Idempotent-Replayed"] == "true"
    assert stripe_client.v1.refunds.list().data == []


def test_keys_expire_after_24_hours_of_the_sandbox_clock(
    control: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    control.freeze(NOON)
    customers = stripe_client.v1.customers
    first = customers.create({"name": "Ada"}, {"idempotency_key": "k1"})
    control.advance(24 * 3600 - 1)
    assert customers.create({"name": "Ada"}, {"idempotency_key": "k1"}).id == first.id
    control.advance(1)
    assert customers.create({"name": "Ada"}, {"idempotency_key": "k1"}).id != first.id


def test_a_second_request_with_the_same_key_is_rejected_while_the_first_runs(
    control: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    control.add_fault("api", match="POST /v1/customers", kind="delay", seconds=0.6)
    customers = stripe_client.v1.customers
    created: list[stripe.Customer] = []
    slow = threading.Thread(
        target=lambda: created.append(customers.create({"name": "Ada"}, {"idempotency_key": "k1"}))
    )
    slow.start()
    time.sleep(0.2)
    with pytest.raises(stripe.APIError) as refusal:
        customers.create({"name": "Ada"}, {"idempotency_key": "k1"})
    slow.join()
    assert refusal.value.http_status == 409
    # For this status the SDK doesn't set the code, so read it from the answer.
    assert cast(Any, refusal.value.json_body)["error"]["code"] == "idempotency_key_in_use"
    assert customers.create({"name": "Ada"}, {"idempotency_key": "k1"}).id == created[0].id
    assert len(customers.list().data) == 1


def test_a_lost_answer_can_be_fetched_with_the_same_key(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    control.add_fault("api", match="POST /v1/customers", kind="lose_answer")
    customers = stripe_client.v1.customers
    with pytest.raises(stripe.APIConnectionError):
        customers.create({"name": "Ada"}, {"idempotency_key": "k1"})
    [created] = customers.list().data
    assert customers.create({"name": "Ada"}, {"idempotency_key": "k1"}).id == created.id
    assert len(customers.list().data) == 1


def test_the_sdk_retries_after_a_lost_answer(
    control: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    control.add_fault("api", match="POST /v1/customers", kind="lose_answer")
    created = stripe_client.v1.customers.create({"name": "Ada"}, {"max_network_retries": 1})
    assert [customer.id for customer in stripe_client.v1.customers.list().data] == [created.id]
