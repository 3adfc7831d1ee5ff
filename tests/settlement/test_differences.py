"""Rows that differ from Stripe or exist on one side only are reported and corrected."""

from typing import Any

import pytest
from django.db.models import F

from campaigns import payments, stripe_api
from campaigns.models import Campaign, Dispute, Membership, Payment, Refund, StripeCursor
from newsroom.sandbox.control import SandboxControl
from tests.support.extensions import Clock, clock  # noqa: F401 - a fixture
from tests.support.factories import at, make_member, make_payment, make_refund
from tests.support.reconciliation import (
    add_up_ours,
    add_up_theirs,
    live_through_a_year,
    make_unrelated_charge,
    reconcile,
    refund_intent,
)

pytestmark = pytest.mark.usefixtures("clock")

# Rows that were changed


@pytest.mark.thorough
@pytest.mark.usefixtures("no_events")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"amount_minor": 6001}, "amount 6001, at Stripe 6000"),
        ({"fee_minor": 1}, "fee 1, at Stripe 115"),
        ({"net_minor": None}, "net None, at Stripe 5885"),
        ({"settled_currency": "usd"}, "paid out in usd, at Stripe eur"),
        ({"settled_minor": 5999}, "paid out 5999, at Stripe 6000"),
        ({"status": "pending"}, "status pending, at Stripe succeeded"),
    ],
)
def test_a_changed_payment_is_reported_and_corrected(
    settled_payment: Payment,
    change: dict[str, Any],
    said: str,
) -> None:
    Payment.objects.update(**change)
    code, output = reconcile("--dry-run")
    assert code == 1
    assert "\ndifferent: 1" in output
    assert said in output
    code, output = reconcile()
    assert code == 0, output
    assert "different and corrected: 1" in output
    assert said in output
    kept = list(Payment.objects.values_list("amount_minor", "fee_minor", "net_minor", "status"))
    assert kept == [(6000, 115, 5885, "succeeded")]


@pytest.mark.thorough
@pytest.mark.usefixtures("no_events")
def test_changed_refunds_and_disputes_are_corrected(
    campaign: Campaign,
    sandbox: SandboxControl,
    clock: Clock,  # noqa: F811
) -> None:
    live_through_a_year(campaign, sandbox, clock)
    reconcile()
    Refund.objects.filter(status="failed").update(status="succeeded")
    Refund.objects.filter(amount_minor=1234).update(amount_minor=1)
    Dispute.objects.filter(status="lost").update(withdrawn_at=None)
    Dispute.objects.filter(status="won").update(status="lost", reinstated_at=None)
    assert add_up_ours() != add_up_theirs(sandbox)
    code, output = reconcile("--since", "2026-11-01")
    assert code == 0, output
    for said in (
        "no time of the dispute",
        "amount 1, at Stripe 1234",
        "succeeded, at Stripe failed",
    ):
        assert said in output
    assert add_up_ours() == add_up_theirs(sandbox)


@pytest.mark.usefixtures("no_events")
def test_a_difference_that_cannot_be_corrected_is_reported_with_its_reason(
    settled_payment: Payment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Payment.objects.update(fee_minor=F("fee_minor") + 1)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise stripe_api.StripeRefused("No", code="no_such_session", status=400)

    monkeypatch.setattr("campaigns.settlement.reconciliation.settle_object", fail)
    code, output = reconcile()
    assert code == 1
    assert "still different: 1" in output
    assert f"charge {settled_payment.charge_id} (fee 116, at Stripe 115" in output
    assert "Stripe refused: no_such_session" in output
    assert "115" in output.partition("fees")[2]
    assert not StripeCursor.objects.filter(of="balance").exists()


@pytest.mark.usefixtures("no_events")
def test_a_deleted_row_is_imported_again(
    settled_payment: Payment,
    campaign: Campaign,
    sandbox: SandboxControl,
) -> None:
    refund_intent(str(settled_payment.intent_id), 1000)
    reconcile()
    Refund.objects.all().delete()
    code, output = reconcile()
    assert code == 0, output
    assert "missing here and imported: 1 (-€10)" in output
    assert Refund.objects.get().amount_minor == 1000


# Rows on one side only


@pytest.mark.usefixtures("settled_payment")
def test_a_row_that_stripe_does_not_have_is_reported_as_missing_there(campaign: Campaign) -> None:
    ghost = make_payment(make_member(), campaign, "2026-11-10 12:00")
    make_refund(Payment.objects.exclude(pk=ghost.pk).get(), "2026-11-10 12:30", 700)
    for _ in range(2):  # reported each night until it is corrected
        code, output = reconcile()
        assert code == 1
        assert "missing at Stripe: 2 (€53)" in output
        assert f"charge {ghost.charge_id}" in output
        assert "12000            6000        6000" in output
        assert not StripeCursor.objects.filter(of="balance").exists()


@pytest.mark.usefixtures("no_events")
def test_a_duplicate_payment_is_reported_as_missing_there_once(
    settled_payment: Payment,
    campaign: Campaign,
) -> None:
    make_payment(make_member(), campaign, "2026-11-10 12:00", charge_id=settled_payment.charge_id)
    code, output = reconcile()
    assert code == 1
    assert "missing at Stripe: 1 (€60)" in output


@pytest.mark.usefixtures("settled_payment")
def test_an_offline_payment_is_not_expected_at_stripe(campaign: Campaign) -> None:
    membership = Membership.objects.create(
        member=make_member(), source="granted", started_at=at("2026-11-10 12:00")
    )
    payments.record_offline_payment(
        campaign=campaign,
        membership=membership,
        amount_minor=6000,
        currency="eur",
        paid_at=at("2026-11-10 12:00"),
    )
    code, output = reconcile()
    assert code == 0, output
    assert "missing" not in output


@pytest.mark.usefixtures("settled_payment")
def test_a_charge_that_is_not_ours_is_reported_and_is_not_a_difference(
    sandbox: SandboxControl,
) -> None:
    make_unrelated_charge(sandbox)
    code, output = reconcile()
    assert code == 0, output
    assert "not ours: without one of our Checkouts, left out below: 1 (€50)" in output
    assert Payment.objects.count() == 1


@pytest.mark.usefixtures("settled_payment")
def test_a_charge_with_our_metadata_is_missing_even_if_its_checkout_is_gone(
    sandbox: SandboxControl,
) -> None:
    make_unrelated_charge(sandbox, checkout="1e4fb81a-5a3a-4f4c-a4a7-5c0f4f6b3f11")
    code, output = reconcile()
    assert code == 1
    assert "still missing here: 1 (€50)" in output
