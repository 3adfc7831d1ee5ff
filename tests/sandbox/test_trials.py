"""Free time for an active subscription: by `trial_end`, without prorations."""

from typing import Any

import pytest
import stripe

from newsroom.sandbox.control import SandboxControl

from .conftest import NOON, OpenSession, at, get_period, start_subscription

DAY = 86400


@pytest.fixture
def monthly(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_membership: OpenSession,
    month_price: stripe.Price,
) -> stripe.Subscription:
    """Return a subscription of €6 a month, paid on 1 November 2026, when the clock is frozen."""
    control.freeze(NOON)
    return start_subscription(control, stripe_client, open_membership(price=month_price.id))


def change_trial_end(
    client: stripe.StripeClient, subscription: stripe.Subscription, trial_end: Any, **more: Any
) -> stripe.Subscription:
    params: Any = {"trial_end": trial_end, "proration_behavior": "none", **more}
    return client.v1.subscriptions.update(subscription.id, params)


def list_invoices(
    client: stripe.StripeClient, subscription: stripe.Subscription
) -> list[tuple[str | None, int, str | None, int]]:
    """Return (billing reason, created, status, total) of every invoice, oldest first."""
    found = client.v1.invoices.list({"subscription": subscription.id, "limit": 100}).data
    return [
        (invoice.billing_reason, invoice.created, invoice.status, invoice.total)
        for invoice in reversed(found)
    ]


def count_charges(control: SandboxControl) -> int:
    return int(control.books()["currencies"]["eur"]["counts"]["charge"])


