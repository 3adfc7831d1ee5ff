import pytest
import stripe

from newsroom.sandbox.control import SandboxControl, SandboxError

from .conftest import CANCEL_URL, NOON, OpenSession


def test_a_gift_paid_by_card_creates_an_intent_a_charge_and_a_transaction(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    control.freeze(NOON)
    session = open_gift(customer_email="buyer@example.org")
    assert session.status == "open"
    assert session.payment_intent is None
    assert session.url is not None

    assert control.pay(session.id)["status"] == "paid"

    paid = stripe_client.v1.checkout.sessions.retrieve(
        session.id,
        {"expand": ["payment_intent.latest_charge.balance_transaction", "line_items"]},
    )
    intent = paid.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    txn = charge.balance_transaction
    assert isinstance(txn, stripe.BalanceTransaction)
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert paid.customer is None
    assert paid.customer_details is not None
    assert paid.customer_details.email == "buyer@example.org"
    assert intent.metadata.to_dict() == charge.metadata.to_dict() == {"checkout": "7"}
    assert charge.created == NOON
    # 1.5 % of 4800 is 72, plus 25.
    assert (txn.amount, txn.fee, txn.net) == (4800, 97, 4703)
    assert paid.line_items is not None
    assert paid.line_items.data[0].description == "Gift membership, 12 months"
    assert [event["type"] for event in control.events()][-4:] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_a_membership_creates_a_subscription_an_invoice_and_an_invoice_payment(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_membership: OpenSession
) -> None:
    control.freeze(NOON)
    session = open_membership()

    control.pay(session.id, name="Ada Reader")

    paid = stripe_client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["subscription.latest_invoice.payments", "customer"]}
    )
    assert isinstance(paid.customer, stripe.Customer)
    assert (paid.customer.email, paid.customer.name) == ("reader@example.org", "Ada Reader")
    subscription = paid.subscription
    assert isinstance(subscription, stripe.Subscription)
    assert subscription.status == "active"
    assert subscription.metadata.to_dict() == {"checkout": "8"}
    item = subscription["items"].data[0]
    assert (item.current_period_start, item.current_period_end) == (NOON, NOON + 365 * 86400)
    invoice = subscription.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert (invoice.status, invoice.billing_reason) == ("paid", "subscription_create")
    assert invoice.amount_paid == 6000
    assert invoice.parent is not None
    assert invoice.parent.subscription_details is not None
    assert invoice.parent.subscription_details.subscription == subscription.id
    assert invoice.parent.subscription_details.metadata is not None
    assert invoice.parent.subscription_details.metadata.to_dict() == {"checkout": "8"}
    assert invoice.payments is not None
    intent_id = str(invoice.payments.data[0].payment.payment_intent)
    found = stripe_client.v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": intent_id}}
    )
    assert [payment.invoice for payment in found.data] == [invoice.id]
    assert paid.payment_intent is None
    types = {event["type"] for event in control.events()}
    assert types >= {
        "customer.created",
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    }


def test_a_session_expires_after_24_hours_of_the_sandbox_clock(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    control.freeze(NOON)
    session = open_gift()
    control.advance(24 * 3600 - 1)
    assert stripe_client.v1.checkout.sessions.retrieve(session.id).status == "open"

    control.advance(1)

    assert stripe_client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    [event] = control.events("checkout.session.expired")
    assert event["created"] == NOON + 24 * 3600
    with pytest.raises(SandboxError, match="expired"):
        control.pay(session.id)


def test_a_paid_session_cannot_be_expired_or_paid_again(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    session = open_gift()
    control.pay(session.id)
    with pytest.raises(stripe.InvalidRequestError, match="complete"):
        stripe_client.v1.checkout.sessions.expire(session.id)
    with pytest.raises(SandboxError, match="complete"):
        control.pay(session.id)
    assert control.books()["currencies"]["eur"]["counts"]["charge"] == 1


def test_a_session_can_be_expired_by_the_api(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    session = stripe_client.v1.checkout.sessions.expire(open_gift().id)
    assert (session.status, session.url) == ("expired", None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"line_items": []}, "line_items"),
        ({"customer": "cus_none"}, "No such customer"),
        ({"line_items": [{"price": "price_none"}]}, "No such price"),
        ({"expires_at": 5}, "expires_at"),
        ({"subscription_data": {"description": "x"}}, "subscription_data"),
    ],
)
def test_a_session_with_invalid_parameters_is_rejected(
    open_gift: OpenSession, change: dict[str, object], words: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=words):
        open_gift(**change)


