"""Snapshots: everything about a sale of any age, read from Stripe with a few calls."""

from collections.abc import Iterator
from typing import Any

import pytest

from campaigns import settlement, stripe_api
from campaigns.models import Campaign, Checkout, Dispute, Payment
from campaigns.payments import ChargeSnapshot
from newsroom.sandbox.control import SandboxControl
from tests.support.calls import Calls, calls  # noqa: F401 - a fixture
from tests.support.extensions import CARD, Clock, clock  # noqa: F401 - a fixture
from tests.support.factories import at
from tests.support.sales import place_order

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def monthly(campaign: Campaign, sandbox: SandboxControl) -> Checkout:
    checkout = place_order(campaign, "month")
    sandbox.pay(str(checkout.session_id), card=CARD)
    return checkout


def read(checkout: Checkout, **hint: Any) -> settlement.Snapshot:
    return settlement.read_snapshot(str(checkout.session_id), **hint)


def read_one_by_one(checkout: Checkout) -> Iterator[ChargeSnapshot]:
    """Fetch everything invoice by invoice, for comparison with the lists."""
    session = stripe_api.fetch_session(str(checkout.session_id))
    roles = {"subscription_create": "first", "subscription_cycle": "renewal"}
    for invoice in stripe_api.list_invoices(session.subscription_id):
        for paying in stripe_api.list_invoice_payments(invoice.id):
            intent = stripe_api.fetch_intent(paying.intent_id)
            charge = intent.charge
            yield ChargeSnapshot(
                intent.id,
                charge,
                stripe_api.list_refunds(charge.id) if charge else [],
                stripe_api.list_disputes(charge.id) if charge else [],
                invoice.id,
                Payment.Role(roles.get(invoice.billing_reason, "change")),
            )


def renewals_of(checkout: Checkout) -> list[str]:
    """Return the ids of all payment intents, newest first."""
    return [charge.intent_id for charge in read(checkout).charges]


def refund(intent_id: str, minor: int) -> None:
    stripe_api.refund_payment(intent_id, amount_minor=minor, idempotency_key=f"{intent_id}{minor}")


@pytest.mark.thorough
@pytest.mark.parametrize("months", [1, 24])
def test_two_years_take_no_more_calls_than_five_months(
    monthly: Checkout,
    clock: Clock,  # noqa: F811
    calls: Calls,  # noqa: F811
    months: int,
) -> None:
    clock.move_to(at("2026-12-20 12:00") if months == 1 else at("2028-11-20 12:00"))
    calls.clear()
    charges = read(monthly).charges
    assert len(charges) == months + 1
    lists = {"checkout/sessions": 1, "invoices": 1, "payment_intents": 1}
    assert calls == lists | {"disputes": min(months + 1, 4)}  # for the charges of the last 120 days
    calls.clear()
    assert read(monthly, finds_inquiries=False).charges == charges
    assert calls == lists
    calls.clear()
    assert list(read_one_by_one(monthly)) == charges
    assert sum(calls.values()) == 2 + 4 * (
        months + 1
    )  # the number of calls when fetched one by one


def test_reading_lists_gives_the_same_as_fetching_each_object(
    monthly: Checkout,
    sandbox: SandboxControl,
    clock: Clock,  # noqa: F811
) -> None:
    clock.move_to(at("2027-09-20 12:00"))
    intents = renewals_of(monthly)
    oldest, old, new = intents[-1], intents[-3], intents[0]
    refund(oldest, 600)
    for minor in range(1, 13):  # more than a charge lists itself
        refund(old, minor)
    refund(new, 100)
    sandbox.open_dispute(payment_intent=intents[-2])
    sandbox.open_dispute(payment_intent=intents[1], inquiry=True)
    charges = read(monthly).charges
    assert charges == list(read_one_by_one(monthly))
    assert [len(charge.refunds) for charge in charges][-3:] == [12, 0, 1]
    assert sum(len(charge.disputes) for charge in charges) == 2


def test_an_inquiry_into_an_old_charge_is_found_by_its_event_and_followed_afterwards(
    monthly: Checkout,
    sandbox: SandboxControl,
    clock: Clock,  # noqa: F811
) -> None:
    clock.move_to(at("2027-09-20 12:00"))
    settlement.settle_checkout(monthly.pk)
    asked = sandbox.open_dispute(payment_intent=renewals_of(monthly)[-1], inquiry=True)
    settlement.settle_checkout(monthly.pk)
    assert not Dispute.objects.exists()
    found = settlement.settle_object("dispute", asked["id"])
    assert (found.checkout_id, found.disputed_id) == (monthly.pk, asked["charge"])
    assert Dispute.objects.get().status == "warning_needs_response"
    sandbox.close_dispute(asked["id"], status="warning_closed")
    settlement.settle_checkout(monthly.pk)
    assert Dispute.objects.get().status == "warning_closed"


def test_an_intent_missing_from_the_customers_list_is_fetched_alone(
    monthly: Checkout,
    clock: Clock,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock.move_to(at("2027-01-20 12:00"))
    whole = read(monthly).charges
    list_all = stripe_api.list_intents

    def list_some(customer_id: str) -> list[stripe_api.Intent]:
        return list_all(customer_id)[1:2]

    monkeypatch.setattr(stripe_api, "list_intents", list_some)
    assert read(monthly).charges == whole
    assert len(whole) == 3


def test_an_erased_customers_payments_are_still_read(
    monthly: Checkout,
    clock: Clock,  # noqa: F811
) -> None:
    clock.move_to(at("2027-01-20 12:00"))
    before = renewals_of(monthly)
    stripe_api.delete_customer(read(monthly).session.customer_id)
    refund(before[0], 100)
    charges = read(monthly).charges
    assert [charge.intent_id for charge in charges] == before
    assert [len(charge.refunds) for charge in charges] == [1, 0, 0]


def test_a_one_off_sale_takes_one_call_and_a_second_after_a_refund(
    campaign: Campaign,
    sandbox: SandboxControl,
    calls: Calls,  # noqa: F811
) -> None:
    checkout = place_order(campaign, "gift")
    sandbox.pay(str(checkout.session_id), card=CARD)
    calls.clear()
    [charge] = read(checkout).charges
    assert calls == {"checkout/sessions": 1, "disputes": 1}
    calls.clear()
    read(checkout, finds_inquiries=False)
    assert calls == {"checkout/sessions": 1}
    refund(charge.intent_id, 100)
    calls.clear()
    refunds = read(checkout, finds_inquiries=False).charges[0].refunds
    assert [refund.amount_minor for refund in refunds] == [100]
    assert calls == {"checkout/sessions": 1, "refunds": 1}