def test_an_extended_month_is_charged_on_the_new_date_and_not_before(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    control.freeze(at(2026, 11, 16))
    later = at(2027, 12, 1)

    extended = change_trial_end(stripe_client, monthly, later)

    assert (extended.status, extended.trial_start, extended.trial_end) == (
        "trialing",
        at(2026, 11, 16),
        later,
    )
    assert get_period(extended) == (at(2026, 11, 16), later)
    assert extended.billing_cycle_anchor == later
    control.freeze(later - 1)
    assert count_charges(control) == 1
    control.freeze(later)
    charged = stripe_client.v1.subscriptions.retrieve(monthly.id)
    assert (charged.status, charged.trial_end) == ("active", later)
    assert get_period(charged) == (later, at(2028, 1, 1))
    control.freeze(at(2028, 1, 1))
    assert list_invoices(stripe_client, monthly) == [
        ("subscription_create", NOON, "paid", 600),
        ("subscription_update", at(2026, 11, 16), "paid", 0),
        ("subscription_cycle", later, "paid", 600),
        ("subscription_cycle", at(2028, 1, 1), "paid", 600),
    ]


def test_the_invoice_of_a_trial_is_paid_immediately_and_moves_no_money(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    books = control.books(rows=True)
    event_count = len(control.events())

    extended = change_trial_end(stripe_client, monthly, at(2027, 11, 1))

    assert control.books(rows=True) == books
    invoice = stripe_client.v1.invoices.retrieve(str(extended.latest_invoice))
    assert (invoice.status, invoice.amount_due, invoice.amount_paid) == ("paid", 0, 0)
    assert (invoice.attempted, invoice.attempt_count) == (True, 0)
    [line] = invoice.lines.data
    assert (line.amount, line.description) == (0, "Trial period for Membership")
    assert (line.period.start, line.period.end) == (NOON, at(2027, 11, 1))
    assert stripe_client.v1.invoice_payments.list({"invoice": str(invoice.id)}).data == []
    assert [event["type"] for event in control.events()[event_count:]] == [
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
    ]


def test_the_event_contains_the_previous_values(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    change_trial_end(stripe_client, monthly, at(2027, 11, 1))
    event = control.events("customer.subscription.updated")[-1]
    previous = event["data"]["previous_attributes"]
    assert previous.pop("items")["data"][0]["current_period_end"] == at(2026, 12, 1)
    assert previous == {
        "billing_cycle_anchor": NOON,
        "latest_invoice": monthly.latest_invoice,
        "status": "active",
        "trial_end": None,
        "trial_start": None,
    }


def test_two_gifts_extend_the_trial_twice(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    change_trial_end(stripe_client, monthly, at(2027, 6, 1))
    control.freeze(at(2027, 1, 10))

    extended = change_trial_end(stripe_client, monthly, at(2027, 12, 1))

    assert (extended.trial_start, extended.trial_end) == (NOON, at(2027, 12, 1))
    assert get_period(extended) == (at(2027, 1, 10), at(2027, 12, 1))
    control.freeze(at(2027, 12, 1) - 1)
    assert count_charges(control) == 1
    control.freeze(at(2027, 12, 1))
    assert [entry[0] for entry in list_invoices(stripe_client, monthly)] == [
        "subscription_create",
        "subscription_update",
        "subscription_update",
        "subscription_cycle",
    ]
    assert count_charges(control) == 2


def test_a_trial_can_be_shortened(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    change_trial_end(stripe_client, monthly, at(2027, 12, 1))
    control.freeze(at(2026, 11, 10))
    assert get_period(change_trial_end(stripe_client, monthly, at(2027, 2, 1)))[1] == at(2027, 2, 1)
    control.freeze(at(2027, 2, 1))
    charges = stripe_client.v1.charges.list({"customer": str(monthly.customer)}).data
    assert [charge.created for charge in charges] == [at(2027, 2, 1), NOON]


def test_the_same_date_again_changes_nothing(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    first = change_trial_end(stripe_client, monthly, at(2027, 12, 1))
    event_count = len(control.events())
    control.advance(days=3)
    again = change_trial_end(stripe_client, monthly, at(2027, 12, 1))
    assert (again.latest_invoice, get_period(again)) == (first.latest_invoice, get_period(first))
    assert len(control.events()) == event_count


def test_trial_end_now_ends_the_trial_and_charges(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    change_trial_end(stripe_client, monthly, at(2027, 12, 1))
    control.freeze(at(2026, 12, 10))

    ended = change_trial_end(stripe_client, monthly, "now", billing_cycle_anchor="now")

    assert (ended.status, ended.trial_end) == ("active", at(2026, 12, 10))
    assert get_period(ended) == (at(2026, 12, 10), at(2027, 1, 10))
    assert list_invoices(stripe_client, monthly)[-1] == (
        "subscription_update",
        at(2026, 12, 10),
        "paid",
        600,
    )
    assert count_charges(control) == 2
    control.freeze(at(2027, 1, 10))
    assert count_charges(control) == 3


def test_trial_end_now_without_a_trial_changes_nothing(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    control.advance(days=5)
    kept = change_trial_end(stripe_client, monthly, "now")
    assert (kept.status, kept.trial_end, get_period(kept)) == ("active", None, get_period(monthly))
    assert count_charges(control) == 1


def test_a_second_trial_has_its_own_start(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    change_trial_end(stripe_client, monthly, at(2027, 2, 1))
    control.freeze(at(2027, 2, 15))
    extended = change_trial_end(stripe_client, monthly, at(2027, 6, 1))
    assert (extended.status, extended.trial_start) == ("trialing", at(2027, 2, 15))


@pytest.mark.parametrize(
    ("trial_end", "words"),
    [
        (NOON - DAY, "Unix timestamp in the future"),
        (NOON, "Unix timestamp in the future"),
        (NOON + 730 * DAY + 1, r"The maximum number of trial period days is 730 \(2 years\)\."),
    ],
)
def test_a_trial_end_in_the_past_or_too_far_ahead_is_rejected(
    stripe_client: stripe.StripeClient, monthly: stripe.Subscription, trial_end: int, words: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=words) as refusal:
        change_trial_end(stripe_client, monthly, trial_end)
    assert (refusal.value.http_status, refusal.value.param) == (400, "trial_end")
    same = stripe_client.v1.subscriptions.retrieve(monthly.id)
    assert (same.status, same.latest_invoice) == ("active", monthly.latest_invoice)


def test_the_maximum_of_two_years_counts_from_now(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    change_trial_end(stripe_client, monthly, NOON + 730 * DAY)
    control.advance(days=10)
    assert change_trial_end(stripe_client, monthly, NOON + 740 * DAY).trial_end == NOON + 740 * DAY


def test_a_checkout_rejects_a_trial_that_is_too_long(open_membership: OpenSession) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="730") as refusal:
        open_membership(subscription_data={"trial_period_days": 731})
    assert refusal.value.param == "subscription_data[trial_period_days]"


def test_an_ended_subscription_gets_no_trial(
    stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    stripe_client.v1.subscriptions.cancel(monthly.id)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        change_trial_end(stripe_client, monthly, at(2027, 12, 1))
    assert refusal.value.http_status == 400
    assert len(list_invoices(stripe_client, monthly)) == 1


@pytest.mark.parametrize("first", ["gift", "cancellation"])
def test_a_cancelled_subscription_ends_with_its_trial(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    monthly: stripe.Subscription,
    first: str,
) -> None:
    later = at(2027, 5, 1)
    subscriptions = stripe_client.v1.subscriptions
    if first == "gift":
        change_trial_end(stripe_client, monthly, later)
        ending = subscriptions.update(monthly.id, {"cancel_at_period_end": True})
    else:
        subscriptions.update(monthly.id, {"cancel_at_period_end": True})
        ending = change_trial_end(stripe_client, monthly, later)
    assert (ending.status, ending.cancel_at_period_end) == ("trialing", True)
    assert ending.cancel_at == later
    control.freeze(later - 1)
    assert subscriptions.retrieve(monthly.id).status == "trialing"
    control.freeze(later)
    ended = subscriptions.retrieve(monthly.id)
    assert (ended.status, ended.ended_at) == ("canceled", later)
    assert count_charges(control) == 1


@pytest.fixture
def failing(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_membership: OpenSession,
    month_price: stripe.Price,
) -> stripe.Subscription:
    """Return a subscription paid on 1 November 2026 whose card declines renewals."""
    control.freeze(NOON)
    session = open_membership(price=month_price.id)
    return start_subscription(control, stripe_client, session, card="4000000000000341")


def test_a_decline_after_the_trial_makes_the_subscription_past_due(
    control: SandboxControl, stripe_client: stripe.StripeClient, failing: stripe.Subscription
) -> None:
    change_trial_end(stripe_client, failing, at(2027, 3, 1))
    control.freeze(at(2027, 3, 1))
    past_due = stripe_client.v1.subscriptions.retrieve(failing.id)
    assert (past_due.status, get_period(past_due)) == ("past_due", (at(2027, 3, 1), at(2027, 4, 1)))


def test_a_trial_does_not_stop_retries_of_an_older_invoice(
    control: SandboxControl, stripe_client: stripe.StripeClient, failing: stripe.Subscription
) -> None:
    subscriptions = stripe_client.v1.subscriptions
    control.freeze(at(2026, 12, 1))
    assert subscriptions.retrieve(failing.id).status == "past_due"
    assert change_trial_end(stripe_client, failing, at(2027, 6, 1)).status == "trialing"
    control.advance(days=4)
    assert len(control.events("invoice.payment_failed")) == 2
    assert subscriptions.retrieve(failing.id).status == "trialing"
    control.advance(days=15)
    assert subscriptions.retrieve(failing.id).status == "canceled"


def test_a_trial_continues_when_the_older_invoice_is_voided(
    control: SandboxControl, stripe_client: stripe.StripeClient, failing: stripe.Subscription
) -> None:
    control.freeze(at(2026, 12, 1))
    past_due = stripe_client.v1.subscriptions.retrieve(failing.id)
    change_trial_end(stripe_client, failing, at(2027, 6, 1))
    stripe_client.v1.invoices.void_invoice(str(past_due.latest_invoice))
    control.advance(days=30)
    assert stripe_client.v1.subscriptions.retrieve(failing.id).status == "trialing"


def test_trial_will_end_is_sent_three_days_before_the_end(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    kind = "customer.subscription.trial_will_end"
    later = at(2027, 2, 1)
    change_trial_end(stripe_client, monthly, later)
    control.freeze(later - 3 * DAY - 1)
    assert control.events(kind) == []
    control.freeze(later - DAY)
    [reminder] = control.events(kind)
    assert reminder["created"] == later - 3 * DAY
    assert reminder["data"]["object"]["trial_end"] == later

    change_trial_end(stripe_client, monthly, at(2027, 4, 1))
    control.freeze(at(2027, 4, 1))
    assert [event["created"] for event in control.events(kind)] == [
        later - 3 * DAY,
        at(2027, 4, 1) - 3 * DAY,
    ]

    change_trial_end(stripe_client, monthly, at(2027, 4, 3))
    assert control.events(kind)[-1]["created"] == at(2027, 4, 1)
    change_trial_end(stripe_client, monthly, "now")
    assert len(control.events(kind)) == 4


def test_trial_will_end_is_sent_at_the_start_of_a_short_trial(
    control: SandboxControl, open_membership: OpenSession
) -> None:
    control.freeze(NOON)
    session = open_membership(subscription_data={"trial_period_days": 2})
    control.pay(session.id)
    control.advance(1)
    [reminder] = control.events("customer.subscription.trial_will_end")
    assert reminder["created"] == NOON


def test_with_prorations_the_unused_time_is_credited(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    control.advance(days=15)
    extended = change_trial_end(
        stripe_client, monthly, at(2027, 6, 1), proration_behavior="create_prorations"
    )
    invoice = stripe_client.v1.invoices.retrieve(str(extended.latest_invoice))
    assert [line.amount for line in invoice.lines.data] == [-300, 0]
    assert stripe_client.v1.customers.retrieve(str(monthly.customer)).balance == -300


def test_a_price_change_with_a_trial_costs_nothing_until_the_trial_ends(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    monthly: stripe.Subscription,
    year_price: stripe.Price,
) -> None:
    items = [{"id": monthly["items"].data[0].id, "price": year_price.id}]
    with pytest.raises(stripe.InvalidRequestError, match="only without prorations"):
        change_trial_end(
            stripe_client,
            monthly,
            at(2027, 6, 1),
            items=items,
            proration_behavior="always_invoice",
        )
    change_trial_end(stripe_client, monthly, at(2027, 6, 1), items=items)
    control.freeze(at(2027, 6, 1))
    assert [entry[3] for entry in list_invoices(stripe_client, monthly)] == [600, 0, 6000]
    after = stripe_client.v1.subscriptions.retrieve(monthly.id)
    assert get_period(after) == (at(2027, 6, 1), at(2028, 6, 1))
