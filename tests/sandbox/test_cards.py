import pytest
import stripe

from newsroom.sandbox.control import SandboxControl, SandboxError

from .conftest import NOON, OpenSession


@pytest.mark.parametrize(
    ("number", "brand"),
    [
        ("4242424242424242", "visa"),
        ("5555 5555 5555 4444", "mastercard"),
        ("378282246310005", "amex"),
    ],
)
def test_cards_of_all_three_brands_succeed(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_gift: OpenSession,
    number: str,
    brand: str,
) -> None:
    assert control.pay(open_gift().id, card=number)["status"] == "paid"
    [charge] = stripe_client.v1.charges.list().data
    details = charge.payment_method_details
    assert details is not None
    assert details.card is not None
    assert (details.card.brand, details.card.last4) == (brand, number[-4:])
    assert charge.status == "succeeded"


@pytest.mark.parametrize(
    ("number", "codes"),
    [
        ("4000000000000002", ("card_declined", "generic_decline")),
        ("4000000000009995", ("card_declined", "insufficient_funds")),
        ("4000000000000069", ("expired_card", "expired_card")),
        ("4000000000000127", ("incorrect_cvc", "incorrect_cvc")),
        ("4111111111111111", ("card_declined", "test_mode_live_card")),
    ],
)
def test_a_declined_card_moves_no_money_and_another_card_can_pay(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_gift: OpenSession,
    number: str,
    codes: tuple[str, str],
) -> None:
    session = open_gift()
    code, decline_code = codes

    answer = control.pay(session.id, card=number)

    assert (answer["status"], answer["code"]) == ("declined", code)
    declined_session = stripe_client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["payment_intent"]}
    )
    assert declined_session.status == "open"
    assert isinstance(declined_session.payment_intent, stripe.PaymentIntent)
    error = declined_session.payment_intent.last_payment_error
    assert error is not None
    assert (error.code, error.decline_code) == (code, decline_code)
    assert control.books()["currencies"] == {}
    assert len(control.events("charge.failed")) == 1
    assert len(control.events("payment_intent.payment_failed")) == 1

    assert control.pay(session.id)["status"] == "paid"
    paid = stripe_client.v1.checkout.sessions.retrieve(session.id)
    assert paid.payment_intent == declined_session.payment_intent.id
    charges = stripe_client.v1.charges.list({"payment_intent": declined_session.payment_intent.id})
    assert [charge.status for charge in charges.data] == ["succeeded", "failed"]


def test_a_declined_membership_leaves_no_subscription(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_membership: OpenSession
) -> None:
    session = open_membership()
    assert control.pay(session.id, card="4000000000000002")["status"] == "declined"
    assert stripe_client.v1.subscriptions.list({"status": "all"}).data == []
    assert stripe_client.v1.invoices.list().data == []


@pytest.mark.parametrize("number", ["4000002500003155", "4000002760003184"])
def test_three_d_secure_is_required_and_completed(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_membership: OpenSession,
    number: str,
) -> None:
    session = open_membership()
    assert control.pay(session.id, card=number)["status"] == "requires_action"
    assert len(control.events("payment_intent.requires_action")) == 1
    assert control.books()["currencies"] == {}

    failed = control.pay(session.id, card=number, three_d_secure="fail")
    assert failed["code"] == "payment_intent_authentication_failure"
    completed = control.pay(session.id, card=number, three_d_secure="complete")

    assert completed["status"] == "paid"
    [charge] = stripe_client.v1.charges.list().data
    assert charge.payment_method_details is not None
    assert charge.payment_method_details.card is not None
    assert charge.payment_method_details.card.three_d_secure is not None


def test_a_bank_debit_is_pending_until_the_bank_answers(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    control.freeze(NOON)
    session = open_gift()

    assert control.pay(session.id, iban="DE89370400440532013000")["status"] == "processing"

    pending_session = stripe_client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["payment_intent"]}
    )
    assert (pending_session.status, pending_session.payment_status) == ("complete", "unpaid")
    assert isinstance(pending_session.payment_intent, stripe.PaymentIntent)
    assert pending_session.payment_intent.status == "processing"
    [charge] = stripe_client.v1.charges.list().data
    assert (charge.status, charge.paid, charge.created) == ("pending", False, NOON)
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        stripe_client.v1.refunds.create({"payment_intent": pending_session.payment_intent.id})
    assert control.books()["currencies"] == {}

    control.advance(days=3)

    assert stripe_client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    charge = stripe_client.v1.charges.retrieve(charge.id, {"expand": ["balance_transaction"]})
    assert (charge.status, charge.created) == ("succeeded", NOON)
    assert isinstance(charge.balance_transaction, stripe.BalanceTransaction)
    assert charge.balance_transaction.created == NOON + 3 * 86400
    assert [event["type"] for event in control.events()][-3:] == [
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.async_payment_succeeded",
    ]


@pytest.mark.parametrize("by_clock", [True, False])
def test_a_bank_debit_can_fail(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_gift: OpenSession,
    by_clock: bool,
) -> None:
    control.freeze(NOON)
    session = open_gift()
    control.pay(session.id, iban="DE62370400440532013001")
    intent = str(stripe_client.v1.checkout.sessions.retrieve(session.id).payment_intent)
    if by_clock:
        control.advance(days=3)
    else:
        control.settle_debit(intent, outcome="failed")
    assert stripe_client.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    assert stripe_client.v1.payment_intents.retrieve(intent).status == "requires_payment_method"
    assert len(control.events("checkout.session.async_payment_failed")) == 1
    assert control.books()["currencies"] == {}
    with pytest.raises(SandboxError, match="nothing to settle"):
        control.settle_debit(intent)


def test_a_subscription_is_active_while_its_bank_debit_is_pending(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_membership: OpenSession
) -> None:
    control.freeze(NOON)
    session = open_membership()
    control.pay(session.id, iban="DE62370400440532013001")
    completed = stripe_client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["subscription.latest_invoice"]}
    )
    subscription = completed.subscription
    assert isinstance(subscription, stripe.Subscription)
    assert isinstance(subscription.latest_invoice, stripe.Invoice)
    assert (subscription.status, subscription.latest_invoice.status) == ("active", "open")

    control.advance(days=3)

    after = stripe_client.v1.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert isinstance(after.latest_invoice, stripe.Invoice)
    assert (after.status, after.latest_invoice.status) == ("past_due", "open")


def test_the_dispute_card_opens_a_dispute_immediately(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    control.pay(open_gift().id, card="4000000000000259")
    [dispute] = stripe_client.v1.disputes.list().data
    assert (dispute.reason, dispute.status, dispute.amount) == (
        "fraudulent",
        "needs_response",
        4800,
    )
    assert control.books()["currencies"]["eur"]["disputed_minor"] == 4800
