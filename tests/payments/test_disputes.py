"""A bank takes a payment back: what is kept of it, what stops counting, and who is told."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import stripe
from django.conf import LazySettings
from django.test import Client

from campaigns import settlement, stripe_api
from campaigns.models import Campaign, Checkout, Dispute, OutgoingMail, Payment, Tally
from campaigns.payments import TOLD_OF, valid_interval
from newsroom.sandbox.control import SandboxControl
from tests.conftest import deliver_events
from tests.settlement.test_permutations import dump_rows, forget_sales
from tests.settlement.test_settlement import order_membership
from tests.support.factories import at, make_campaign, make_dispute
from tests.support.mails import (
    assert_not_wanted,
    both,
    buy_membership,
    deliver,
    owe_of_dispute,
    read_html,
)
from tests.support.threads import race

SCHEMA = json.loads((Path(__file__).parents[1] / "data" / "stripe-openapi.json").read_text())
STATUSES: list[str] = SCHEMA["components"]["schemas"]["dispute"]["properties"]["status"]["enum"]
CARD = "4242424242424242"
DAY = 86_400


@pytest.fixture(autouse=True)
def desk(settings: LazySettings) -> None:
    settings.STAFF_EMAIL = "desk@example.org"


@pytest.fixture
def sold(campaign: Campaign, sandbox: SandboxControl) -> Payment:
    checkout = order_membership(campaign, "once")
    sandbox.pay(str(checkout.session_id), card=CARD)
    settlement.settle_checkout(checkout.pk)
    sandbox.advance(DAY)
    return Payment.objects.get()


def settle(payment: Payment) -> Dispute:
    assert payment.checkout_id is not None
    settlement.settle_checkout(payment.checkout_id)
    return Dispute.objects.get()


def told() -> list[str]:
    """The states of which staff are told, in their order."""
    mails = OutgoingMail.objects.filter(kind=OutgoingMail.Kind.DISPUTE).order_by("pk")
    return [mail.key.rpartition(":")[2] for mail in mails]


def show_as(status: str, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Let Stripe say that the dispute is in that state."""
    ask = stripe_api.list_disputes

    def list_changed(charge_id: str) -> list[dict[str, Any]]:
        return [each | {"status": status} | changes for each in ask(charge_id)]

    monkeypatch.setattr(stripe_api, "list_disputes", list_changed)


# What is kept


def test_the_schema_still_has_the_states_that_staff_are_told_of() -> None:
    assert set(TOLD_OF) <= set(STATUSES)
    assert len(STATUSES) >= 8


