"""Calls to Stripe for subscriptions at our prices that were sold in Stripe's dashboard."""

import pytest

from campaigns import actions, settlement
from campaigns.models import (
    Checkout,
    StripeObject,
    StripeSale,
)
from tests.support.calls import ORDERS, Worker, put_in_order, store
from tests.support.calls import calls as _calls
from tests.support.calls import worker as _worker
from tests.support.extensions import clock as _clock
from tests.support.sales import sell_at_stripe

pytestmark = pytest.mark.usefixtures("clock")

calls, clock, worker = _calls, _clock, _worker  # fixtures


@pytest.mark.parametrize("order", ORDERS)
def test_a_sale_at_our_price_is_listed_and_its_events_cost_at_most_two_calls(
    worker: Worker, order: str
) -> None:
    sell_at_stripe(worker.sandbox, "month")
    events = put_in_order(worker.take_new_events(), order)
    most = {event["type"]: worker.count(store(event)) for event in events}
    assert max(most.values()) <= 2, most
    assert sum(most.values()) <= len(most) + 1, most  # the first one reads the subscription
    assert StripeSale.objects.get().email == "ada@example.org"
    assert not StripeObject.objects.exclude(pk__startswith="cus_").exists()
    actions.adopt_stripe_sale(StripeSale.objects.get().pk)
    worker.calls.clear()
    settlement.settle_checkout(Checkout.objects.get().pk, finds_inquiries=False)
    assert worker.calls.total() == 3, worker.calls
