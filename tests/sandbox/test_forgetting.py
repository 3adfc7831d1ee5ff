"""What the pretend Stripe has of somebody who is deleted, and of what they ended."""

import pytest
import stripe

from newsroom.sandbox.control import SandboxControl

from .conftest import NOON, OpenSession, subscribe


def test_a_deleted_customer_is_told_of_and_no_more_is_done_with_it(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_membership: OpenSession
) -> None:
    control.freeze(NOON)
    member = subscribe(control, stripe_client, open_membership())
    customers, customer_id = stripe_client.v1.customers, str(member.customer)
    assert customers.delete(customer_id).to_dict() == {
        "id": customer_id,
        "object": "customer",
        "deleted": True,
    }
    assert customers.retrieve(customer_id).to_dict()["deleted"]
    assert stripe_client.v1.subscriptions.retrieve(member.id).status == "canceled"
    for again in (customers.delete, customers.update):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            again(customer_id)
        assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")
    assert len(control.events("customer.deleted")) == 1
    [charge] = stripe_client.v1.charges.list({"customer": customer_id}).data
    refund = stripe_client.v1.refunds.create({"charge": charge.id})
    assert (refund.status, refund.amount) == ("succeeded", charge.amount)


def test_of_an_ended_subscription_only_the_reason_and_the_metadata_change(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_membership: OpenSession
) -> None:
    control.freeze(NOON)
    member = subscribe(control, stripe_client, open_membership())
    subscriptions = stripe_client.v1.subscriptions
    subscriptions.cancel(member.id, {"cancellation_details": {"comment": "I move away."}})
    changed = subscriptions.update(
        member.id, {"cancellation_details": {"comment": ""}, "metadata": {"seen": "yes"}}
    )
    assert changed.cancellation_details is not None
    assert changed.cancellation_details.comment is None
    assert (changed.status, changed.metadata["seen"]) == ("canceled", "yes")
    with pytest.raises(stripe.InvalidRequestError, match="can only update its"):
        subscriptions.update(member.id, {"cancel_at_period_end": True})
