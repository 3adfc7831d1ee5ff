import pytest
import stripe

from newsroom.sandbox.control import SandboxControl

from .conftest import NOON, OpenSession, at, get_period, start_subscription


def test_monthly_renewals_keep_the_anchor_on_the_31st(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_membership: OpenSession,
    month_price: stripe.Price,
) -> None:
    control.freeze(at(2027, 1, 31))
    subscription = start_subscription(control, stripe_client, open_membership(price=month_price.id))
    ends = [get_period(subscription)[1]]
    for _ in range(3):
        control.freeze(ends[-1])
        ends.append(get_period(stripe_client.v1.subscriptions.retrieve(subscription.id))[1])
    assert ends == [at(2027, 2, 28), at(2027, 3, 31), at(2027, 4, 30), at(2027, 5, 31)]
    invoices = stripe_client.v1.invoices.list({"subscription": subscription.id}).data
    assert [invoice.billing_reason for invoice in invoices] == [
        *["subscription_cycle"] * 3,
        "subscription_create",
    ]
    assert [invoice.created for invoice in invoices] == [*reversed(ends[:3]), at(2027, 1, 31)]
    renewed = invoices[0]
    assert (renewed.period_start, renewed.period_end) == (ends[1], ends[2])
    assert (renewed.lines.data[0].period.start, renewed.lines.data[0].period.end) == (
        ends[2],
        ends[3],
    )


def test_a_jump_of_the_clock_renews_at_each_due_time(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_membership: OpenSession,
    month_price: stripe.Price,
) -> None:
    control.freeze(NOON)
    subscription = start_subscription(control, stripe_client, open_membership(price=month_price.id))
    control.freeze(at(2027, 2, 15))
    charges = stripe_client.v1.charges.list({"customer": str(subscription.customer)}).data
    assert [charge.created for charge in charges] == [
        at(2027, 2, 1),
        at(2027, 1, 1),
        at(2026, 12, 1),
        NOON,
    ]


def test_a_failed_renewal_is_retried_and_then_ends_the_subscription(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_membership: OpenSession
) -> None:
    control.freeze(NOON)
    subscription = start_subscription(
        control, stripe_client, open_membership(), card="4000000000000341"
    )
    control.freeze(get_period(subscription)[1])
    past_due = stripe_client.v1.subscriptions.retrieve(
        subscription.id, {"expand": ["latest_invoice"]}
    )
    assert past_due.status == "past_due"
    assert isinstance(past_due.latest_invoice, stripe.Invoice)
    assert (past_due.latest_invoice.status, past_due.latest_invoice.attempt_count) == ("open", 1)
    [event] = [
        updated
        for updated in control.events("customer.subscription.updated")
        if "status" in updated["data"]["previous_attributes"]
    ]
    assert event["data"]["previous_attributes"]["status"] == "active"

    control.advance(days=20)

    ended = stripe_client.v1.subscriptions.retrieve(subscription.id)
    assert ended.status == "canceled"
    assert ended.cancellation_details is not None
    assert ended.cancellation_details.reason == "payment_failed"
    assert len(control.events("invoice.payment_failed")) == 4
    assert len(control.events("customer.subscription.deleted")) == 1
    control.advance(days=400)
    assert len(stripe_client.v1.invoices.list({"subscription": subscription.id}).data) == 2


def test_a_past_due_subscription_recovers_when_the_invoice_is_paid(
    control: SandboxControl, stripe_client: stripe.StripeClient, subscription: stripe.Subscription
) -> None:
    invoice = control.renew(subscription.id, outcome="failed")
    assert stripe_client.v1.subscriptions.retrieve(subscription.id).status == "past_due"
    paid = stripe_client.v1.invoices.pay(invoice["id"])
    assert paid.status == "paid"
    assert stripe_client.v1.subscriptions.retrieve(subscription.id).status == "active"
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        stripe_client.v1.invoices.pay(invoice["id"])


def test_paying_an_invoice_with_a_bad_card_keeps_the_failed_charge(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_membership: OpenSession
) -> None:
    subscription = start_subscription(
        control, stripe_client, open_membership(), card="4000000000000341"
    )
    invoice = control.renew(subscription.id)
    failed = len(control.events("charge.failed"))
    with pytest.raises(stripe.CardError) as refusal:
        stripe_client.v1.invoices.pay(invoice["id"])
    assert refusal.value.code == "card_declined"
    assert len(control.events("charge.failed")) == failed + 1


