"""Disputes: how they are recorded, when they end the count, and how staff are notified."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import stripe
from django.conf import LazySettings
from django.test import Client

from campaigns import stripe_api
from campaigns.models import Campaign, Checkout, Dispute, OutgoingMail, Payment, Tally
from campaigns.payments import NOTIFIED_STATES, valid_interval
from campaigns.stripe_api import objects
from campaigns.stripe_api.snapshots import read_dispute
from newsroom.sandbox.control import SandboxControl
from tests.conftest import deliver_events
from tests.support.factories import at, make_campaign, make_dispute
from tests.support.mails import (
    assert_no_longer_wanted,
    make_dispute_mail,
    make_paid_membership,
    read_both_parts,
    read_html,
    send_mail,
)
from tests.support.rows import dump_rows, forget_sales
from tests.support.sales import buy, settle_payment
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
    buy(campaign, sandbox, "once")
    sandbox.advance(DAY)
    return Payment.objects.get()


def settle_dispute(payment: Payment) -> Dispute:
    settle_payment(payment)
    return Dispute.objects.get()


def notified_states() -> list[str]:
    """Return the states that staff were notified of, in order."""
    mails = OutgoingMail.objects.filter(kind=OutgoingMail.Kind.DISPUTE).order_by("pk")
    return [mail.key.rpartition(":")[2] for mail in mails]


def show_as(status: str, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Let Stripe return the dispute in that state."""

    def read_changed(raw: dict[str, Any]) -> stripe_api.Dispute:
        return read_dispute(raw | {"status": status} | changes)

    monkeypatch.setattr(objects, "read_dispute", read_changed)


# Recording


def test_the_schema_has_the_states_that_staff_are_notified_of() -> None:
    assert set(NOTIFIED_STATES) <= set(STATUSES)
    assert len(STATUSES) >= 8


