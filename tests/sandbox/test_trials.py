"""A running subscription given free time: by `trial_end`, without prorations."""

from typing import Any

import pytest
import stripe

from newsroom.sandbox.control import SandboxControl

from .conftest import NOON, OpenSession, at, period, subscribe

DAY = 86400


@pytest.fixture
def monthly(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_membership: OpenSession,
    month_price: stripe.Price,
) -> stripe.Subscription:
    """€6 a month, paid on 1 November 2026; the clock stands there."""
    control.freeze(NOON)
    return subscribe(control, stripe_client, open_membership(price=month_price.id))


def move(
    client: stripe.StripeClient, member: stripe.Subscription, trial_end: Any, **more: Any
) -> stripe.Subscription:
    params: Any = {"trial_end": trial_end, "proration_behavior": "none", **more}
    return client.v1.subscriptions.update(member.id, params)


def list_invoices(
    client: stripe.StripeClient, member: stripe.Subscription
) -> list[tuple[str | None, int, str | None, int]]:
    """Oldest first."""
    found = client.v1.invoices.list({"subscription": member.id, "limit": 100}).data
    return [
        (each.billing_reason, each.created, each.status, each.total) for each in reversed(found)
    ]


def count_charges(control: SandboxControl) -> int:
    return int(control.books()["currencies"]["eur"]["counts"]["charge"])


