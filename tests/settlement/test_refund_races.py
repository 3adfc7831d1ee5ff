"""A refund and a dispute of one payment at once: the rows are Stripe's books, whoever is first."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.functional import Promise

from campaigns import progress, settlement, stripe_api
from campaigns.models import Campaign, Checkout, Dispute, Payment, Refund, RefundOrder, Tally
from campaigns.payments import valid_interval
from campaigns.settlement import settling
from newsroom.sandbox.control import SandboxControl
from tests.settlement.test_settlement import order_membership
from tests.support.threads import race

CARD = "4242424242424242"
DAY = 86_400
PART = 1500
Step = Callable[[], object]


@pytest.fixture
def staff(campaign: Campaign) -> User:
    return User.objects.create_user("olha")


@pytest.fixture
def sold(campaign: Campaign, sandbox: SandboxControl) -> Payment:
    checkout = order_membership(campaign, "once")
    sandbox.pay(str(checkout.session_id), card=CARD)
    settlement.settle_checkout(checkout.pk)
    sandbox.advance(DAY)
    return Payment.objects.get()


def give_back(payment: Payment, staff: User, minor: int = PART) -> RefundOrder:
    """By staff in our admin, as far as Stripe lets them."""
    order = settlement.order_refund(
        payment,
        amount_minor=minor,
        reason=RefundOrder.Reason.REQUESTED,
        why="asked",
        by=staff,
    )
    return settlement.execute_refund_order(order.pk)


def close(sandbox: SandboxControl, status: str) -> None:
    [opened] = sandbox.events("charge.dispute.created")
    sandbox.close_dispute(opened["data"]["object"]["id"], status=status)


def settle(payment: Payment) -> Checkout:
    assert payment.checkout_id is not None
    return settlement.settle_checkout(payment.checkout_id)


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
    """Rows, standing and tally are the same, whether the refund was let through or refused."""
    assert ours() == theirs(sandbox)
    assert Refund.objects.count() == len(sandbox.events("refund.created"))
    assert not RefundOrder.objects.filter(next_attempt_at__isnull=False).exists()
    dispute, payment = Dispute.objects.get(), Payment.objects.get()
    until = dispute.withdrawn_at if ending == "lost" else None
    assert dispute.status == ending
    assert valid_interval(payment) == (payment.paid_at, until)
    assert Tally.objects.get().counted_until == until


@pytest.mark.parametrize("ending", ["lost", "won"])
@pytest.mark.parametrize(
    "first", ["refund dispute end", "dispute refund end", "dispute end refund"]
)
def test_what_happens_between_reading_stripe_and_writing_is_read_again(
    sold: Payment,
    *,
    staff: User,
    sandbox: SandboxControl,
    monkeypatch: pytest.MonkeyPatch,
    first: str,
    ending: str,
) -> None:
    """Each step happens, and is settled by another worker, while the one before it is settled."""
    ways: dict[str, Step] = {
        "refund": partial(give_back, sold, staff),
        "dispute": partial(sandbox.open_dispute, payment_intent=sold.intent_id),
        "end": partial(close, sandbox, ending),
    }
    steps, read = [ways[name] for name in first.split()], settlement.read_snapshot

    def read_and_be_slow(session_id: str, **_: str) -> settlement.Snapshot:
        snapshot = read(session_id)
        if steps:
            sandbox.advance(60)
            steps.pop(0)()
            settle(sold)
        return snapshot

    monkeypatch.setattr(settling, "read_snapshot", read_and_be_slow)
    settle(sold)
    assert not steps
    assert_settled(sandbox, ending)


def test_whoever_writes_what_was_read_before_ends_in_other_rows(
    sold: Payment, sandbox: SandboxControl
) -> None:
    """The control: without a look at the version the slower worker puts the old state back."""
    sandbox.open_dispute(payment_intent=sold.intent_id)
    checkout = settle(sold)
    read_before = settlement.read_snapshot(str(checkout.session_id))
    close(sandbox, "won")
    settle(sold)
    assert_settled(sandbox, "won")
    with transaction.atomic():
        locked = Checkout.objects.select_for_update(no_key=True).get(pk=checkout.pk)
        settlement.write_snapshot(locked, read_before)
    assert Dispute.objects.get().status == "needs_response"
    assert ours() != theirs(sandbox)


@pytest.mark.parametrize("ending", ["lost", "won"])
def test_a_refund_a_dispute_and_those_who_settle_them_all_at_once(
    sold: Payment, staff: User, sandbox: SandboxControl, ending: str
) -> None:
    outcomes = race(
        partial(give_back, sold, staff),
        partial(sandbox.open_dispute, payment_intent=sold.intent_id),
        *[partial(settle, sold)] * 2,
    )
    assert not any(isinstance(outcome, Exception) for outcome in outcomes), outcomes
    race(partial(close, sandbox, ending), *[partial(settle, sold)] * 2)
    settle(sold)
    assert_settled(sandbox, ending)
    order = RefundOrder.objects.get()
    assert (order.refund_id is None) == (order.error == "charge_disputed")


def test_a_refund_of_all_that_the_dashboard_made_first_ends_ours_with_the_reason(
    sold: Payment, staff: User, sandbox: SandboxControl
) -> None:
    order = settlement.order_refund(
        sold, amount_minor=6000, reason=RefundOrder.Reason.DUPLICATE, why="twice", by=staff
    )
    v1 = stripe_api.client().v1
    v1.refunds.create({"payment_intent": str(sold.intent_id), "amount": PART})
    order = settlement.execute_refund_order(order.pk)
    assert (order.refund_id, order.next_attempt_at) == (None, None)
    assert settlement.explain_refusal(order) == "less than that is left of the payment"
    v1.refunds.create({"payment_intent": str(sold.intent_id)})
    assert settlement.explain_refusal(give_back(sold, staff)) == (
        "all of the payment is given back already"
    )
    settle(sold)
    assert ours() == theirs(sandbox)
    assert settlement.refundable_minor(sold) == 0
    with pytest.raises(settlement.RefundRefused) as refused:
        give_back(sold, staff)
    assert isinstance(refused.value.args[0], Promise)  # told in the language of whoever asked
