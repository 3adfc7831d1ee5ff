"""Invoices paid outside Stripe, and charges that were refunded and disputed."""

import pytest
from django.test import Client

from campaigns import actions, settlement, stripe_api
from campaigns.models import Campaign, Member, Membership, OutgoingMail, Payment, Tally
from newsroom.sandbox.control import SandboxControl
from tests.conftest import deliver_events
from tests.support.renewals import list_invoices_of
from tests.support.sales import buy, settle, settle_payment, subscribe
from tests.support.sign_in import open_account_page, sign_in

DAY = 86_400


def pay_newest_invoice_offline(membership: Membership) -> str:
    """Mark the newest invoice as paid in Stripe's dashboard; return its id."""
    invoice_id = list_invoices_of(membership)[0].id
    stripe_api.client().v1.invoices.pay(invoice_id, {"paid_out_of_band": True})
    return invoice_id


@pytest.fixture
def past_due(campaign: Campaign, sandbox: SandboxControl) -> Membership:
    membership = subscribe(campaign, sandbox, "year")
    sandbox.advance(DAY)
    sandbox.renew(str(membership.subscription_id), outcome="failed")
    assert settle(membership) == Membership.Status.PAST_DUE
    return membership


def test_a_failed_renewal_that_is_paid_offline_is_a_payment_by_another_way(
    past_due: Membership, sandbox: SandboxControl
) -> None:
    invoice_id = pay_newest_invoice_offline(past_due)
    assert settle(past_due) == Membership.Status.ACTIVE
    payment = Payment.objects.get(invoice_id=invoice_id, status="succeeded")
    assert (payment.amount_minor, payment.currency, payment.method) == (6000, "eur", "offline")
    assert (payment.role, payment.intent_id, payment.membership) == ("renewal", None, past_due)
    assert past_due.access_until is None
    keys = OutgoingMail.objects.filter(kind=OutgoingMail.Kind.RECEIPT, payment=payment)
    assert [mail.key for mail in keys] == [f"receipt:{invoice_id}"]
    with pytest.raises(actions.RefundRefused, match="refund it by hand"):
        actions.check_refundable(payment)


@pytest.mark.thorough
def test_events_of_an_offline_invoice_in_any_order_make_one_payment(
    past_due: Membership, sandbox: SandboxControl, client: Client
) -> None:
    before = len(sandbox.events())
    invoice_id = pay_newest_invoice_offline(past_due)
    event_ids = [event["id"] for event in sandbox.events()[before:]]
    deliver_events(sandbox, client, [*reversed(event_ids), *event_ids])
    assert Payment.objects.filter(invoice_id=invoice_id, status="succeeded").count() == 1
    assert settlement.reconcile().is_equal


def test_the_account_page_shows_an_offline_payment(
    past_due: Membership, sandbox: SandboxControl, client: Client
) -> None:
    pay_newest_invoice_offline(past_due)
    settle(past_due)
    sign_in(client)
    page = open_account_page(client)
    assert "Paid another way, for example by bank transfer." in page
    assert "Renews on" in page


def test_a_refunded_charge_that_is_also_lost_in_a_dispute_stops_counting_once(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    payment = buy(campaign, sandbox, "year").payments.get()
    sandbox.advance(DAY)
    stripe_api.refund_payment(str(payment.intent_id), amount_minor=6000, idempotency_key="all")
    refunded_at = sandbox.now()
    sandbox.advance(DAY)
    dispute = sandbox.open_dispute(payment_intent=payment.intent_id)
    sandbox.close_dispute(dispute["id"], status="lost")
    settle_payment(payment)
    tally = Tally.objects.get(member=Member.objects.get())
    assert tally.counted_until is not None
    assert int(tally.counted_until.timestamp()) == refunded_at
    report = settlement.reconcile()
    assert report.is_equal
    assert report.ours["eur"].net_minor == report.theirs["eur"].net_minor < -6000
