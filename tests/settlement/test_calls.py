"""Calls to Stripe: a sale, a renewal and an event of somebody else's object cost few."""

import re
import time
from functools import partial
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from campaigns import checkout as checkouts
from campaigns import settlement, stripe_api, webhooks
from campaigns.models import (
    Checkout,
    Membership,
    Payment,
    Price,
    StripeEvent,
    StripeObject,
    StripeSale,
)
from tests.support.calls import ORDERS, Json, Worker, put_in_order, store
from tests.support.calls import calls as _calls
from tests.support.calls import worker as _worker
from tests.support.extensions import CARD
from tests.support.extensions import clock as _clock
from tests.support.factories import at, make_member
from tests.support.sales import place_order
from tests.support.threads import race

pytestmark = pytest.mark.usefixtures("clock")

calls, clock, worker = _calls, _clock, _worker  # fixtures
FIGURES = (Path(__file__).resolve().parents[2] / "docs" / "figures.md").read_text()


def most_calls(what: str) -> int:
    """Return how many calls something takes at most, as `docs/figures.md` shows it."""
    shown = re.search(rf"^\| {what} \| \d+ \| (\d+) \|$", FIGURES, re.MULTILINE)
    assert shown is not None, what
    return int(shown[1])


SALES = {"month": "a new membership", "gift": "a gift"}


def show_thanks(checkout: Checkout) -> None:
    url = reverse("campaigns:thanks", kwargs={"checkout_id": checkout.pk})
    assert Client().get(url).status_code == 200


def sell(worker: Worker, kind: str) -> Checkout:
    checkout = place_order(worker.campaign, kind)
    worker.sandbox.pay(str(checkout.session_id), card=CARD)
    return checkout


def make_foreign_price() -> str:
    price: Json = {"currency": "eur", "unit_amount": 900, "recurring": {"interval": "month"}}
    price["product_data"] = {"name": "Another product"}
    return stripe_api.client().v1.prices.create(price).id  # type: ignore[arg-type]


def sell_elsewhere(worker: Worker, kind: str) -> Json:
    """Sell at Stripe without our metadata, as another product of the newspaper does."""
    params = checkouts.session_params(place_order(worker.campaign, kind))
    if kind == "month":
        params["line_items"] = [{"price": make_foreign_price(), "quantity": 1}]
    for holder in (params, params.get("subscription_data"), params.get("payment_intent_data")):
        if holder:
            holder.pop("metadata")
    session = stripe_api.create_session(params, idempotency_key=f"elsewhere-{kind}")
    Checkout.objects.all().delete()
    worker.sandbox.pay(session.id, card=CARD)
    named = [event["data"]["object"] for event in worker.sandbox.events()]
    return {each["object"]: each for each in named}


# Ours


