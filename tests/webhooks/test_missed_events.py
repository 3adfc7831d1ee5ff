"""Events that never arrived: each sale is settled once for all of them."""

from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from campaigns import settlement, stripe_api, webhooks
from campaigns.models import Campaign, Checkout, Membership, Payment, Refund, StripeEvent
from newsroom.sandbox.control import SandboxControl
from tests.support.due import list_due_events
from tests.support.extensions import CARD, Clock, clock  # noqa: F401 - a fixture
from tests.support.factories import at
from tests.support.sales import place_order

pytestmark = pytest.mark.usefixtures("clock")
Settled = Counter[UUID]


@pytest.fixture
def sales(campaign: Campaign, sandbox: SandboxControl, clock: Clock) -> list[Checkout]:  # noqa: F811
    """Sell a monthly membership with two renewals, and a gift that is refunded and disputed."""
    sold = [place_order(campaign, "month"), place_order(campaign, "gift")]
    for checkout in sold:
        sandbox.pay(str(checkout.session_id), card=CARD)
    session = stripe_api.fetch_session(str(sold[1].session_id))
    assert session.intent is not None
    intent = session.intent.id
    stripe_api.refund_payment(intent, amount_minor=1500, idempotency_key="one")
    sandbox.open_dispute(payment_intent=intent)
    clock.move_to(at("2027-01-20 12:00"))
    return sold


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> Settled:
    """Count how often each Checkout is settled."""
    times: Settled = Counter()
    settle = settlement.settle_checkout

    def count(checkout_id: UUID, **hint: Any) -> Checkout:
        times[checkout_id] += 1
        return settle(checkout_id, **hint)

    monkeypatch.setattr(settlement, "settle_checkout", count)
    return times


def rows() -> list[Any]:
    """Return the rows of the sales, without our own ids and times."""
    payments = Payment.objects.order_by("intent_id").values_list(
        *("intent_id", "status", "role", "amount_minor", "fee_minor", "paid_at")
    )
    refunds = Refund.objects.values_list("refund_id", "amount_minor", "status")
    events = StripeEvent.objects.order_by("event_id").values_list(
        *("event_id", "status", "attempts", "error", "reason", "due_at")
    )
    memberships = Membership.objects.values_list("subscription_id", "status", "ends_at")
    return [list(values) for values in (payments, refunds, events, memberships)]


def test_each_sale_is_settled_once_for_all_its_missed_events(
    sales: list[Checkout], settled: Settled
) -> None:
    result = webhooks.catch_up()
    assert result.missed == StripeEvent.objects.count() > 20
    assert settled == {sales[0].pk: 1, sales[1].pk: 1}
    assert set(StripeEvent.objects.values_list("status", "attempts")) == {("done", 1)}
    assert Payment.objects.count() == 4
    once = rows()

    Checkout.objects.update(version=0)
    for event_id in StripeEvent.objects.values_list("event_id", flat=True):
        webhooks.replay_events([event_id])
        webhooks.work_on_event(event_id)
    StripeEvent.objects.update(attempts=1)
    assert rows() == once  # one event at a time gives the same
    assert sum(settled.values()) == result.missed + 2


def test_batches_of_events_settle_every_sale(
    sales: list[Checkout], settled: Settled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "_BATCH", 3)
    webhooks.catch_up()
    assert settled == {sales[0].pk: 1, sales[1].pk: 1}  # later batches happened before
    assert set(StripeEvent.objects.values_list("status", "error")) == {("done", "")}
    assert Payment.objects.count() == 4


def test_an_unsaved_session_is_settled_by_its_own_event(
    sales: list[Checkout], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "_BATCH", 3)  # newest first, so the session comes late
    Checkout.objects.update(session_id=None, status="starting")
    webhooks.catch_up()
    assert not StripeEvent.objects.exclude(status="done").exists()
    assert set(Checkout.objects.values_list("status", flat=True)) == {"paid"}
    assert Payment.objects.count() == 4


def test_a_failure_of_one_sale_keeps_its_events_due_and_is_tried_once(
    sales: list[Checkout],
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,  # noqa: F811
) -> None:
    tried: list[UUID] = []
    settle = settlement.settle_checkout

    def fail(checkout_id: UUID, **hint: Any) -> Checkout:
        tried.append(checkout_id)
        if checkout_id == sales[1].pk:
            raise settlement.SettlementBusy("once more, please")
        return settle(checkout_id, **hint)

    monkeypatch.setattr(settlement, "settle_checkout", fail)
    webhooks.catch_up()
    assert Counter(tried)[sales[0].pk] == 1
    failed = StripeEvent.objects.filter(status="failed")
    assert failed.count() > 5
    assert set(failed.values_list("attempts", "error")) == {
        (1, "SettlementBusy: once more, please")
    }
    assert len(tried) - 1 <= 2  # its session, and the dispute
    assert not StripeEvent.objects.exclude(status="failed").exclude(status="done").exists()

    monkeypatch.setattr(settlement, "settle_checkout", settle)
    clock.move_to(at("2027-01-20 12:01"))
    for event_id in list_due_events(at=at("2027-01-20 12:01")):
        webhooks.work_on_event(event_id)
    assert not StripeEvent.objects.exclude(status="done").exists()
    assert Payment.objects.count() == 4


def test_a_dry_run_settles_nothing(sales: list[Checkout], settled: Settled) -> None:
    assert webhooks.catch_up(dry_run=True).missed > 20
    assert settled == {}
    assert not StripeEvent.objects.exists()