def test_a_month_extended_by_a_year_is_charged_on_the_new_date_and_never_in_between(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    control.freeze(at(2026, 11, 16))
    later = at(2027, 12, 1)

    moved = move(stripe_client, monthly, later)

    assert (moved.status, moved.trial_start, moved.trial_end) == (
        "trialing",
        at(2026, 11, 16),
        later,
    )
    assert period(moved) == (at(2026, 11, 16), later)
    assert moved.billing_cycle_anchor == later
    control.freeze(later - 1)
    assert count_charges(control) == 1
    control.freeze(later)
    charged = stripe_client.v1.subscriptions.retrieve(monthly.id)
    assert (charged.status, charged.trial_end) == ("active", later)
    assert period(charged) == (later, at(2028, 1, 1))
    control.freeze(at(2028, 1, 1))
    assert list_invoices(stripe_client, monthly) == [
        ("subscription_create", NOON, "paid", 600),
        ("subscription_update", at(2026, 11, 16), "paid", 0),
        ("subscription_cycle", later, "paid", 600),
        ("subscription_cycle", at(2028, 1, 1), "paid", 600),
    ]


def test_the_invoice_of_free_time_is_paid_at_once_and_moves_no_money(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    books = control.books(rows=True)
    told = len(control.events())

    moved = move(stripe_client, monthly, at(2027, 11, 1))

    assert control.books(rows=True) == books
    invoice = stripe_client.v1.invoices.retrieve(str(moved.latest_invoice))
    assert (invoice.status, invoice.amount_due, invoice.amount_paid) == ("paid", 0, 0)
    assert (invoice.attempted, invoice.attempt_count) == (True, 0)
    [line] = invoice.lines.data
    assert (line.amount, line.description) == (0, "Trial period for Membership")
    assert (line.period.start, line.period.end) == (NOON, at(2027, 11, 1))
    assert stripe_client.v1.invoice_payments.list({"invoice": str(invoice.id)}).data == []
    assert [event["type"] for event in control.events()[told:]] == [
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
    ]


def test_the_event_says_what_was_before(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    move(stripe_client, monthly, at(2027, 11, 1))
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


def test_two_gifts_push_the_date_twice(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    move(stripe_client, monthly, at(2027, 6, 1))
    control.freeze(at(2027, 1, 10))

    moved = move(stripe_client, monthly, at(2027, 12, 1))

    assert (moved.trial_start, moved.trial_end) == (NOON, at(2027, 12, 1))
    assert period(moved) == (at(2027, 1, 10), at(2027, 12, 1))
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


def test_the_date_can_be_moved_back(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    move(stripe_client, monthly, at(2027, 12, 1))
    control.freeze(at(2026, 11, 10))
    assert period(move(stripe_client, monthly, at(2027, 2, 1)))[1] == at(2027, 2, 1)
    control.freeze(at(2027, 2, 1))
    charges = stripe_client.v1.charges.list({"customer": str(monthly.customer)}).data
    assert [charge.created for charge in charges] == [at(2027, 2, 1), NOON]


def test_the_same_date_again_changes_nothing(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    first = move(stripe_client, monthly, at(2027, 12, 1))
    told = len(control.events())
    control.advance(days=3)
    again = move(stripe_client, monthly, at(2027, 12, 1))
    assert (again.latest_invoice, period(again)) == (first.latest_invoice, period(first))
    assert len(control.events()) == told


def test_now_ends_the_free_time_and_charges(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    move(stripe_client, monthly, at(2027, 12, 1))
    control.freeze(at(2026, 12, 10))

    ended = move(stripe_client, monthly, "now", billing_cycle_anchor="now")

    assert (ended.status, ended.trial_end) == ("active", at(2026, 12, 10))
    assert period(ended) == (at(2026, 12, 10), at(2027, 1, 10))
    assert list_invoices(stripe_client, monthly)[-1] == (
        "subscription_update",
        at(2026, 12, 10),
        "paid",
        600,
    )
    assert count_charges(control) == 2
    control.freeze(at(2027, 1, 10))
    assert count_charges(control) == 3


def test_now_without_a_trial_changes_nothing(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    control.advance(days=5)
    kept = move(stripe_client, monthly, "now")
    assert (kept.status, kept.trial_end, period(kept)) == ("active", None, period(monthly))
    assert count_charges(control) == 1


def test_a_second_trial_after_the_first_begins_anew(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    move(stripe_client, monthly, at(2027, 2, 1))
    control.freeze(at(2027, 2, 15))
    moved = move(stripe_client, monthly, at(2027, 6, 1))
    assert (moved.status, moved.trial_start) == ("trialing", at(2027, 2, 15))


@pytest.mark.parametrize(
    ("trial_end", "words"),
    [
        (NOON - DAY, "Unix timestamp in the future"),
        (NOON, "Unix timestamp in the future"),
        (NOON + 730 * DAY + 1, r"The maximum number of trial period days is 730 \(2 years\)\."),
    ],
)
def test_a_date_that_is_past_or_too_far_is_refused(
    stripe_client: stripe.StripeClient, monthly: stripe.Subscription, trial_end: int, words: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=words) as refusal:
        move(stripe_client, monthly, trial_end)
    assert (refusal.value.http_status, refusal.value.param) == (400, "trial_end")
    same = stripe_client.v1.subscriptions.retrieve(monthly.id)
    assert (same.status, same.latest_invoice) == ("active", monthly.latest_invoice)


def test_two_years_are_counted_from_now_and_not_from_the_anchor(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    move(stripe_client, monthly, NOON + 730 * DAY)
    control.advance(days=10)
    assert move(stripe_client, monthly, NOON + 740 * DAY).trial_end == NOON + 740 * DAY


def test_a_checkout_refuses_a_trial_that_is_too_long(open_membership: OpenSession) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="730") as refusal:
        open_membership(subscription_data={"trial_period_days": 731})
    assert refusal.value.param == "subscription_data[trial_period_days]"


def test_an_ended_subscription_gets_no_trial(
    stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    stripe_client.v1.subscriptions.cancel(monthly.id)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        move(stripe_client, monthly, at(2027, 12, 1))
    assert refusal.value.http_status == 400
    assert len(list_invoices(stripe_client, monthly)) == 1


@pytest.mark.parametrize("first", ["gift", "cancellation"])
def test_a_subscription_that_is_to_end_ends_with_its_free_time(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    monthly: stripe.Subscription,
    first: str,
) -> None:
    later = at(2027, 5, 1)
    subscriptions = stripe_client.v1.subscriptions
    if first == "gift":
        move(stripe_client, monthly, later)
        ending = subscriptions.update(monthly.id, {"cancel_at_period_end": True})
    else:
        subscriptions.update(monthly.id, {"cancel_at_period_end": True})
        ending = move(stripe_client, monthly, later)
    assert (ending.status, ending.cancel_at_period_end) == ("trialing", True)
    assert ending.cancel_at == later
    control.freeze(later - 1)
    assert subscriptions.retrieve(monthly.id).status == "trialing"
    control.freeze(later)
    over = subscriptions.retrieve(monthly.id)
    assert (over.status, over.ended_at) == ("canceled", later)
    assert count_charges(control) == 1


@pytest.fixture
def failing(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_membership: OpenSession,
    month_price: stripe.Price,
) -> stripe.Subscription:
    """Paid once on 1 November 2026, with a card that refuses every renewal."""
    control.freeze(NOON)
    session = open_membership(price=month_price.id)
    return subscribe(control, stripe_client, session, card="4000000000000341")


def test_a_charge_refused_after_the_free_time_makes_it_past_due(
    control: SandboxControl, stripe_client: stripe.StripeClient, failing: stripe.Subscription
) -> None:
    move(stripe_client, failing, at(2027, 3, 1))
    control.freeze(at(2027, 3, 1))
    late = stripe_client.v1.subscriptions.retrieve(failing.id)
    assert (late.status, period(late)) == ("past_due", (at(2027, 3, 1), at(2027, 4, 1)))


def test_free_time_does_not_stop_the_tries_at_an_older_invoice(
    control: SandboxControl, stripe_client: stripe.StripeClient, failing: stripe.Subscription
) -> None:
    subscriptions = stripe_client.v1.subscriptions
    control.freeze(at(2026, 12, 1))
    assert subscriptions.retrieve(failing.id).status == "past_due"
    assert move(stripe_client, failing, at(2027, 6, 1)).status == "trialing"
    control.advance(days=4)
    assert len(control.events("invoice.payment_failed")) == 2
    assert subscriptions.retrieve(failing.id).status == "trialing"
    control.advance(days=15)
    assert subscriptions.retrieve(failing.id).status == "canceled"


def test_free_time_goes_on_when_the_older_invoice_is_void(
    control: SandboxControl, stripe_client: stripe.StripeClient, failing: stripe.Subscription
) -> None:
    control.freeze(at(2026, 12, 1))
    late = stripe_client.v1.subscriptions.retrieve(failing.id)
    move(stripe_client, failing, at(2027, 6, 1))
    stripe_client.v1.invoices.void_invoice(str(late.latest_invoice))
    control.advance(days=30)
    assert stripe_client.v1.subscriptions.retrieve(failing.id).status == "trialing"


def test_the_end_of_the_free_time_is_told_three_days_before(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    kind = "customer.subscription.trial_will_end"
    later = at(2027, 2, 1)
    move(stripe_client, monthly, later)
    control.freeze(later - 3 * DAY - 1)
    assert control.events(kind) == []
    control.freeze(later - DAY)
    [told] = control.events(kind)
    assert told["created"] == later - 3 * DAY
    assert told["data"]["object"]["trial_end"] == later

    move(stripe_client, monthly, at(2027, 4, 1))
    control.freeze(at(2027, 4, 1))
    assert [event["created"] for event in control.events(kind)] == [
        later - 3 * DAY,
        at(2027, 4, 1) - 3 * DAY,
    ]

    move(stripe_client, monthly, at(2027, 4, 3))
    assert control.events(kind)[-1]["created"] == at(2027, 4, 1)
    move(stripe_client, monthly, "now")
    assert len(control.events(kind)) == 4


def test_a_short_trial_of_a_checkout_is_told_when_it_begins(
    control: SandboxControl, open_membership: OpenSession
) -> None:
    control.freeze(NOON)
    session = open_membership(subscription_data={"trial_period_days": 2})
    control.pay(session.id)
    control.advance(1)
    [told] = control.events("customer.subscription.trial_will_end")
    assert told["created"] == NOON


def test_with_prorations_the_unused_time_is_credited(
    control: SandboxControl, stripe_client: stripe.StripeClient, monthly: stripe.Subscription
) -> None:
    control.advance(days=15)
    moved = move(stripe_client, monthly, at(2027, 6, 1), proration_behavior="create_prorations")
    invoice = stripe_client.v1.invoices.retrieve(str(moved.latest_invoice))
    assert [line.amount for line in invoice.lines.data] == [-300, 0]
    assert stripe_client.v1.customers.retrieve(str(monthly.customer)).balance == -300


def test_another_price_with_free_time_costs_nothing_before_its_end(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    monthly: stripe.Subscription,
    year_price: stripe.Price,
) -> None:
    items = [{"id": monthly["items"].data[0].id, "price": year_price.id}]
    with pytest.raises(stripe.InvalidRequestError, match="only without prorations"):
        move(
            stripe_client,
            monthly,
            at(2027, 6, 1),
            items=items,
            proration_behavior="always_invoice",
        )
    move(stripe_client, monthly, at(2027, 6, 1), items=items)
    control.freeze(at(2027, 6, 1))
    assert [entry[3] for entry in list_invoices(stripe_client, monthly)] == [600, 0, 6000]
    after = stripe_client.v1.subscriptions.retrieve(monthly.id)
    assert period(after) == (at(2027, 6, 1), at(2028, 6, 1))
