"""Our rows equal Stripe's when a payment is refunded and disputed at once, in any order."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.functional import Promise

from campaigns import actions, progress, settlement, stripe_api
from campaigns.actions import refunds
from campaigns.models import Campaign, Checkout, Dispute, Payment, Refund, RefundOrder, Tally
from campaigns.payments import valid_interval
from campaigns.settlement import checkouts
from newsroom.sandbox.control import SandboxControl
from tests.support.sales import buy, settle_payment
from tests.support.threads import race

pytestmark = pytest.mark.both_databases

CARD = "4242424242424242"
DAY = 86_400
PART = 1500
Step = Callable[[], object]


@pytest.fixture
def staff(campaign: Campaign) -> User:
    return User.objects.create_user("olha")


@pytest.fixture
def sold(campaign: Campaign, sandbox: SandboxControl) -> Payment:
    buy(campaign, sandbox, "once")
    sandbox.advance(DAY)
    return Payment.objects.get()


def refund_in_admin(payment: Payment, staff: User, minor: int = PART) -> RefundOrder:
    """Refund in our admin, if Stripe allows it."""
    order = refunds.order_refund(
        payment,
        amount_minor=minor,
        reason=RefundOrder.Reason.REQUESTED,
        why="asked",
        by=staff,
    )
    return actions.execute_refund_order(order.pk)


def close(sandbox: SandboxControl, status: str) -> None:
    [opened] = sandbox.events("charge.dispute.created")
    sandbox.close_dispute(opened["data"]["object"]["id"], status=status)


def ours() -> dict[str, int]:
    [paid_out] = progress.sum_payouts(Payment.objects.all())
    return {
        "gross_minor": paid_out.gross_minor,
        "fees_minor": paid_out.fees_minor + paid_out.dispute_fees_minor,
        "refunded_minor": paid_out.refunded_minor,
        "disputed_minor": paid_out.disputed_minor,
        "net_minor": paid_out.net_minor,
    }


def theirs(sandbox: SandboxControl) -> dict[str, Any]:
    book = sandbox.books()["currencies"]["eur"]
    return {name: book[name] for name in ours()}


def assert_settled(sandbox: SandboxControl, ending: str) -> None:
    """Check rows, validity and tally, whether the refund was accepted or refused."""
    assert ours() == theirs(sandbox)
    assert Refund.objects.count() == len(sandbox.events("refund.created"))
    assert not RefundOrder.objects.filter(due_at__isnull=False).exists()
    dispute, payment = Dispute.objects.get(), Payment.objects.get()
    until = dispute.withdrawn_at if ending == "lost" else None
    assert dispute.status == ending
    assert valid_interval(payment) == (payment.paid_at, until)
    assert Tally.objects.get().counted_until == until


@pytest.mark.thorough
@pytest.mark.parametrize("ending", ["lost", "won"])
@pytest.mark.parametrize(
    "first", ["refund dispute end", "dispute refund end", "dispute end refund"]
)
def test_changes_between_reading_stripe_and_writing_are_read_again(
    sold: Payment,
    *,
    staff: User,
    sandbox: SandboxControl,
    monkeypatch: pytest.MonkeyPatch,
    first: str,
    ending: str,
) -> None:
    """Each step is settled by another worker while the one before is being settled."""
    ways: dict[str, Step] = {
        "refund": partial(refund_in_admin, sold, staff),
        "dispute": partial(sandbox.open_dispute, payment_intent=sold.intent_id),
        "end": partial(close, sandbox, ending),
    }
    steps, read = [ways[name] for name in first.split()], settlement.read_snapshot

    def read_slowly(session_id: str, **_: str) -> settlement.Snapshot:
        snapshot = read(session_id)
        if steps:
            sandbox.advance(60)
            steps.pop(0)()
            settle_payment(sold)
        return snapshot

    monkeypatch.setattr(checkouts, "read_snapshot", read_slowly)
    settle_payment(sold)
    assert not steps
    assert_settled(sandbox, ending)


def test_writing_an_outdated_snapshot_ends_in_different_rows(
    sold: Payment, sandbox: SandboxControl
) -> None:
    """Control: without the version check the slower worker restores the old state."""
    sandbox.open_dispute(payment_intent=sold.intent_id)
    checkout = settle_payment(sold)
    read_before = settlement.read_snapshot(str(checkout.session_id))
    close(sandbox, "won")
    settle_payment(sold)
    assert_settled(sandbox, "won")
    with transaction.atomic():
        locked = Checkout.objects.select_for_update(no_key=True).get(pk=checkout.pk)
        settlement.write_snapshot(locked, read_before)
    assert Dispute.objects.get().status == "needs_response"
    assert ours() != theirs(sandbox)


@pytest.mark.parametrize("ending", ["lost", "won"])
def test_a_refund_a_dispute_and_their_settlements_at_once_end_in_stripes_state(
    sold: Payment, staff: User, sandbox: SandboxControl, ending: str
) -> None:
    outcomes = race(
        partial(refund_in_admin, sold, staff),
        partial(sandbox.open_dispute, payment_intent=sold.intent_id),
        *[partial(settle_payment, sold)] * 2,
    )
    assert not any(isinstance(outcome, Exception) for outcome in outcomes), outcomes
    race(partial(close, sandbox, ending), *[partial(settle_payment, sold)] * 2)
    settle_payment(sold)
    assert_settled(sandbox, ending)
    order = RefundOrder.objects.get()
    assert (order.refund_id is None) == (order.error.startswith("charge_disputed: "))


def test_a_full_refund_in_the_dashboard_ends_our_order_with_the_reason(
    sold: Payment, staff: User, sandbox: SandboxControl
) -> None:
    order = refunds.order_refund(
        sold, amount_minor=6000, reason=RefundOrder.Reason.DUPLICATE, why="twice", by=staff
    )
    v1 = stripe_api.client().v1
    v1.refunds.create({"payment_intent": str(sold.intent_id), "amount": PART})
    order = actions.execute_refund_order(order.pk)
    assert (order.refund_id, order.due_at) == (None, None)
    assert (
        actions.explain_refusal(order)
        == "This amount is more than what is left of the payment. Enter less."
    )
    v1.refunds.create({"payment_intent": str(sold.intent_id)})
    assert actions.explain_refusal(refund_in_admin(sold, staff)) == (
        "The payment has already been refunded in full."
    )
    settle_payment(sold)
    assert ours() == theirs(sandbox)
    assert actions.compute_refundable(sold) == 0
    with pytest.raises(actions.RefundRefused) as refused:
        refund_in_admin(sold, staff)
    assert isinstance(refused.value.args[0], Promise)  # translated for the person who asked
