"""Deleted customers and ended subscriptions."""

import pytest
import stripe

from newsroom.sandbox.control import SandboxControl

from .conftest import NOON, OpenSession, start_subscription


def test_a_deleted_customer_can_be_read_but_not_changed(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_membership: OpenSession
) -> None:
    control.freeze(NOON)
    subscription = start_subscription(control, stripe_client, open_membership())
    customers, customer_id = stripe_client.v1.customers, str(subscription.customer)
    assert customers.delete(customer_id).to_dict() == {
        "id": customer_id,
        "object": "customer",
        "deleted": True,
    }
    assert customers.retrieve(customer_id).to_dict()["deleted"]
    assert stripe_client.v1.subscriptions.retrieve(subscription.id).status == "canceled"
    for call in (customers.delete, customers.update):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            call(customer_id)
        assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
    assert len(control.events("customer.deleted")) == 1
    [charge] = stripe_client.v1.charges.list({"customer": customer_id}).data
    refund = stripe_client.v1.refunds.create({"charge": charge.id})
    assert (refund.status, refund.amount) == ("succeeded", charge.amount)


def test_an_ended_subscription_accepts_only_a_reason_and_metadata(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_membership: OpenSession
) -> None:
    control.freeze(NOON)
    subscription = start_subscription(control, stripe_client, open_membership())
    subscriptions = stripe_client.v1.subscriptions
    subscriptions.cancel(subscription.id, {"cancellation_details": {"comment": "I move away."}})
    changed = subscriptions.update(
        subscription.id, {"cancellation_details": {"comment": ""}, "metadata": {"seen": "yes"}}
    )
    assert changed.cancellation_details is not None
    assert changed.cancellation_details.comment is None
    assert (changed.status, changed.metadata["seen"]) == ("canceled", "yes")
    with pytest.raises(stripe.InvalidRequestError, match="can only update its"):
        subscriptions.update(subscription.id, {"cancel_at_period_end": True})
