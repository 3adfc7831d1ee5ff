from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from campaigns import emails, settlement, stripe_api
from campaigns.gifts import sales
from campaigns.models import (
    Campaign,
    Checkout,
    Dispute,
    Gift,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    Tally,
)
from newsroom.sandbox.control import SandboxControl
from tests.support.due import claim_due, list_due
from tests.support.sales import place_order


@pytest.mark.parametrize("kind", ["month", "year", "once"])
def test_a_paid_membership_is_recorded_and_counted(
    campaign: Campaign, sandbox: SandboxControl, kind: str
) -> None:
    checkout = place_order(campaign, kind)
    assert checkout.session_id is not None
    assert settlement.settle_checkout(checkout.pk).status == Checkout.Status.OPEN
    assert Tally.objects.count() == 0
    sandbox.pay(checkout.session_id, card="4242424242424242")
    settled = settlement.settle_checkout(checkout.pk)
    assert settled.status == Checkout.Status.PAID
    payment = Payment.objects.get()
    assert (payment.amount_minor, payment.currency, payment.status) == (
        checkout.amount_minor,
        "eur",
        "succeeded",
    )
    assert payment.role == Payment.Role.FIRST
    assert payment.net_minor is not None
    assert payment.fee_minor is not None
    assert payment.net_minor + payment.fee_minor == payment.amount_minor
    membership = Membership.objects.get()
    assert (membership.status, payment.membership) == ("active", membership)
    assert Tally.objects.get().member == membership.member


def test_a_paid_gift_is_recorded_and_counted(campaign: Campaign, sandbox: SandboxControl) -> None:
    checkout = place_order(campaign, "gift")
    sandbox.pay(str(checkout.session_id), card="4242424242424242")
    settlement.settle_checkout(checkout.pk)
    gift = Gift.objects.get()
    assert (gift.status, gift.recipient_name, gift.payment.role) == ("paid", "Ben", "gift")
    assert Tally.objects.get().gift == gift
    assert not Membership.objects.exists()


def test_a_bank_debit_is_pending_and_counts_once_it_succeeds(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    checkout = place_order(campaign, "gift")
    sandbox.pay(str(checkout.session_id), iban="DE89370400440532013000")
    assert settlement.settle_checkout(checkout.pk).status == Checkout.Status.WAITING
    payment = Payment.objects.get()
    assert payment.status == Payment.Status.PENDING
    assert Tally.objects.count() == 0
    sandbox.settle_debit(str(payment.intent_id))
    assert settlement.settle_checkout(checkout.pk).status == Checkout.Status.PAID
    assert Tally.objects.get().counted_from == payment.paid_at


def test_a_failed_bank_debit_leaves_a_failed_payment_and_no_gift(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    checkout = place_order(campaign, "gift")
    sandbox.pay(str(checkout.session_id), iban="DE62370400440532013001")
    sandbox.advance(days=7)
    assert settlement.settle_checkout(checkout.pk).status == Checkout.Status.FAILED
    assert Payment.objects.get().status == Payment.Status.FAILED
    assert not Gift.objects.exists()
    assert not Tally.objects.exists()


def test_a_corrected_address_keeps_the_buyer_the_same_person(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    checkout = place_order(campaign, email="adda@example.org")
    sandbox.pay(str(checkout.session_id), card="4242424242424242")
    settlement.settle_checkout(checkout.pk)
    Member.objects.filter(email="adda@example.org").update(email="ada@example.org")
    settlement.settle_checkout(checkout.pk)
    assert Member.objects.get().email == "ada@example.org"
    assert Tally.objects.get().member == Member.objects.get()


def test_a_one_off_membership_ends_with_its_refund(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    checkout = place_order(campaign, "once")
    sandbox.pay(str(checkout.session_id), card="4242424242424242")
    settlement.settle_checkout(checkout.pk)
    payment = Payment.objects.get()
    sandbox.advance(3600)
    refund = stripe_api.refund_payment(
        str(payment.intent_id), amount_minor=payment.amount_minor, idempotency_key="back"
    )
    settlement.settle_checkout(checkout.pk)
    membership = Membership.objects.get()
    assert membership.status == Membership.Status.ENDED
    assert membership.ended_at == refund.created_at
    sandbox.fail_refund(refund.id)
    settlement.settle_checkout(checkout.pk)
    assert Membership.objects.get(ended_at__isnull=True).status == "active"


def test_a_payment_for_gifts_keeps_every_field_of_its_charge(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    checkout = place_order(campaign, "gift")
    sandbox.pay(str(checkout.session_id), card="4242424242424242")
    snapshot = settlement.read_snapshot(str(checkout.session_id))
    [charge] = snapshot.charges
    with transaction.atomic():
        locked = Checkout.objects.select_for_update().get(pk=checkout.pk)
        settlement.write_snapshot(
            locked, replace(snapshot, charges=[replace(charge, invoice_id="in_1")])
        )
    payment = Payment.objects.get()
    assert (payment.role, payment.invoice_id) == (Payment.Role.GIFT, "in_1")


def test_a_gift_whose_dispute_is_won_is_delivered_after_all(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    checkout = place_order(campaign, "gift")
    sandbox.pay(str(checkout.session_id), card="4242424242424242")
    dispute = sandbox.open_dispute(payment_intent=_intent_of(checkout))
    sandbox.advance(3600)
    sandbox.close_dispute(dispute["id"], status="lost")
    settlement.settle_checkout(checkout.pk)
    assert Gift.objects.get().status == Gift.Status.REVOKED
    for mail_id in list_due("mails", at=timezone.now()):
        emails.deliver_mail(mail_id)
    gift_mails = OutgoingMail.objects.filter(kind__startswith="gift", sent_at__isnull=True)
    assert gift_mails.filter(due_at__isnull=True).count() == 2  # no longer wanted
    Dispute.objects.update(status="won")
    with transaction.atomic():
        sales.upsert_gifts(Payment.objects.get(), checkout=checkout)
    assert Gift.objects.get().status == Gift.Status.PAID
    assert gift_mails.filter(due_at__isnull=False).count() == 2


def _intent_of(checkout: Checkout) -> str:
    session = stripe_api.fetch_session(str(checkout.session_id))
    assert session.intent is not None
    return session.intent.id


def test_a_refund_whose_webhook_was_lost_is_found_within_a_day(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    checkout = place_order(campaign)
    sandbox.pay(str(checkout.session_id), card="4242424242424242")
    settlement.settle_checkout(checkout.pk)
    payment = Payment.objects.get()
    sandbox.advance(3600)
    stripe_api.refund_payment(
        str(payment.intent_id), amount_minor=payment.amount_minor, idempotency_key="back"
    )
    now = timezone.now()
    assert claim_due("checkouts", at=now + timedelta(hours=23)) == []
    assert claim_due("checkouts", at=now + timedelta(hours=25)) == [checkout.pk]
    settlement.settle_checkout(checkout.pk)
    assert Tally.objects.get().counted_until is not None
    # It is settled daily until it can no longer be disputed.
    checkout.refresh_from_db()
    assert settlement.next_settlement_at(checkout, at=now + timedelta(days=119)) is not None
    assert settlement.next_settlement_at(checkout, at=now + timedelta(days=121)) is None
