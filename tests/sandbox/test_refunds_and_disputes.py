import pytest
import stripe

from newsroom.sandbox.control import SandboxControl, SandboxError

from .conftest import NOON, OpenSession


@pytest.fixture
def charge(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> stripe.Charge:
    control.pay(open_gift().id)
    return stripe_client.v1.charges.list().data[0]


def test_partial_refunds_cannot_exceed_the_charge(
    control: SandboxControl, stripe_client: stripe.StripeClient, charge: stripe.Charge
) -> None:
    refunds = stripe_client.v1.refunds
    first = refunds.create({"charge": charge.id, "amount": 1800, "metadata": {"by": "staff"}})
    assert first.status == "succeeded"
    part = stripe_client.v1.charges.retrieve(charge.id, {"expand": ["refunds"]})
    assert (part.amount_refunded, part.refunded) == (1800, False)
    assert part.refunds is not None
    assert [refund.id for refund in part.refunds.data] == [first.id]

    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded") as too_much:
        refunds.create({"charge": charge.id, "amount": 3001})
    assert too_much.value.param == "amount"

    refunds.create({"payment_intent": str(charge.payment_intent), "reason": "duplicate"})
    assert stripe_client.v1.charges.retrieve(charge.id).refunded is True
    with pytest.raises(stripe.InvalidRequestError) as already:
        refunds.create({"charge": charge.id})
    assert already.value.code == "charge_already_refunded"
    assert len(refunds.list({"charge": charge.id}).data) == 2
    assert len(refunds.list({"payment_intent": str(charge.payment_intent)}).data) == 2
    assert len(control.events("charge.refunded")) == 2
    assert control.books()["currencies"]["eur"]["refunded_minor"] == 4800


def test_a_refund_keeps_its_metadata_and_can_be_read(
    stripe_client: stripe.StripeClient, charge: stripe.Charge
) -> None:
    refund = stripe_client.v1.refunds.create({"charge": charge.id, "metadata": {"a": "1"}})
    stripe_client.v1.refunds.update(refund.id, {"metadata": {"b": "2", "a": ""}})
    found = stripe_client.v1.refunds.retrieve(refund.id, {"expand": ["balance_transaction"]})
    assert found.metadata is not None
    assert found.metadata.to_dict() == {"b": "2"}
    assert isinstance(found.balance_transaction, stripe.BalanceTransaction)
    assert (found.balance_transaction.type, found.balance_transaction.amount) == ("refund", -4800)
    with pytest.raises(stripe.InvalidRequestError, match="requires_action"):
        stripe_client.v1.refunds.cancel(refund.id)


def test_a_failed_refund_returns_the_money_to_the_balance(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    control.freeze(NOON)
    control.pay(open_gift().id, card="4000000000005126")
    charge = stripe_client.v1.charges.list().data[0]
    refund = stripe_client.v1.refunds.create({"charge": charge.id})
    assert refund.status == "succeeded"

    control.advance(days=1)

    failed = stripe_client.v1.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    again = stripe_client.v1.charges.retrieve(charge.id)
    assert (again.amount_refunded, again.refunded) == (0, False)
    types = [event["type"] for event in control.events()]
    assert types[-4:] == [
        "refund.failed",
        "refund.updated",
        "charge.refund.updated",
        "charge.updated",
    ]
    books = control.books()["currencies"]["eur"]
    assert (books["refunded_minor"], books["counts"]["refund_failure"]) == (0, 1)


def test_any_refund_can_be_made_to_fail(
    control: SandboxControl, stripe_client: stripe.StripeClient, charge: stripe.Charge
) -> None:
    refund = stripe_client.v1.refunds.create({"charge": charge.id, "amount": 800})
    assert control.fail_refund(refund.id)["status"] == "failed"
    with pytest.raises(SandboxError, match="so it cannot fail"):
        control.fail_refund(refund.id)


def test_a_refund_to_a_bank_account_takes_days(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    control.freeze(NOON)
    control.pay(open_gift().id, iban="DE89370400440532013000")
    control.advance(days=3)
    charge = stripe_client.v1.charges.list().data[0]
    refund = stripe_client.v1.refunds.create({"charge": charge.id})
    assert refund.status == "pending"
    control.advance(days=3)
    assert stripe_client.v1.refunds.retrieve(refund.id).status == "succeeded"


def test_a_dispute_withdraws_the_money_and_a_win_returns_it(
    control: SandboxControl, stripe_client: stripe.StripeClient, charge: stripe.Charge
) -> None:
    opened = control.open_dispute(payment_intent=str(charge.payment_intent), reason="duplicate")
    assert opened["reason"] == "duplicate"
    assert stripe_client.v1.charges.retrieve(charge.id).disputed is True
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        stripe_client.v1.refunds.create({"charge": charge.id})
    assert refusal.value.code == "charge_disputed"
    assert control.books()["currencies"]["eur"]["disputed_minor"] == 4800

    control.close_dispute(opened["id"], status="lost")
    assert stripe_client.v1.disputes.retrieve(opened["id"]).status == "lost"
    control.close_dispute(opened["id"], status="won")

    dispute = stripe_client.v1.disputes.list({"charge": charge.id}).data[0]
    assert dispute.status == "won"
    assert [txn.amount for txn in dispute.balance_transactions] == [-4800, 4800]
    assert [event["type"] for event in control.events() if "dispute" in event["type"]] == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
        "charge.dispute.updated",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ]
    assert control.books()["currencies"]["eur"]["disputed_minor"] == 0


def test_a_dispute_withdraws_only_the_unrefunded_amount(
    control: SandboxControl, stripe_client: stripe.StripeClient, charge: stripe.Charge
) -> None:
    stripe_client.v1.refunds.create({"charge": charge.id, "amount": 1800})
    assert control.open_dispute(charge=charge.id)["amount"] == 3000


def test_evidence_puts_a_dispute_under_review_and_accepting_it_loses_it(
    control: SandboxControl, stripe_client: stripe.StripeClient, charge: stripe.Charge
) -> None:
    dispute_id = control.open_dispute(charge=charge.id)["id"]
    updated = stripe_client.v1.disputes.update(
        dispute_id, {"evidence": {"uncategorized_text": "It was read."}, "submit": True}
    )
    assert updated.status == "under_review"
    assert stripe_client.v1.disputes.close(dispute_id).status == "lost"
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        stripe_client.v1.disputes.close(dispute_id)


def test_money_becomes_available_after_two_days(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    control.freeze(NOON)
    control.pay(open_gift().id)
    [txn] = stripe_client.v1.balance_transactions.list({"type": "charge"}).data
    assert txn.status == "pending"
    control.advance(days=2)
    assert stripe_client.v1.balance_transactions.retrieve(txn.id).status == "available"
    listed = stripe_client.v1.balance_transactions.list(
        {"source": str(txn.source), "created": {"gte": NOON, "lt": NOON + 1}}
    )
    assert [transaction.id for transaction in listed.data] == [txn.id]
    assert stripe_client.v1.balance_transactions.list({"created": {"gt": NOON}}).data == []


def test_a_charge_that_was_refunded_in_full_can_still_be_disputed(
    control: SandboxControl, stripe_client: stripe.StripeClient, charge: stripe.Charge
) -> None:
    stripe_client.v1.refunds.create({"charge": charge.id})
    dispute = control.open_dispute(charge=charge.id, reason="credit_not_processed")
    assert dispute["amount"] == 4800
    with pytest.raises(SandboxError, match="already disputed"):
        control.open_dispute(charge=charge.id)
    book = control.books()["currencies"]["eur"]
    assert (book["refunded_minor"], book["disputed_minor"]) == (4800, 4800)
