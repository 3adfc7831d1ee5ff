"""Snapshots: how raw objects of Stripe are read, and what happens if fields are missing."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from campaigns.stripe_api.events import UnusableEvent, read_event
from campaigns.stripe_api.snapshots import (
    read_balance_transaction,
    read_charge,
    read_dispute,
    read_intent,
    read_refund,
    read_session,
    read_subscription,
)

pytestmark = pytest.mark.once

SECONDS = 1_794_312_000
MOMENT = datetime.fromtimestamp(SECONDS, tz=UTC)
ENTRY = {"id": "txn_1", "type": "charge", "amount": 6000, "fee": 115, "net": 5885}
ENTRY |= {"currency": "eur", "created": SECONDS}
MONEY = {"status": "succeeded", "amount": 6000, "currency": "eur", "created": SECONDS}
CHARGE = {"id": "ch_1", "object": "charge", **MONEY}
REFUND = {"id": "re_1", "object": "refund", **MONEY}
DISPUTE = {"id": "du_1", "object": "dispute", "charge": "ch_1", **MONEY}


def test_a_charge_without_details_has_empty_ones() -> None:
    charge = read_charge(CHARGE)
    assert (charge.amount_minor, charge.created_at) == (6000, MOMENT)
    assert (charge.method, charge.brand, charge.country) == ("", "", "")
    assert (charge.balance, charge.checkout_ref, charge.is_disputed) == (None, "", False)


@pytest.mark.parametrize(
    ("refunds", "expected"), [(None, True), ({"data": []}, False), ({"data": [REFUND]}, True)]
)
def test_only_an_empty_list_says_that_a_charge_has_no_refunds(
    refunds: dict[str, Any] | None, expected: bool
) -> None:
    assert read_charge(CHARGE | {"refunds": refunds}).may_have_refunds is expected


def test_card_and_balance_entry_are_read_if_they_are_expanded() -> None:
    card = {"type": "card", "card": {"brand": "visa", "country": "DE"}}
    more = {"payment_method_details": card, "balance_transaction": ENTRY}
    charge = read_charge(CHARGE | more)
    assert (charge.method, charge.brand, charge.country) == ("card", "visa", "DE")
    assert charge.balance is not None
    assert (charge.balance.fee_minor, charge.balance.net_minor) == (115, 5885)
    assert read_charge(CHARGE | {"balance_transaction": "txn_1"}).balance is None


def test_the_wallet_that_holds_a_card_is_read() -> None:
    def read_wallet(wallet: Any) -> str:
        details = {"type": "card", "card": {"brand": "visa", "wallet": wallet}}
        return read_charge(CHARGE | {"payment_method_details": details}).wallet

    assert read_wallet({"type": "apple_pay", "dynamic_last4": "4242"}) == "apple_pay"
    assert read_wallet(None) == ""


def test_an_intent_without_a_charge_has_none() -> None:
    intent = read_intent({"id": "pi_1", "latest_charge": None, "metadata": {"checkout": "a"}})
    assert (intent.charge, intent.checkout_ref) == (None, "a")


def test_a_refund_without_a_status_is_pending() -> None:
    assert read_refund(REFUND | {"status": None}).status == "pending"


def test_a_refund_says_if_the_entry_of_its_failure_was_not_expanded() -> None:
    named = read_refund(REFUND | {"failure_balance_transaction": "txn_2"})
    assert (named.has_unread_failure, named.entries) == (True, ())
    failure = ENTRY | {"id": "txn_2", "created": SECONDS + 1}
    whole = read_refund(
        REFUND | {"balance_transaction": ENTRY, "failure_balance_transaction": failure}
    )
    assert not whole.has_unread_failure
    assert [entry.id for entry in whole.entries] == ["txn_1", "txn_2"]


def test_the_entries_of_a_dispute_come_oldest_first() -> None:
    later = ENTRY | {"id": "txn_2", "created": SECONDS + 1}
    dispute = read_dispute(DISPUTE | {"balance_transactions": [later, ENTRY]})
    assert [entry.id for entry in dispute.entries] == ["txn_1", "txn_2"]
    assert (dispute.evidence_due_at, dispute.reason) == (None, "")


@pytest.mark.parametrize("source", ["ch_1", None, {"id": "po_1", "object": "payout"}])
def test_a_balance_transaction_has_no_source_of_another_type(source: Any) -> None:
    assert read_balance_transaction(ENTRY | {"source": source}).source is None


def test_a_balance_transaction_has_its_expanded_source() -> None:
    assert read_balance_transaction(ENTRY | {"source": CHARGE}).source == read_charge(CHARGE)


def test_an_open_session_has_no_customer_or_intent() -> None:
    raw = {"id": "cs_1", "status": "open", "mode": "payment", "payment_status": "unpaid"}
    session = read_session(raw | {"customer": None, "payment_intent": "pi_1"})
    assert (session.customer_id, session.subscription_id, session.intent) == ("", "", None)


@pytest.mark.parametrize("latest", ["in_1", {"id": "in_1"}, None])
def test_a_subscription_has_the_id_of_its_latest_invoice(latest: Any) -> None:
    item: dict[str, Any] = {"id": "si_1", "price": {"id": "price_1"}}
    item |= {"current_period_start": SECONDS, "current_period_end": SECONDS + 60}
    raw = {"id": "sub_1", "status": "active", "currency": "eur", "start_date": SECONDS}
    subscription = read_subscription(
        raw | {"items": {"data": [item]}, "latest_invoice": latest, "pause_collection": {}}
    )
    assert subscription.latest_invoice_id == ("in_1" if latest else "")
    assert (subscription.pause, subscription.is_cancelling) == (None, False)
    assert subscription.items[0].period_starts_at == MOMENT


def test_a_missing_required_field_is_an_error() -> None:
    with pytest.raises(KeyError, match="amount"):
        read_charge({name: value for name, value in CHARGE.items() if name != "amount"})


EVENT = {"id": "evt_1", "type": "a.b", "created": SECONDS, "livemode": False}


def test_an_event_keeps_its_payload_and_names_its_object() -> None:
    raw = EVENT | {"data": {"object": {"object": "charge", "id": "ch_1"}}}
    event = read_event(raw, payload=json.dumps(raw))
    assert (event.object_type, event.object_id) == ("charge", "ch_1")
    assert (event.created_at, event.payload) == (MOMENT, json.dumps(raw))


@pytest.mark.parametrize(
    "raw",
    [
        [],
        EVENT | {"id": "evt 1"},
        EVENT | {"type": None},
        EVENT | {"livemode": "no"},
        EVENT | {"created": True},
        EVENT | {"created": 0},
    ],
    ids=str,
)
def test_json_that_is_not_an_event_is_refused(raw: Any) -> None:
    with pytest.raises(UnusableEvent):
        read_event(raw, payload="")


@pytest.mark.parametrize("data", [None, [], {"object": "ch_1"}, {"object": {"id": "ch_1"}}])
def test_an_event_without_an_object_names_none(data: Any) -> None:
    event = read_event(EVENT | {"data": data}, payload="")
    assert (event.object_type, event.object_id) == ("", "")
