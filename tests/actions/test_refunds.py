"""Refunds by staff and from Stripe's dashboard, for one gift of several."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from campaigns import actions, jobs, progress, settlement, stripe_api
from campaigns.actions import refunds
from campaigns.models import (
    Campaign,
    Gift,
    Payment,
    Refund,
    RefundOrder,
    Tally,
)
from campaigns.models.moves import ForbiddenMove
from newsroom.sandbox.control import SandboxControl
from tests.support.refunds import statuses
from tests.support.refunds import three_gifts as _three_gifts
from tests.support.sales import place_order
from tests.support.threads import race

CARD = "4242424242424242"
three_gifts = _three_gifts  # a fixture

ASKED = RefundOrder.Reason.REQUESTED


@pytest.fixture
def staff(campaign: Campaign) -> User:
    return User.objects.create_user("olha")


def order(gift: Gift, staff: User, amount_minor: int = 6000) -> RefundOrder:
    return refunds.order_refund(
        gift.payment, amount_minor=amount_minor, reason=ASKED, why="asked", by=staff, gifts=[gift]
    )


def counting() -> int:
    return Tally.objects.filter(counted_until__isnull=True).count()


def at_stripe(payment: Payment) -> list[int]:
    return [refund.amount_minor for refund in stripe_api.list_refunds(payment.charge_id)]


def refund_in_the_dashboard(payment: Payment, amount_minor: int) -> Refund:
    stripe_api.client().v1.refunds.create(
        {"payment_intent": str(payment.intent_id), "amount": amount_minor}
    )
    assert payment.checkout_id is not None
    settlement.settle_checkout(payment.checkout_id)
    return Refund.objects.latest("pk")


def test_a_refund_for_one_gift_of_three_revokes_that_one(
    three_gifts: list[Gift], staff: User
) -> None:
    assert counting() == 3
    actions.execute_refund_order(order(three_gifts[1], staff).pk)
    assert statuses() == ["paid", "revoked", "paid"]
    assert counting() == 2
    assert Refund.objects.get().gifts.get() == three_gifts[1]
    [done] = RefundOrder.objects.all()
    assert (done.refund_id, done.due_at) == (Refund.objects.get().refund_id, None)


def test_a_refund_in_the_dashboard_revokes_a_gift_once_it_is_assigned(
    three_gifts: list[Gift], campaign: Campaign, staff: User
) -> None:
    refund = refund_in_the_dashboard(three_gifts[0].payment, 6000)
    assert statuses() == ["paid"] * 3
    assert counting() == 3
    [money] = progress.sum_payments(campaign, at=timezone.now() + timedelta(days=900))
    assert money.refunded_minor == 6000
    assert refund.gifts_named_at is None
    actions.assign_refund_to_gifts(refund, [three_gifts[2]])
    assert statuses() == ["paid", "paid", "revoked"]
    assert counting() == 2


def test_a_refund_in_the_dashboard_may_be_for_no_gift(three_gifts: list[Gift]) -> None:
    refund = refund_in_the_dashboard(three_gifts[0].payment, 500)
    actions.assign_refund_to_gifts(refund, [])
    refund.refresh_from_db()
    assert refund.gifts_named_at is not None
    assert statuses() == ["paid"] * 3


def test_a_refund_is_assigned_only_to_gifts_of_its_payment(
    three_gifts: list[Gift], campaign: Campaign, sandbox: SandboxControl
) -> None:
    other = place_order(campaign, "gift", "eve@example.org")
    sandbox.pay(str(other.session_id), card=CARD)
    settlement.settle_checkout(other.pk)
    refund = refund_in_the_dashboard(three_gifts[0].payment, 6000)
    with pytest.raises(ForbiddenMove):
        actions.assign_refund_to_gifts(refund, list(other.gifts.all()))
    assert "revoked" not in statuses()


def test_a_refund_that_fails_later_restores_the_gift(
    three_gifts: list[Gift], staff: User, sandbox: SandboxControl
) -> None:
    actions.execute_refund_order(order(three_gifts[0], staff).pk)
    assert statuses() == ["revoked", "paid", "paid"]
    sandbox.fail_refund(Refund.objects.get().refund_id)
    settlement.settle_checkout(three_gifts[0].checkout_id)
    assert statuses() == ["paid"] * 3
    assert counting() == 3


def test_a_lost_answer_refunds_once(
    three_gifts: list[Gift], staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, refund_payment = order(three_gifts[0], staff), stripe_api.refund_payment

    def lose_the_answer(*args: Any, **kwargs: Any) -> None:
        refund_payment(*args, **kwargs)
        raise stripe_api.StripeUnavailable("the line went dead")

    with monkeypatch.context() as line:
        line.setattr(stripe_api, "refund_payment", lose_the_answer)
        actions.execute_refund_order(made.pk)
    made.refresh_from_db()
    assert made.refund_id is None
    assert made.due_at is not None, "the order is tried again"
    # Days later the idempotency key has expired, but the refund's metadata names the order.
    RefundOrder.objects.update(due_at=timezone.now(), attempt=7)
    jobs.run_due_jobs()
    made.refresh_from_db()
    assert made.refund_id is not None
    assert at_stripe(three_gifts[0].payment) == [6000]
    assert statuses()[0] == "revoked"


def test_a_failed_request_is_repeated_with_a_new_key(
    three_gifts: list[Gift], staff: User, sandbox: SandboxControl
) -> None:
    made = order(three_gifts[0], staff)
    sandbox.add_fault("api", match="POST /v1/refunds", kind="error", times=1)
    actions.execute_refund_order(made.pk)
    made.refresh_from_db()
    assert (made.error, made.attempt) == ("StripeFailed", 2)
    actions.execute_refund_order(made.pk)
    assert at_stripe(three_gifts[0].payment) == [6000]
    assert statuses() == ["revoked", "paid", "paid"]


def test_a_refund_that_is_not_settled_yet_is_not_refundable_again(
    three_gifts: list[Gift], staff: User, sandbox: SandboxControl
) -> None:
    made = order(three_gifts[0], staff)
    sandbox.add_fault("api", match="GET /v1/checkout/sessions", kind="error", times=-1)
    actions.execute_refund_order(made.pk)
    made.refresh_from_db()
    assert made.refund_id is not None
    assert Refund.objects.count() == 0
    assert actions.compute_refundable(three_gifts[0].payment) == 12000
    sandbox.remove_faults()
    settlement.settle_checkout(three_gifts[0].checkout_id)
    assert actions.compute_refundable(three_gifts[0].payment) == 12000


@pytest.mark.both_databases
def test_an_order_executed_by_several_workers_refunds_once(
    three_gifts: list[Gift], staff: User
) -> None:
    made = order(three_gifts[0], staff)
    race(*[lambda: actions.execute_refund_order(made.pk)] * 4)
    RefundOrder.objects.update(due_at=timezone.now())
    actions.execute_refund_order(made.pk)
    assert at_stripe(three_gifts[0].payment) == [6000]
    assert Refund.objects.count() == 1
    assert statuses() == ["revoked", "paid", "paid"]


def test_an_order_of_more_than_the_unrefunded_amount_is_refused(
    three_gifts: list[Gift], staff: User
) -> None:
    refund_in_the_dashboard(three_gifts[0].payment, 6000)
    order(three_gifts[1], staff)  # not executed yet, but its amount is taken
    assert actions.compute_refundable(three_gifts[0].payment) == 6000
    with pytest.raises(actions.RefundRefused, match="left"):
        order(three_gifts[2], staff, amount_minor=6001)
    with pytest.raises(actions.RefundRefused):
        order(three_gifts[2], staff, amount_minor=0)


@pytest.mark.both_databases
def test_orders_at_once_never_refund_more_than_was_paid(
    three_gifts: list[Gift], staff: User
) -> None:
    outcomes = race(*[lambda: order(three_gifts[0], staff, amount_minor=18000)] * 4)
    assert sum(isinstance(outcome, RefundOrder) for outcome in outcomes) == 1


def test_an_order_that_stripe_refuses_ends_with_the_reason(
    three_gifts: list[Gift], staff: User, sandbox: SandboxControl
) -> None:
    made = order(three_gifts[0], staff)
    dispute = sandbox.open_dispute(payment_intent=str(three_gifts[0].payment.intent_id))
    sandbox.close_dispute(dispute["id"], status="lost")
    made = actions.execute_refund_order(made.pk)
    assert made.error
    assert (made.refund_id, made.due_at) == (None, None)
    # A refused order takes no amount.
    assert actions.compute_refundable(three_gifts[0].payment) == 18000


def test_a_full_refund_revokes_all_unclaimed_gifts(
    three_gifts: list[Gift], campaign: Campaign
) -> None:
    actions.claim_gift(three_gifts[0].code, email="ben@example.org", name="Ben", language="en")
    refund_in_the_dashboard(three_gifts[0].payment, 18000)
    assert statuses() == ["claimed", "revoked", "revoked"]
    claimed = Gift.objects.get(status="claimed")
    assert claimed.needs_decision
    assert counting() == 0


def test_a_worker_without_an_answer_keeps_the_answer_of_another(
    three_gifts: list[Gift], staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers ask at once: one gets the refund, the other an error."""
    made, ask = order(three_gifts[0], staff), refunds._ask_stripe

    def ask_as_second(asked: RefundOrder) -> None:
        monkeypatch.setattr(refunds, "_ask_stripe", ask)
        actions.execute_refund_order(asked.pk)
        raise stripe_api.StripeUnavailable("409")

    monkeypatch.setattr(refunds, "_ask_stripe", ask_as_second)
    actions.execute_refund_order(made.pk)
    made.refresh_from_db()
    assert made.refund_id == Refund.objects.get().refund_id
    assert RefundOrder.objects.filter(pk=made.pk, due_at__isnull=True).exists()