def test_an_open_invoice_can_be_voided_or_paid_out_of_band(
    control: SandboxControl, stripe_client: stripe.StripeClient, subscription: stripe.Subscription
) -> None:
    first = control.renew(subscription.id, outcome="failed")
    assert stripe_client.v1.invoices.void_invoice(first["id"]).status == "void"
    second = control.renew(subscription.id, outcome="failed")
    paid = stripe_client.v1.invoices.pay(second["id"], {"paid_out_of_band": True})
    assert (paid.status, paid.amount_paid_off_stripe) == ("paid", 6000)
    assert control.books()["currencies"]["eur"]["gross_minor"] == 6000


def test_an_early_renewal_charges_and_moves_the_period(
    control: SandboxControl, stripe_client: stripe.StripeClient, subscription: stripe.Subscription
) -> None:
    invoice = control.renew(subscription.id, outcome="paid")
    assert (invoice["status"], invoice["billing_reason"]) == ("paid", "subscription_cycle")
    after = stripe_client.v1.subscriptions.retrieve(subscription.id)
    assert get_period(after)[0] == get_period(subscription)[1]


def test_a_subscription_ends_at_its_period_end_unless_it_is_resumed(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_membership: OpenSession
) -> None:
    control.freeze(NOON)
    subscription = start_subscription(control, stripe_client, open_membership())
    end = get_period(subscription)[1]
    subscriptions = stripe_client.v1.subscriptions
    ending = subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    assert (ending.status, ending.cancel_at, ending.canceled_at) == ("active", end, NOON)
    resumed = subscriptions.update(subscription.id, {"cancel_at_period_end": False})
    assert (resumed.cancel_at, resumed.canceled_at) == (None, None)
    subscriptions.update(subscription.id, {"cancel_at_period_end": True})

    control.freeze(end)

    ended = subscriptions.retrieve(subscription.id)
    assert (ended.status, ended.ended_at) == ("canceled", end)
    assert control.books()["currencies"]["eur"]["counts"]["charge"] == 1
    with pytest.raises(stripe.InvalidRequestError):
        subscriptions.update(subscription.id, {"cancel_at_period_end": False})


def test_cancelling_ends_a_subscription_immediately(
    control: SandboxControl, stripe_client: stripe.StripeClient, subscription: stripe.Subscription
) -> None:
    ended = stripe_client.v1.subscriptions.cancel(
        subscription.id, {"cancellation_details": {"comment": "Moving away"}}
    )
    assert ended.status == "canceled"
    assert ended.cancellation_details is not None
    assert ended.cancellation_details.comment == "Moving away"
    assert stripe_client.v1.subscriptions.list().data == []
    assert len(stripe_client.v1.subscriptions.list({"status": "all"}).data) == 1
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        stripe_client.v1.subscriptions.cancel(subscription.id)


