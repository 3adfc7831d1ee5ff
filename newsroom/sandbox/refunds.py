"""Refunds: full or partial, immediate or by bank, and those that fail later."""

import copy

from newsroom.sandbox import balance, clock, documents, events
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.models import BookEntry, StripeObject
from newsroom.sandbox.payment_methods import get_card

DAYS_UNTIL_FAILURE = 1
BANK_DAYS = 3


def create_refund(
    charge: StripeObject,
    *,
    amount: int | None = None,
    reason: str | None = None,
    metadata: dict[str, str] | None = None,
) -> StripeObject:
    """Refund a charge. Raise ApiError if it is unpaid, disputed or already refunded.

    `amount` is in minor units; by default it is all that is left.
    """
    body = charge.body
    left = body["amount"] - body["amount_refunded"]
    if body["status"] != "succeeded":
        raise ApiError(
            f"Charge {charge.stripe_id} has not been paid, so there is nothing to refund.",
            code="charge_not_refundable",
        )
    if left == 0:
        raise ApiError(
            f"Charge {charge.stripe_id} has already been refunded.", code="charge_already_refunded"
        )
    if body["disputed"] and not _is_dispute_won(charge):
        raise ApiError(
            f"Charge {charge.stripe_id} has been charged back; it can't be refunded.",
            code="charge_disputed",
        )
    amount = left if amount is None else amount
    if amount < 1:
        raise ApiError(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    if amount > left:
        raise ApiError(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).",
            code="amount_too_large",
            param="amount",
        )
    method = documents.fetch(body["payment_method"])
    card = get_card(method)
    stripe_id = documents.make_id("refund")
    txn = balance.move_money(
        BookEntry.Kind.REFUND,
        amount_minor=amount,
        currency=body["currency"],
        source=stripe_id,
        description="REFUND FOR CHARGE",
    )
    refund: Document = {
        "id": stripe_id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": txn.stripe_id,
        "charge": charge.stripe_id,
        "created": clock.now(),
        "currency": body["currency"],
        "destination_details": _describe_destination(card is not None),
        "metadata": metadata or {},
        "payment_intent": body["payment_intent"],
        "payment_method": body["payment_method"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded" if card else "pending",
        "transfer_reversal": None,
    }
    due_at = None
    if card is None:
        refund["pending_reason"] = "processing"
        due_at = clock.now() + BANK_DAYS * 86400
    elif card.refund_fails:
        due_at = clock.now() + DAYS_UNTIL_FAILURE * 86400
    row = documents.create(refund, due_at=due_at)
    _change_refunded_amount(charge, amount)
    events.emit("refund.created", row)
    events.emit("charge.refunded", charge)
    return row


def _is_dispute_won(charge: StripeObject) -> bool:
    dispute = documents.select("dispute", charge=charge.stripe_id).first()
    return dispute is not None and dispute.body["status"] == "won"


def _describe_destination(card: bool) -> Document:
    if not card:
        return {
            "eu_bank_transfer": {"reference": None, "reference_status": None},
            "type": "eu_bank_transfer",
        }
    return {
        "card": {
            "reference_status": "pending",
            "reference_type": "acquirer_reference_number",
            "type": "refund",
        },
        "type": "card",
    }


def _change_refunded_amount(charge: StripeObject, amount: int) -> None:
    charge.body["amount_refunded"] += amount
    charge.body["refunded"] = charge.body["amount_refunded"] == charge.body["amount"]
    documents.save(charge)


def run_due_refund(refund: StripeObject) -> None:
    """Complete a pending refund to a bank account, or fail a card's refund."""
    refund.due_at = None
    if refund.body["status"] == "succeeded":
        fail_refund(refund)
        return
    before = copy.deepcopy(refund.body)
    refund.body["status"] = "succeeded"
    refund.body.pop("pending_reason", None)
    documents.save(refund)
    events.emit_change("refund.updated", refund, before)
    events.emit_change("charge.refund.updated", refund, before)


def fail_refund(refund: StripeObject, *, reason: str = "expired_or_canceled_card") -> None:
    """Fail a refund: return the money to the balance and reduce the charge's refunded amount."""
    if refund.body["status"] not in ("succeeded", "pending"):
        raise ApiError(f"This refund is {refund.body['status']}, so it cannot fail.")
    before = copy.deepcopy(refund.body)
    txn = balance.move_money(
        BookEntry.Kind.REFUND_FAILURE,
        amount_minor=refund.body["amount"],
        currency=refund.body["currency"],
        source=refund.stripe_id,
        description="REFUND FAILURE",
    )
    refund.body.update(
        status="failed", failure_reason=reason, failure_balance_transaction=txn.stripe_id
    )
    refund.body.pop("pending_reason", None)
    refund.due_at = None
    documents.save(refund)
    charge = documents.fetch(refund.body["charge"])
    charge_before = copy.deepcopy(charge.body)
    _change_refunded_amount(charge, -refund.body["amount"])
    events.emit("refund.failed", refund)
    events.emit_change("refund.updated", refund, before)
    events.emit_change("charge.refund.updated", refund, before)
    events.emit_change("charge.updated", charge, charge_before)


def cancel_refund(refund: StripeObject) -> None:
    """Cancel a refund that waits for the customer. The sandbox never creates one."""
    if refund.body["status"] != "requires_action":
        raise ApiError(
            "Only a refund with status requires_action can be canceled; "
            f"this one has the status {refund.body['status']}.",
            code="refund_not_cancelable",
        )
    refund.body["status"] = "canceled"
    documents.save(refund)
    events.emit("refund.updated", refund, previous={"status": "requires_action"})