def test_a_refund_settled_before_its_answer_is_assigned_to_its_gifts(
    three_gifts: list[Gift], staff: User
) -> None:
    made = order(three_gifts[0], staff)
    refunds._ask_stripe(made)  # the process dies before it saves the refund
    settlement.settle_checkout(three_gifts[0].checkout_id)
    assert statuses() == ["revoked", "paid", "paid"]


# The action of staff


def refund(payment: Payment, staff: User, **changes: Any) -> RefundOrder:
    wanted: dict[str, Any] = {
        "amount_minor": 6000,
        "reason": ASKED,
        "why": "asked",
        "by": staff,
        "newest_seen": 0,
    }
    return actions.refund_payment(payment, **wanted | changes)


def test_a_refund_is_ordered_and_made_at_once(three_gifts: list[Gift], staff: User) -> None:
    made = refund(three_gifts[0].payment, staff, gifts=[three_gifts[1]])
    assert made.refund_id == Refund.objects.get().refund_id
    assert statuses() == ["paid", "revoked", "paid"]
    assert counting() == 2
    assert actions.find_newest_order(three_gifts[0].payment) == made.pk


def test_a_second_click_refunds_once(three_gifts: list[Gift], staff: User) -> None:
    made = refund(three_gifts[0].payment, staff)
    with pytest.raises(actions.OrderedMeanwhile) as ordered:
        refund(three_gifts[0].payment, staff)
    assert ordered.value.order == made
    assert at_stripe(three_gifts[0].payment) == [6000]
    refund(three_gifts[0].payment, staff, newest_seen=made.pk)  # the form was opened again
    assert at_stripe(three_gifts[0].payment) == [6000, 6000]


@pytest.mark.both_databases
def test_two_colleagues_at_once_refund_once(three_gifts: list[Gift], staff: User) -> None:
    outcomes = race(*[lambda: refund(three_gifts[0].payment, staff)] * 3)
    assert sum(isinstance(outcome, RefundOrder) for outcome in outcomes) == 1
    assert at_stripe(three_gifts[0].payment) == [6000]


def test_an_unassigned_refund_is_assigned_before_the_next_one(
    three_gifts: list[Gift], staff: User
) -> None:
    payment = three_gifts[0].payment
    made_at_stripe = refund_in_the_dashboard(payment, 6000)
    assert actions.list_unassigned_refunds(payment) == [made_at_stripe]
    with pytest.raises(actions.RefundRefused, match="First choose the gifts"):
        refund(payment, staff)
    actions.assign_refund_to_gifts(made_at_stripe, [three_gifts[0]])
    assert list(actions.list_unrefunded_gifts(payment)) == three_gifts[1:]
    refund(payment, staff, amount_minor=12000, gifts=three_gifts[1:])
    with pytest.raises(actions.RefundRefused, match="in full"):
        actions.check_refundable(payment)