@pytest.mark.parametrize("status", [*STATUSES, "a_state_yet_to_come"])
def test_a_dispute_is_kept_in_whatever_state_it_is_and_only_a_lost_one_ends_the_standing(
    sold: Payment, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    sandbox.open_dispute(payment_intent=sold.intent_id)
    show_as(status, monkeypatch)
    dispute = settle(sold)
    assert dispute.status == status
    standing = valid_interval(Payment.objects.get())
    assert standing == (sold.paid_at, dispute.withdrawn_at if status == "lost" else None)
    assert (Tally.objects.get().counted_until is not None) == (status == "lost")
    assert told() == ([status] if status in TOLD_OF else [])


def test_the_deadline_is_the_one_that_stripe_names(sold: Payment, sandbox: SandboxControl) -> None:
    opened = sandbox.open_dispute(payment_intent=sold.intent_id)
    due_by = opened["evidence_details"]["due_by"]
    assert settle(sold).evidence_due_at == stripe_api.moment(due_by)


@pytest.mark.parametrize(
    "changes",
    [
        {"evidence_details": {"due_by": None}},
        {"evidence_details": None},
        {"balance_transactions": []},
        {"reason": None},
    ],
    ids=str,
)
def test_what_stripe_does_not_say_of_a_dispute_is_left_open(
    sold: Payment, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    sandbox.open_dispute(payment_intent=sold.intent_id)
    show_as("needs_response", monkeypatch, **changes)
    dispute = settle(sold)
    assert (dispute.evidence_due_at is None) == ("evidence_details" in changes)
    assert (dispute.withdrawn_at is None) == ("balance_transactions" in changes)
    assert (dispute.reason == "") == ("reason" in changes)
    deliver(OutgoingMail.objects.get(kind=OutgoingMail.Kind.DISPUTE))


def test_the_money_goes_when_it_is_taken_and_comes_back_when_it_is_given(
    sold: Payment, sandbox: SandboxControl
) -> None:
    opened = sandbox.open_dispute(payment_intent=sold.intent_id)
    dispute = settle(sold)
    assert dispute.withdrawn_at == stripe_api.moment(opened["created"])
    assert dispute.reinstated_at is None
    sandbox.advance(DAY)
    sandbox.close_dispute(opened["id"], status="lost")
    assert settle(sold).reinstated_at is None
    assert Tally.objects.get().counted_until == dispute.withdrawn_at
    won_at = sandbox.advance(DAY)
    sandbox.close_dispute(opened["id"], status="won")
    assert settle(sold).reinstated_at == stripe_api.moment(won_at)
    assert Tally.objects.get().counted_until is None


# Who is told


def test_staff_are_told_once_of_a_dispute_however_often_its_events_come(
    sold: Payment, sandbox: SandboxControl, client: Client
) -> None:
    sandbox.open_dispute(payment_intent=sold.intent_id)
    came = [each["id"] for each in sandbox.events() if each["type"].startswith("charge.dispute.")]
    deliver_events(sandbox, client, [*came, *reversed(came)])
    owed = OutgoingMail.objects.get(kind=OutgoingMail.Kind.DISPUTE)
    assert owed.key == f"dispute:{Dispute.objects.get().dispute_id}:needs_response"
    assert deliver(owed).to == ["desk@example.org"]


@pytest.mark.parametrize("ending", ["lost", "won"])
def test_staff_are_told_again_when_it_is_decided(
    sold: Payment, sandbox: SandboxControl, ending: str
) -> None:
    opened = sandbox.open_dispute(payment_intent=sold.intent_id)
    settle(sold)
    sandbox.close_dispute(opened["id"], status=ending)
    for _ in range(3):
        settle(sold)
    assert told() == ["needs_response", ending]


def test_an_answered_dispute_is_no_news_and_one_won_after_all_is(
    sold: Payment, sandbox: SandboxControl
) -> None:
    opened = sandbox.open_dispute(payment_intent=sold.intent_id)
    settle(sold)
    answer: Any = {"evidence": {"uncategorized_text": "She read it."}, "submit": True}
    stripe_api.client().v1.disputes.update(opened["id"], answer)
    assert settle(sold).status == "under_review"
    assert told() == ["needs_response"]
    for ending in ("lost", "won"):
        sandbox.close_dispute(opened["id"], status=ending)
        settle(sold)
    assert told() == ["needs_response", "lost", "won"]


def test_a_question_of_the_bank_that_becomes_a_dispute_is_told_twice(
    sold: Payment, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.open_dispute(payment_intent=sold.intent_id)
    with monkeypatch.context() as patch:
        show_as("warning_needs_response", patch)
        settle(sold)
    settle(sold)
    assert told() == ["warning_needs_response", "needs_response"]


def test_of_what_was_known_before_staff_were_told_of_anything_no_mail_is_sent(
    sold: Payment, sandbox: SandboxControl, settings: LazySettings
) -> None:
    settings.STAFF_EMAIL = ""
    sandbox.open_dispute(payment_intent=sold.intent_id)
    assert settle(sold).status == "needs_response"
    settings.STAFF_EMAIL = "desk@example.org"
    settle(sold)
    assert told() == []


@pytest.mark.django_db
def test_a_mail_of_a_state_that_has_passed_is_not_sent() -> None:
    birthday = make_campaign()
    owed = owe_of_dispute(birthday)
    Dispute.objects.update(status="under_review")
    assert_not_wanted(owed)
    Dispute.objects.update(status="warning_needs_response")
    OutgoingMail.objects.update(next_attempt_at=owed.created_at)
    assert_not_wanted(owed)


@pytest.mark.django_db
def test_no_mail_is_sent_once_there_is_no_address_of_staff(settings: LazySettings) -> None:
    owed = owe_of_dispute(make_campaign())
    settings.STAFF_EMAIL = ""
    assert_not_wanted(owed)


# What the mail says


@pytest.mark.django_db
def test_the_mail_says_which_payment_how_much_why_until_when_and_where() -> None:
    sent = deliver(owe_of_dispute(make_campaign()))
    assert sent.subject == "Respond to a dispute by 29 November: €60"
    for part in both(sent):
        for words in (
            "First payment of a membership, €60",
            "10 November 2026, 14:00 EET",
            "product not received",
            "29 November 2026, 23:59 EET",
            "If you don’t respond, we lose the dispute.",
        ):
            assert words in part
        assert "ada@example.org" not in part
    payment = Payment.objects.get()
    at_stripe, ours = [link for link in read_html(sent).links if "payment" in link]
    assert at_stripe == f"https://dashboard.stripe.com/test/payments/{payment.intent_id}"
    assert ours.endswith(f"/campaigns/payment/{payment.pk}/change/")


@pytest.mark.django_db
def test_with_a_live_key_the_link_leads_to_the_live_payments(settings: LazySettings) -> None:
    settings.STRIPE_SECRET_KEY = "sk_live_ours"
    links = read_html(deliver(owe_of_dispute(make_campaign()))).links
    assert any(link.startswith("https://dashboard.stripe.com/payments/pi_") for link in links)


@pytest.mark.parametrize(
    ("status", "subject", "words"),
    [
        ("lost", "Dispute lost: €60", "The payment is reversed and no longer counts"),
        ("won", "Dispute won: €60", "We get the money back, and the payment counts."),
        (
            "warning_needs_response",
            "Respond to a dispute by 29 November: €60",
            "No money has been withdrawn",
        ),
    ],
)
@pytest.mark.django_db
def test_the_mail_says_what_the_state_means(status: str, subject: str, words: str) -> None:
    sent = deliver(owe_of_dispute(make_campaign(), status=status))
    assert sent.subject == subject
    for part in both(sent):
        assert words in part
        assert ("23:59" in part) == (status == "warning_needs_response")


def test_staff_see_the_deadline_at_the_payment(admin_client: Client, db: None) -> None:
    payment = buy_membership(make_campaign())
    make_dispute(payment, "2026-11-20 09:00")
    Dispute.objects.update(evidence_due_at=at("2026-11-29 21:59"))
    answer = admin_client.get(f"/admin/campaigns/payment/{payment.pk}/change/")
    assert "Evidence due at" in answer.text
    assert "Nov. 29, 2026" in answer.text


# A refund and a dispute at once


def refund_part(payment: Payment) -> None:
    """As staff do in Stripe's dashboard; of what is disputed already Stripe gives nothing back."""
    params: Any = {"payment_intent": payment.intent_id, "amount": 1500}
    try:
        stripe_api.client().v1.refunds.create(params)
    except stripe.InvalidRequestError as error:
        assert error.code == "charge_disputed"  # noqa: PT017 - the other may have been first


@pytest.mark.parametrize("first", ["refund", "dispute", "either"])
def test_a_refund_and_a_dispute_of_one_payment_end_in_the_same_rows_whichever_is_noted_first(
    campaign: Campaign, sandbox: SandboxControl, client: Client, sold: Payment, first: str
) -> None:
    dispute = partial(sandbox.open_dispute, payment_intent=sold.intent_id)
    if first == "either":
        race(partial(refund_part, sold), dispute)
    else:
        works: list[Callable[[], object]] = [partial(refund_part, sold), dispute]
        for work in works if first == "refund" else reversed(works):
            work()
    sandbox.close_dispute(
        sandbox.events("charge.dispute.created")[0]["data"]["object"]["id"], status="lost"
    )
    came = [
        each["id"]
        for each in sandbox.events()
        if each["type"].startswith(("refund.", "charge.refunded", "charge.dispute."))
    ]
    checkout = Checkout.objects.get()
    outcomes = race(
        *[partial(deliver_events, sandbox, Client(), order) for order in (came, came[::-1])]
    )
    assert outcomes == [None, None]
    rows = dump_rows()
    assert len(rows["Dispute"]) == 1
    assert len(rows["Refund"]) == len(sandbox.events("refund.created"))
    for order in (came, came[::-1]):
        forget_sales()
        deliver_events(sandbox, client, order)
        assert dump_rows() == rows
    assert Tally.objects.get().counted_until == Dispute.objects.get().withdrawn_at
    checkout.refresh_from_db()
    assert checkout.status == Checkout.Status.PAID
