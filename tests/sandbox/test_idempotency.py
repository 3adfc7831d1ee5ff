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

    again = customers.create({"email": "ada@example.org"}, {"idempotency_key": "k1"})

    assert again.id == first.id
    assert http_client.headers["Idempotent-Replayed"] == "true"
    assert http_client.headers["Original-Request"] == first_request
    assert len(customers.list().data) == 1
    assert len(control.events("customer.created")) == 1


def test_a_key_may_not_be_used_for_something_else(
    control: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    customers = stripe_client.v1.customers
    ada = customers.create({"email": "ada@example.org"}, {"idempotency_key": "k1"})
    with pytest.raises(stripe.IdempotencyError):
        customers.create({"email": "bob@example.org"}, {"idempotency_key": "k1"})
    with pytest.raises(stripe.IdempotencyError):
        customers.update(ada.id, {"email": "ada@example.org"}, {"idempotency_key": "k1"})
    assert [c.email for c in customers.list().data] == ["ada@example.org"]


def test_a_server_error_is_kept_and_replayed(
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


def test_a_refusal_before_the_work_is_not_kept(
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
    made = stripe_client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "k1"})
    assert made.name == "Ada"


def test_a_refusal_in_the_work_is_kept_and_leaves_nothing_behind(
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


def test_keys_live_for_a_day_of_the_clock(
    control: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    control.freeze(NOON)
    customers = stripe_client.v1.customers
    first = customers.create({"name": "Ada"}, {"idempotency_key": "k1"})
    control.advance(24 * 3600 - 1)
    assert customers.create({"name": "Ada"}, {"idempotency_key": "k1"}).id == first.id
    control.advance(1)
    assert customers.create({"name": "Ada"}, {"idempotency_key": "k1"}).id != first.id


def test_a_second_request_while_the_first_is_under_way_is_refused(
    control: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    control.add_fault("api", match="POST /v1/customers", kind="delay", seconds=0.6)
    customers = stripe_client.v1.customers
    made: list[stripe.Customer] = []
    slow = threading.Thread(
        target=lambda: made.append(customers.create({"name": "Ada"}, {"idempotency_key": "k1"}))
    )
    slow.start()
    time.sleep(0.2)
    with pytest.raises(stripe.APIError) as refusal:
        customers.create({"name": "Ada"}, {"idempotency_key": "k1"})
    slow.join()
    assert refusal.value.http_status == 409
    # The SDK hands the code on for other statuses alone; it stands in the answer all the same.
    assert cast(Any, refusal.value.json_body)["error"]["code"] == "idempotency_key_in_use"
    assert customers.create({"name": "Ada"}, {"idempotency_key": "k1"}).id == made[0].id
    assert len(customers.list().data) == 1


def test_an_answer_that_was_lost_is_found_again_with_the_key(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    control.add_fault("api", match="POST /v1/customers", kind="lose_answer")
    customers = stripe_client.v1.customers
    with pytest.raises(stripe.APIConnectionError):
        customers.create({"name": "Ada"}, {"idempotency_key": "k1"})
    [made] = customers.list().data
    assert customers.create({"name": "Ada"}, {"idempotency_key": "k1"}).id == made.id
    assert len(customers.list().data) == 1


def test_the_sdk_s_own_retry_survives_a_lost_answer(
    control: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    control.add_fault("api", match="POST /v1/customers", kind="lose_answer")
    made = stripe_client.v1.customers.create({"name": "Ada"}, {"max_network_retries": 1})
    assert [customer.id for customer in stripe_client.v1.customers.list().data] == [made.id]