@pytest.mark.thorough
@pytest.mark.parametrize("thanks", ["first", "last", "never"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", SALES)
def test_a_sale_costs_few_calls_in_any_order_of_its_events(
    worker: Worker, kind: str, order: str, thanks: str
) -> None:
    worker.calls.clear()
    checkout = place_order(worker.campaign, kind)
    assert worker.calls.total() == 1
    worker.sandbox.pay(str(checkout.session_id), card=CARD)
    events = worker.take_new_events()
    assert len(events) == (11 if kind == "month" else 5)
    if thanks == "first":
        show_thanks(checkout)
    worker.deliver(put_in_order(events, order))
    if thanks == "last":
        show_thanks(checkout)
    worker.finish()
    assert worker.calls.total() <= most_calls(SALES[kind]) <= 10, worker.calls
    assert not StripeEvent.objects.exclude(status__in=["done", "ignored"]).exists()
    assert set(StripeEvent.objects.filter(type__in=webhooks.EVENTS).values_list("status")) == {
        ("done",)
    }
    assert Payment.objects.get().status == "succeeded"


def test_a_payload_that_names_a_checkout_saves_the_call_for_its_own_object(worker: Worker) -> None:
    sell(worker, "gift")
    events = {event["type"]: event for event in worker.take_new_events()}
    assert worker.count(store(events["payment_intent.succeeded"])) == 1
    assert StripeEvent.objects.get().status == "done"
    assert Payment.objects.get().status == "succeeded"


def test_a_payload_that_names_the_checkout_of_another_sale_is_not_believed(worker: Worker) -> None:
    named = sell_elsewhere(worker, "gift")
    worker.take_new_events()
    checkout = place_order(worker.campaign, "gift")
    intent = {**named["payment_intent"], "metadata": {"checkout": str(checkout.pk)}}
    forged = {**worker.sandbox.events("payment_intent.succeeded")[-1], "data": {"object": intent}}
    assert worker.count(store(forged)) == 3  # the named session, the intent, and its invoice
    assert StripeEvent.objects.get().status == "ignored"
    checkout.refresh_from_db()
    assert checkout.status == "open"
    assert not Payment.objects.exists()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("months", [1, pytest.param(14, marks=pytest.mark.thorough)])
def test_a_renewal_costs_at_most_six_calls_at_any_age(
    worker: Worker, months: int, order: str
) -> None:
    sell(worker, "month")
    if months > 1:
        worker.clock.move_to(at("2027-12-20 12:00"))
    worker.deliver(worker.take_new_events())
    worker.finish()
    paid = Payment.objects.count()
    worker.clock.move_to(at("2028-01-20 12:00") if months > 1 else at("2026-12-20 12:00"))
    worker.calls.clear()
    worker.deliver(put_in_order(worker.take_new_events(), order))
    worker.finish()
    assert worker.calls.total() <= most_calls("a renewal") <= 6, worker.calls
    assert Payment.objects.count() == paid + 1
    assert not StripeEvent.objects.filter(status="failed").exists()


def test_events_of_one_sale_that_are_due_together_are_settled_once(worker: Worker) -> None:
    sell(worker, "year")
    event_ids = [store(event) for event in worker.take_new_events()]
    worker.calls.clear()
    for event_id in event_ids:
        webhooks.work_on_event(event_id)
    assert worker.calls.total() <= 4  # one asks to whom the first event belongs
    assert Checkout.objects.get().version == 1


def test_an_event_from_before_the_last_reading_is_closed_without_a_call(worker: Worker) -> None:
    checkout = sell(worker, "year")
    first, *late = worker.take_new_events()[::-1]
    worker.pass_time(4)  # not yet long enough: Stripe's times are whole seconds, its clocks differ
    worker.deliver([first])
    worker.calls.clear()
    webhooks.work_on_event(store(late.pop()))
    assert worker.calls.total() > 0
    worker.pass_time(6)
    webhooks.replay_events([first["id"]])
    webhooks.work_on_event(first["id"])
    version = Checkout.objects.get(pk=checkout.pk).version
    worker.calls.clear()
    for event in late:
        webhooks.work_on_event(store(event))
    assert worker.calls.total() == 0
    assert Checkout.objects.get(pk=checkout.pk).version == version
    assert not StripeEvent.objects.filter(due_at__isnull=False).exists()


def test_a_clock_of_ours_that_is_ahead_covers_nothing_more(worker: Worker) -> None:
    """The time of a reading is Stripe's own."""
    checkout = sell(worker, "gift")
    now = worker.sandbox.now()
    worker.clock.move_to(at("2026-11-10 13:00"))
    worker.sandbox.freeze(now)
    worker.deliver(worker.take_new_events())
    worker.finish()
    checkout.refresh_from_db()
    assert checkout.read_at is not None
    assert checkout.read_at.timestamp() <= worker.sandbox.now()


def test_an_event_that_arrives_during_a_settlement_is_not_closed_by_it(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell(worker, "gift")
    events = {event["type"]: event for event in worker.take_new_events()}
    first, second = events["charge.succeeded"], events["payment_intent.succeeded"]
    fetch = stripe_api.fetch_session

    def fetch_slowly(session_id: str) -> stripe_api.Session:
        session = fetch(session_id)
        store(second)
        return session

    monkeypatch.setattr(stripe_api, "fetch_session", fetch_slowly)
    webhooks.work_on_event(store(first))
    assert StripeEvent.objects.get(event_id=first["id"]).status == "done"
    assert StripeEvent.objects.get(event_id=second["id"]).status == "new"


def test_a_refund_of_a_paid_sale_does_not_wait_for_other_events(worker: Worker) -> None:
    sell(worker, "gift")
    worker.deliver(worker.take_new_events())
    worker.finish()
    worker.pass_time(3600)
    intent_id = str(Payment.objects.get().intent_id)
    stripe_api.refund_payment(intent_id, amount_minor=100, idempotency_key="part")
    events = {event["type"]: event for event in worker.take_new_events()}
    webhooks.work_on_event(store(events["charge.refunded"]), may_wait=True)
    assert StripeEvent.objects.get(type="charge.refunded").status == "new"
    webhooks.work_on_event(store(events["refund.created"]), may_wait=True)
    assert Payment.objects.get().refunds.count() == 1
    assert StripeEvent.objects.get(type="charge.refunded").status == "done"  # by the same reading


def test_an_event_waits_while_another_process_reads_its_sale(worker: Worker) -> None:
    checkout = sell(worker, "gift")
    event = worker.take_new_events()[-1]
    Checkout.objects.update(reading_since=at("2026-11-10 12:00"))
    worker.calls.clear()
    worker.deliver([event])
    row = StripeEvent.objects.get()
    assert (row.status, row.attempts, worker.calls.total()) == ("new", 0, 0)
    worker.finish()  # that process died
    checkout.refresh_from_db()
    assert (checkout.status, checkout.reading_since) == ("paid", None)


def test_the_thank_you_page_shares_a_reading_that_has_begun(worker: Worker) -> None:
    checkout = sell(worker, "gift")
    worker.calls.clear()
    worker.sandbox.add_fault("api", match="GET /v1/checkout/sessions", kind="delay", seconds=0.5)

    def look() -> Checkout:
        while Checkout.objects.get().reading_since is None:
            time.sleep(0.01)
        return settlement.settle_checkout(checkout.pk, finds_inquiries=False, may_share=True)

    settle = partial(settlement.settle_checkout, checkout.pk, finds_inquiries=False)
    outcomes = race(settle, look)
    assert [getattr(outcome, "status", outcome) for outcome in outcomes] == ["paid", "paid"]
    assert worker.calls == {"checkout/sessions": 1}


# Not ours


@pytest.mark.thorough
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", ["month", "gift"])
def test_an_event_of_another_products_sale_costs_at_most_one_call(
    worker: Worker, kind: str, order: str
) -> None:
    named = sell_elsewhere(worker, kind)
    events = put_in_order(worker.take_new_events(), order)
    most = {}
    for later in (False, True):
        if later:
            stripe_api.refund_payment(
                named["payment_intent"]["id"], amount_minor=100, idempotency_key="part"
            )
            worker.sandbox.open_dispute(charge=named["charge"]["id"])
            worker.clock.move_to(at("2026-12-20 12:00"))
            events = put_in_order(worker.take_new_events(), order)
        for event in events:
            most[event["type"]] = worker.count(store(event))
    assert max(most.values()) == most_calls("an event that is not ours") == 1, most
    assert set(StripeEvent.objects.values_list("status", flat=True)) == {"ignored"}
    assert not Payment.objects.exists()
    StripeEvent.objects.update(status="new", due_at=at("2026-12-20 12:00"))
    # The order that gave the parameters is lost: staff should see that, so nothing is remembered.
    rows = StripeEvent.objects.exclude(reason=StripeEvent.Reason.LOST_CHECKOUT)
    again = {row.type: worker.count(row.event_id) for row in rows}
    assert set(again.values()) == {0}, again  # remembered


@pytest.mark.thorough
@pytest.mark.parametrize("sold", ["gift", "month"])
@pytest.mark.parametrize("kind", ["refund", "dispute"])
def test_a_refund_or_dispute_of_a_strangers_payment_costs_one_call_and_is_remembered(
    worker: Worker, kind: str, sold: str
) -> None:
    named = sell_elsewhere(worker, sold)
    worker.take_new_events()
    sell(worker, "month")  # we have a customer, but another one
    worker.deliver(worker.take_new_events())
    worker.finish()
    intent_id, charge_id = named["payment_intent"]["id"], named["charge"]["id"]
    if kind == "refund":
        stripe_api.refund_payment(intent_id, amount_minor=100, idempotency_key="part")
    else:
        worker.sandbox.open_dispute(charge=charge_id)
    events = {event["type"]: event for event in worker.take_new_events()}
    created = "refund.created" if kind == "refund" else "charge.dispute.created"
    assert worker.count(store(events[created])) == most_calls("an event that is not ours") == 1
    object_id = events[created]["data"]["object"]["id"]
    assert StripeObject.objects.get(pk=object_id).checkout is None
    assert StripeObject.objects.filter(checkout=None, pk__in=[intent_id, charge_id]).count() == 2


def test_a_refund_of_a_customer_of_ours_finds_a_payment_that_we_have_never_seen(
    worker: Worker,
) -> None:
    checkout = sell(worker, "month")
    worker.deliver(worker.take_new_events())
    worker.finish()
    worker.clock.move_to(at("2026-12-20 12:00"))
    renewal = [event["data"]["object"] for event in worker.take_new_events()]
    [intent_id] = {each["id"] for each in renewal if each["object"] == "payment_intent"}
    stripe_api.refund_payment(intent_id, amount_minor=100, idempotency_key="part")
    events = {event["type"]: event for event in worker.take_new_events()}
    assert not Payment.objects.filter(intent_id=intent_id).exists()
    worker.deliver([events["refund.created"]])
    assert Payment.objects.get(intent_id=intent_id).checkout == checkout
    assert Payment.objects.get(intent_id=intent_id).refunds.count() == 1


@pytest.mark.thorough
def test_staff_who_replay_an_event_always_ask_stripe(worker: Worker) -> None:
    sell_elsewhere(worker, "month")
    worker.deliver(worker.take_new_events())
    sell(worker, "month")
    worker.pass_time(60)
    worker.deliver(worker.take_new_events())
    worker.finish()
    for row in StripeEvent.objects.filter(type__in=webhooks.EVENTS):
        worker.calls.clear()
        assert webhooks.replay_events([row.event_id]) == 1
        webhooks.work_on_event(row.event_id, may_wait=True)
        assert worker.calls.total() > 0, row
        was = row.status
        row.refresh_from_db()
        assert (row.status, row.is_replayed) == (was, False)


def test_a_subscription_that_moves_to_our_price_is_listed(worker: Worker) -> None:
    named = sell_elsewhere(worker, "month")
    worker.deliver(worker.take_new_events())
    assert StripeObject.objects.filter(pk=named["subscription"]["id"], checkout=None).exists()
    [item] = named["subscription"]["items"]["data"]
    ours = Price.objects.get(kind="month").stripe_price_id
    stripe_api.client().v1.subscriptions.update(
        named["subscription"]["id"], {"items": [{"id": item["id"], "price": ours}]}
    )
    worker.deliver(worker.take_new_events())
    worker.finish()
    assert StripeSale.objects.get().subscription_id == named["subscription"]["id"]


@pytest.mark.thorough
@pytest.mark.parametrize("how", ["by our rows", "by metadata at Stripe"])
def test_a_subscription_that_becomes_ours_is_looked_at_again(worker: Worker, how: str) -> None:
    named = sell_elsewhere(worker, "month")
    worker.deliver(worker.take_new_events())
    assert not StripeEvent.objects.exclude(status="ignored").exists()
    subscription_id = named["subscription"]["id"]
    adopted = place_order(worker.campaign, "month")
    Checkout.objects.update(session_id=named["checkout.session"]["id"])
    subscriptions = stripe_api.client().v1.subscriptions
    if how == "by our rows":
        Membership.objects.create(
            source="subscription",
            member=make_member(),
            checkout=adopted,
            started_at=at("2026-11-10 12:00"),
            subscription_id=subscription_id,
        )
        subscriptions.update(subscription_id, {"cancel_at_period_end": True})
    else:
        subscriptions.update(subscription_id, {"metadata": {"checkout": str(adopted.pk)}})
    worker.pass_time(60)
    worker.deliver(worker.take_new_events())
    worker.finish()
    assert Payment.objects.get().checkout == adopted
    assert StripeObject.objects.get(pk=subscription_id).checkout == adopted
    assert StripeObject.objects.get(pk=named["charge"]["id"]).checkout == adopted