@pytest.mark.parametrize("status", [*STATUSES, "a_state_yet_to_come"])
def test_a_dispute_is_recorded_in_any_state_and_only_a_lost_one_reverses_the_payment(
    sold: Payment, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    sandbox.open_dispute(payment_intent=sold.intent_id)
    show_as(status, monkeypatch)
    dispute = settle_dispute(sold)
    assert dispute.status == status
    standing = valid_interval(Payment.objects.get())
    assert standing == (sold.paid_at, dispute.withdrawn_at if status == "lost" else None)
    assert (Tally.objects.get().counted_until is not None) == (status == "lost")
    assert notified_states() == ([status] if status in NOTIFIED_STATES else [])


def test_the_deadline_is_stripes(sold: Payment, sandbox: SandboxControl) -> None:
    opened = sandbox.open_dispute(payment_intent=sold.intent_id)
    due_by = opened["evidence_details"]["due_by"]
    assert settle_dispute(sold).evidence_due_at == stripe_api.moment(due_by)


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
def test_missing_details_of_a_dispute_stay_empty(
    sold: Payment, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    sandbox.open_dispute(payment_intent=sold.intent_id)
    show_as("needs_response", monkeypatch, **changes)
    dispute = settle_dispute(sold)
    assert (dispute.evidence_due_at is None) == ("evidence_details" in changes)
    assert (dispute.withdrawn_at is None) == ("balance_transactions" in changes)
    assert (dispute.reason == "") == ("reason" in changes)
    send_mail(OutgoingMail.objects.get(kind=OutgoingMail.Kind.DISPUTE))


def test_a_dispute_has_the_times_of_withdrawal_and_reinstatement(
    sold: Payment, sandbox: SandboxControl
) -> None:
    opened = sandbox.open_dispute(payment_intent=sold.intent_id)
    dispute = settle_dispute(sold)
    assert dispute.withdrawn_at == stripe_api.moment(opened["created"])
    assert dispute.reinstated_at is None
    sandbox.advance(DAY)
    sandbox.close_dispute(opened["id"], status="lost")
    assert settle_dispute(sold).reinstated_at is None
    assert Tally.objects.get().counted_until == dispute.withdrawn_at
    won_at = sandbox.advance(DAY)
    sandbox.close_dispute(opened["id"], status="won")
    assert settle_dispute(sold).reinstated_at == stripe_api.moment(won_at)
    assert Tally.objects.get().counted_until is None


# Notifying staff


def test_staff_are_notified_once_of_a_dispute_however_often_its_events_arrive(
    sold: Payment, sandbox: SandboxControl, client: Client
) -> None:
    sandbox.open_dispute(payment_intent=sold.intent_id)
    event_ids = [
        event["id"] for event in sandbox.events() if event["type"].startswith("charge.dispute.")
    ]
    deliver_events(sandbox, client, [*event_ids, *reversed(event_ids)])
    mail = OutgoingMail.objects.get(kind=OutgoingMail.Kind.DISPUTE)
    assert mail.key == f"dispute:{Dispute.objects.get().dispute_id}:needs_response"
    assert send_mail(mail).to == ["desk@example.org"]


@pytest.mark.parametrize("ending", ["lost", "won"])
def test_staff_are_notified_again_when_a_dispute_is_decided(
    sold: Payment, sandbox: SandboxControl, ending: str
) -> None:
    opened = sandbox.open_dispute(payment_intent=sold.intent_id)
    settle_dispute(sold)
    sandbox.close_dispute(opened["id"], status=ending)
    for _ in range(3):
        settle_dispute(sold)
    assert notified_states() == ["needs_response", ending]


def test_staff_are_not_notified_of_an_answer_but_of_a_later_win(
    sold: Payment, sandbox: SandboxControl
) -> None:
    opened = sandbox.open_dispute(payment_intent=sold.intent_id)
    settle_dispute(sold)
    answer: Any = {"evidence": {"uncategorized_text": "She read it."}, "submit": True}
    stripe_api.client().v1.disputes.update(opened["id"], answer)
    assert settle_dispute(sold).status == "under_review"
    assert notified_states() == ["needs_response"]
    for ending in ("lost", "won"):
        sandbox.close_dispute(opened["id"], status=ending)
        settle_dispute(sold)
    assert notified_states() == ["needs_response", "lost", "won"]


def test_staff_are_notified_of_an_inquiry_and_of_the_dispute_that_follows(
    sold: Payment, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.open_dispute(payment_intent=sold.intent_id)
    with monkeypatch.context() as patch:
        show_as("warning_needs_response", patch)
        settle_dispute(sold)
    settle_dispute(sold)
    assert notified_states() == ["warning_needs_response", "needs_response"]


def test_disputes_from_before_the_staff_address_was_set_send_no_email(
    sold: Payment, sandbox: SandboxControl, settings: LazySettings
) -> None:
    settings.STAFF_EMAIL = ""
    sandbox.open_dispute(payment_intent=sold.intent_id)
    assert settle_dispute(sold).status == "needs_response"
    settings.STAFF_EMAIL = "desk@example.org"
    settle_dispute(sold)
    assert notified_states() == []


@pytest.mark.django_db
def test_an_email_about_a_past_state_is_not_sent() -> None:
    birthday = make_campaign()
    mail = make_dispute_mail(birthday)
    Dispute.objects.update(status="under_review")
    assert_no_longer_wanted(mail)
    Dispute.objects.update(status="warning_needs_response")
    OutgoingMail.objects.update(due_at=mail.created_at)
    assert_no_longer_wanted(mail)


@pytest.mark.django_db
def test_no_email_is_sent_without_a_staff_address(settings: LazySettings) -> None:
    mail = make_dispute_mail(make_campaign())
    settings.STAFF_EMAIL = ""
    assert_no_longer_wanted(mail)


# The email


@pytest.mark.django_db
def test_the_email_names_the_payment_amount_reason_deadline_and_link() -> None:
    sent = send_mail(make_dispute_mail(make_campaign()))
    assert sent.subject == "Respond to a dispute by 29 November: €60"
    for part in read_both_parts(sent):
        for words in (
            "First payment, €60",
            "10 November 2026, 14:00 (UTC+2)",
            "product not received",
            "29 November 2026, 23:59 (UTC+2)",
            "If you don’t respond, we lose the dispute.",
        ):
            assert words in part
        assert "ada@example.org" not in part
    payment = Payment.objects.get()
    at_stripe, ours = [link for link in read_html(sent).links if "payment" in link]
    assert at_stripe == f"https://dashboard.stripe.com/test/payments/{payment.intent_id}"
    assert ours.endswith(f"/campaigns/payment/{payment.pk}/change/")


@pytest.mark.django_db
def test_with_a_live_key_the_link_opens_live_payments(settings: LazySettings) -> None:
    settings.STRIPE_SECRET_KEY = "sk_live_ours"
    links = read_html(send_mail(make_dispute_mail(make_campaign()))).links
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
def test_the_email_explains_the_state(status: str, subject: str, words: str) -> None:
    sent = send_mail(make_dispute_mail(make_campaign(), status=status))
    assert sent.subject == subject
    for part in read_both_parts(sent):
        assert words in part
        assert ("23:59" in part) == (status == "warning_needs_response")


def test_staff_see_the_deadline_on_the_payments_page(admin_client: Client, db: None) -> None:
    payment = make_paid_membership(make_campaign())
    make_dispute(payment, "2026-11-20 09:00")
    Dispute.objects.update(evidence_due_at=at("2026-11-29 21:59"))
    answer = admin_client.get(f"/admin/campaigns/payment/{payment.pk}/change/")
    assert "Evidence due at" in answer.text
    assert "29 Nov 2026" in answer.text


# A refund and a dispute at once


def refund_part(payment: Payment) -> None:
    """Refund in Stripe's dashboard; Stripe refuses it for a disputed payment."""
    params: Any = {"payment_intent": payment.intent_id, "amount": 1500}
    try:
        stripe_api.client().v1.refunds.create(params)
    except stripe.InvalidRequestError as error:
        assert error.code == "charge_disputed"  # noqa: PT017 - the other may have been first


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "first",
    [pytest.param(each, marks=pytest.mark.thorough) for each in ("refund", "dispute")] + ["either"],
)
def test_a_refund_and_a_dispute_end_in_the_same_rows_in_either_order(
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
    event_ids = [
        event["id"]
        for event in sandbox.events()
        if event["type"].startswith(("refund.", "charge.refunded", "charge.dispute."))
    ]
    checkout = Checkout.objects.get()
    outcomes = race(
        *[
            partial(deliver_events, sandbox, Client(), order)
            for order in (event_ids, event_ids[::-1])
        ]
    )
    assert outcomes == [None, None]
    rows = dump_rows()
    assert len(rows["Dispute"]) == 1
    assert len(rows["Refund"]) == len(sandbox.events("refund.created"))
    for order in (event_ids, event_ids[::-1]):
        forget_sales()
        deliver_events(sandbox, client, order)
        assert dump_rows() == rows
    assert Tally.objects.get().counted_until == Dispute.objects.get().withdrawn_at
    checkout.refresh_from_db()
    assert checkout.status == Checkout.Status.PAID