def test_a_higher_price_is_prorated_on_the_next_invoice(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_membership: OpenSession
) -> None:
    control.freeze(NOON)
    subscription = start_subscription(control, stripe_client, open_membership())
    price = stripe_client.v1.prices.create(
        {
            "product": "membership",
            "currency": "eur",
            "unit_amount": 9000,
            "recurring": {"interval": "year"},
        }
    )
    start, end = get_period(subscription)
    control.freeze(start + (end - start) // 2)
    item = subscription["items"].data[0]
    changed = stripe_client.v1.subscriptions.update(
        subscription.id, {"items": [{"id": item.id, "price": price.id}]}
    )
    assert changed["items"].data[0].price.unit_amount == 9000
    assert get_period(changed) == (start, end)
    assert len(stripe_client.v1.invoices.list({"subscription": subscription.id}).data) == 1

    control.freeze(end)

    invoice = stripe_client.v1.invoices.list({"subscription": subscription.id}).data[0]
    assert [line.amount for line in invoice.lines.data] == [-3000, 4500, 9000]
    assert invoice.amount_paid == 10500


def test_a_change_can_be_invoiced_immediately_or_not_at_all(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_membership: OpenSession
) -> None:
    control.freeze(NOON)
    subscription = start_subscription(control, stripe_client, open_membership())
    item = subscription["items"].data[0]
    stripe_client.v1.subscription_items.update(
        item.id, {"quantity": 2, "proration_behavior": "none"}
    )
    stripe_client.v1.subscriptions.update(
        subscription.id,
        {"items": [{"id": item.id, "quantity": 3}], "proration_behavior": "always_invoice"},
    )
    invoices = stripe_client.v1.invoices.list({"subscription": subscription.id}).data
    assert [invoice.billing_reason for invoice in invoices] == [
        "subscription_update",
        "subscription_create",
    ]
    assert invoices[0].total == 6000
    assert stripe_client.v1.subscription_items.retrieve(item.id).quantity == 3
    assert (
        len(stripe_client.v1.subscription_items.list({"subscription": subscription.id}).data) == 1
    )


def test_a_new_interval_starts_a_new_period_immediately(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_membership: OpenSession,
    month_price: stripe.Price,
) -> None:
    control.freeze(NOON)
    subscription = start_subscription(control, stripe_client, open_membership(price=month_price.id))
    control.advance(days=15)
    year = stripe_client.v1.prices.list({"lookup_keys": ["membership-year"]}).data[0]
    changed = stripe_client.v1.subscriptions.update(
        subscription.id, {"items": [{"id": subscription["items"].data[0].id, "price": year.id}]}
    )
    assert get_period(changed)[0] == NOON + 15 * 86400
    invoice = stripe_client.v1.invoices.retrieve(str(changed.latest_invoice))
    assert (invoice.billing_reason, invoice.total) == ("subscription_update", 6000 - 300)


def test_a_credit_is_used_for_the_next_invoice(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_membership: OpenSession,
    month_price: stripe.Price,
) -> None:
    control.freeze(NOON)
    subscription = start_subscription(control, stripe_client, open_membership())
    stripe_client.v1.subscriptions.update(
        subscription.id,
        {"items": [{"id": subscription["items"].data[0].id, "price": month_price.id}]},
    )
    customer = stripe_client.v1.customers.retrieve(str(subscription.customer))
    assert customer.balance == 600 - 6000
    control.advance(days=30)
    invoice = stripe_client.v1.invoices.list({"subscription": subscription.id}).data[0]
    assert (invoice.total, invoice.amount_due, invoice.status) == (600, 0, "paid")
    assert control.books()["currencies"]["eur"]["gross_minor"] == 6000


def test_collection_can_be_paused_and_resumes_at_the_given_time(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_membership: OpenSession,
    month_price: stripe.Price,
) -> None:
    control.freeze(NOON)
    subscription = start_subscription(control, stripe_client, open_membership(price=month_price.id))
    stripe_client.v1.subscriptions.update(
        subscription.id, {"pause_collection": {"behavior": "void", "resumes_at": NOON + 45 * 86400}}
    )
    control.advance(days=62)
    invoices = stripe_client.v1.invoices.list({"subscription": subscription.id}).data
    assert [invoice.status for invoice in invoices] == ["paid", "void", "paid"]
    assert stripe_client.v1.subscriptions.retrieve(subscription.id).pause_collection is None
    stripe_client.v1.subscriptions.update(
        subscription.id, {"pause_collection": {"behavior": "void"}}
    )
    freed = stripe_client.v1.subscriptions.update(subscription.id, {"pause_collection": ""})
    assert freed.pause_collection is None


def test_a_trial_without_a_card_pauses_and_can_be_resumed(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_membership: OpenSession
) -> None:
    control.freeze(NOON)
    session = open_membership(
        payment_method_collection="if_required",
        subscription_data={
            "trial_period_days": 14,
            "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
        },
    )
    control.pay(session.id, no_card=True)
    control.advance(days=14)
    [paused] = stripe_client.v1.subscriptions.list({"status": "paused"}).data
    assert len(control.events("customer.subscription.paused")) == 1
    resumed = stripe_client.v1.subscriptions.resume(paused.id)
    assert resumed.status == "past_due"
    with pytest.raises(stripe.InvalidRequestError, match="Only paused"):
        stripe_client.v1.subscriptions.resume(paused.id)


def test_metadata_is_merged(
    stripe_client: stripe.StripeClient, subscription: stripe.Subscription
) -> None:
    changed = stripe_client.v1.subscriptions.update(
        subscription.id, {"metadata": {"plan": "year", "checkout": ""}, "description": "A reader"}
    )
    assert changed.metadata.to_dict() == {"plan": "year"}
    assert changed.description == "A reader"


def test_an_invoice_paid_out_of_band_needs_no_payment_through_stripe(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_membership: OpenSession
) -> None:
    control.freeze(NOON)
    session = open_membership()
    subscription = start_subscription(control, stripe_client, session, card="4000000000000341")
    control.freeze(get_period(subscription)[1])
    past_due = stripe_client.v1.subscriptions.retrieve(subscription.id)
    assert past_due.status == "past_due"

    paid = stripe_client.v1.invoices.pay(str(past_due.latest_invoice), {"paid_out_of_band": True})

    assert (paid.status, paid.amount_paid, paid.amount_paid_off_stripe) == ("paid", 0, 6000)
    assert stripe_client.v1.subscriptions.retrieve(subscription.id).status == "active"
    [payment] = stripe_client.v1.invoice_payments.list({"invoice": paid.id}).data
    intent = stripe_client.v1.payment_intents.retrieve(str(payment.payment.payment_intent))
    assert (payment.status, intent.status) == ("canceled", "canceled")
    assert control.books()["currencies"]["eur"]["gross_minor"] == 6000, "only the first payment"
    assert control.events("invoice.paid")[-1]["data"]["object"]["id"] == paid.id
    assert len(control.events("invoice_payment.paid")) == 1