def test_the_parameter_that_endive_removed_is_rejected(
    open_gift: OpenSession, stripe_client: stripe.StripeClient
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        open_gift(payment_method_types=["card"])
    assert refusal.value.code == "payment_method_types_no_longer_supported"
    session = open_gift(allowed_payment_method_types=["card"])
    assert session.payment_method_types == ["card"]
    assert open_gift(currency="usd").payment_method_types == ["card"]
    assert open_gift().payment_method_types == ["card", "sepa_debit"]


def test_payment_mode_rejects_a_recurring_price(
    stripe_client: stripe.StripeClient, year_price: stripe.Price, open_gift: OpenSession
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="recurring price"):
        open_gift(line_items=[{"price": year_price.id}])


def test_sessions_can_be_listed_by_intent_status_customer_and_subscription(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_gift: OpenSession,
    open_membership: OpenSession,
) -> None:
    gift, membership, other = open_gift(), open_membership(), open_gift()
    control.pay(gift.id)
    control.pay(membership.id)
    sessions = stripe_client.v1.checkout.sessions
    paid = sessions.retrieve(membership.id)
    intent = str(sessions.retrieve(gift.id).payment_intent)
    assert [s.id for s in sessions.list({"payment_intent": intent}).data] == [gift.id]
    assert [s.id for s in sessions.list({"subscription": str(paid.subscription)}).data] == [
        membership.id
    ]
    assert [s.id for s in sessions.list({"customer": str(paid.customer)}).data] == [membership.id]
    assert [s.id for s in sessions.list({"status": "open"}).data] == [other.id]
    everything = sessions.list({"limit": 2})
    assert everything.has_more
    assert [s.id for s in everything.auto_paging_iter()] == [other.id, membership.id, gift.id]
    lines = sessions.line_items.list(gift.id)
    assert lines.data[0].amount_total == 4800


def test_a_known_customer_keeps_the_address_and_is_linked_to_the_session(
    control: SandboxControl, stripe_client: stripe.StripeClient, year_price: stripe.Price
) -> None:
    customer = stripe_client.v1.customers.create({"email": "known@example.org"})
    session = stripe_client.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": customer.id,
            "line_items": [{"price": year_price.id, "quantity": 1}],
            "success_url": CANCEL_URL,
        }
    )
    control.pay(session.id)
    paid = stripe_client.v1.checkout.sessions.retrieve(session.id)
    assert paid.customer == customer.id
    assert paid.customer_details is not None
    assert paid.customer_details.email == "known@example.org"


def test_a_gift_creates_a_customer_on_request(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    session = open_gift(customer_creation="always", customer_email="buyer@example.org")
    control.pay(session.id)
    paid = stripe_client.v1.checkout.sessions.retrieve(session.id, {"expand": ["customer"]})
    assert isinstance(paid.customer, stripe.Customer)
    assert paid.customer.email == "buyer@example.org"


def test_currencies_are_never_added(control: SandboxControl, open_gift: OpenSession) -> None:
    control.pay(open_gift(currency="jpy").id)
    control.pay(open_gift(currency="eur").id)
    books = control.books(rows=True)
    assert {code: book["gross_minor"] for code, book in books["currencies"].items()} == {
        "eur": 4800,
        "jpy": 4800,
    }
    assert [row["kind"] for row in books["rows"]] == ["charge", "charge"]


def test_a_trial_charges_nothing_until_it_ends(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_membership: OpenSession
) -> None:
    control.freeze(NOON)
    session = open_membership(subscription_data={"trial_period_days": 30})
    assert session.amount_total == 0
    control.pay(session.id)
    paid = stripe_client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert paid.payment_status == "no_payment_required"
    subscription = paid.subscription
    assert isinstance(subscription, stripe.Subscription)
    assert (subscription.status, subscription.trial_end) == ("trialing", NOON + 30 * 86400)
    assert control.books()["currencies"] == {}

    control.advance(days=30)

    subscription = stripe_client.v1.subscriptions.retrieve(subscription.id)
    assert subscription.status == "active"
    assert control.books()["currencies"]["eur"]["gross_minor"] == 6000
