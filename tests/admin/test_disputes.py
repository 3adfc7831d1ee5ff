"""Disputed payments in the admin: their status, and what can be refunded of them."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from campaigns import actions, jobs
from campaigns.models import Campaign, Payment, RefundOrder
from newsroom.sandbox.control import SandboxControl
from tests.support.factories import make_dispute, make_member, make_payment, make_refund
from tests.support.refunds import pay_and_settle, refund_at_stripe, refund_payment, refund_url
from tests.support.sales import place_order, settle_payment
from tests.support.staff import admin_url, read_messages, read_page


@pytest.fixture
def payment(birthday: Campaign) -> Payment:
    return make_payment(make_member(), birthday, "2026-11-10 12:00", intent_id="pi_disputed")


def list_states(client: Client, **filters: Any) -> list[str]:
    listed = client.get(admin_url(Payment, "changelist"), filters)
    return [row.state for row in listed.context["cl"].result_list]


@pytest.mark.thorough
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("refunded", "dispute", "state"),
    [
        (0, "", "succeeded"),
        (1000, "", "partly_refunded"),
        (6000, "", "refunded"),
        (0, "needs_response", "disputed"),
        (0, "under_review", "disputed"),
        (0, "a_state_yet_to_come", "disputed"),
        (2000, "lost", "lost"),
        (0, "won", "succeeded"),
        (1000, "won", "partly_refunded"),
        (0, "warning_needs_response", "succeeded"),
    ],
)
@pytest.mark.usefixtures("editor")
def test_the_status_of_a_payment_tells_of_refunds_and_disputes(
    client: Client, payment: Payment, refunded: int, dispute: str, state: str
) -> None:
    if refunded:
        make_refund(payment, "2026-11-11 12:00", refunded)
    if dispute:
        make_dispute(payment, "2026-11-12 12:00", status=dispute)
    assert list_states(client) == list_states(client, state=state) == [state]
    other = "refunded" if state != "refunded" else "succeeded"
    assert list_states(client, state=other) == []
    badge = f'class="staff-badge-{state}"'
    assert badge in read_page(client.get(admin_url(Payment, "change", payment.pk)))
    assert badge in read_page(client.get(f"/admin/campaigns/member/{payment.member_id}/change/"))


@pytest.mark.django_db
@pytest.mark.usefixtures("editor")
def test_a_job_finds_refunds_that_the_release_before_recorded(
    client: Client, payment: Payment
) -> None:
    """During an upgrade, its workers record refunds without the stored state."""
    make_refund(payment, "2026-11-11 12:00")
    Payment.objects.update(refund_state="")
    assert list_states(client, state="refunded") == []
    jobs.run_due_jobs("refund_states")
    assert list_states(client, state="refunded") == ["refunded"]
    payment.refunds.update(status="failed")
    jobs.run_due_jobs("refund_states")
    assert list_states(client, state="succeeded") == ["succeeded"]
    assert list_states(client, state="refunded") == []


@pytest.mark.django_db
@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize("status", ["needs_response", "under_review", "lost"])
def test_disputed_money_is_not_refundable_and_is_named_with_a_link_to_stripe(
    client: Client, payment: Payment, status: str
) -> None:
    make_refund(payment, "2026-11-11 12:00", 2000)
    dispute = make_dispute(payment, "2026-11-12 12:00", status=status)
    dispute.amount_minor = 4000
    dispute.save()
    assert actions.compute_refundable(payment) == 0
    page = read_page(client.get(admin_url(Payment, "change", payment.pk)))
    assert "€60 was paid. €40 of it is disputed or lost. €0 can be refunded." in page
    assert "https://dashboard.stripe.com/test/payments/pi_disputed" in page
    assert refund_url(payment) not in page
    response = client.get(refund_url(payment), follow=True)
    assert "the bank withdrew the money in a dispute" in read_messages(response)


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["won", "warning_needs_response", "warning_closed"])
def test_money_that_the_bank_does_not_have_is_refundable(payment: Payment, status: str) -> None:
    make_dispute(payment, "2026-11-12 12:00", status=status)
    assert actions.compute_refundable(payment) == 6000


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("editor")
def test_the_rest_of_a_partly_refunded_payment_can_be_disputed_and_won(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = pay_and_settle(place_order(campaign), sandbox)
    refund_at_stripe(payment, 2000)
    dispute = sandbox.open_dispute(payment_intent=str(payment.intent_id))
    settle_payment(payment)
    response = refund_payment_by_hand(client, payment)
    assert "the bank withdrew the money in a dispute" in read_page(response)
    assert not RefundOrder.objects.exists()
    sandbox.close_dispute(dispute["id"], status="won")
    settle_payment(payment)
    assert actions.compute_refundable(payment) == 4000
    assert "Payment refunded: €40." in read_messages(refund_payment(client, payment))
    assert list_states(client) == ["refunded"]


def refund_payment_by_hand(client: Client, payment: Payment) -> Any:
    """Send the refund form, as a page that was opened before the dispute does."""
    return client.post(
        refund_url(payment),
        {"amount": "40", "why": "late", "reason": "duplicate", "seen": "0"},
    )


@pytest.mark.django_db
def test_an_editor_sees_an_inquiry(client: Client, editor: User, payment: Payment) -> None:
    make_dispute(payment, "2026-11-12 12:00", status="warning_needs_response")
    page = read_page(client.get(admin_url(Payment, "change", payment.pk)))
    assert "The bank asks about €60 of this payment" in page
    assert refund_url(payment) in page
