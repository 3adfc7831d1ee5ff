"""Disputes: a bank takes a payment back and may return it later."""

import copy

from newsroom.sandbox import balance, clock, documents, events
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.models import BookEntry, StripeObject

DAYS_TO_ANSWER = 7
_EVIDENCE = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
]
REASONS = frozenset(
    [
        "bank_cannot_process",
        "check_returned",
        "credit_not_processed",
        "customer_initiated",
        "debit_not_authorized",
        "duplicate",
        "fraudulent",
        "general",
        "incorrect_account_details",
        "insufficient_funds",
        "noncompliant",
        "product_not_received",
        "product_unacceptable",
        "subscription_canceled",
        "unrecognized",
    ]
)
EVIDENCE_NAMES = tuple(_EVIDENCE)


def open_dispute(
    charge: StripeObject, *, reason: str = "fraudulent", inquiry: bool = False
) -> StripeObject:
    """Withdraw the unrefunded part of the charge, and the dispute fee.

    A bank doesn't know of a refund: a charge that was refunded in full can be disputed in full.

    An `inquiry` moves no money, and the charge can still be refunded. Stripe doesn't document
    whether its charge is `disputed`; here it isn't, which is the harder case for an application.
    https://docs.stripe.com/disputes/how-disputes-work#inquiries
    """
    if reason not in REASONS:
        raise ApiError(
            f"Invalid reason: must be one of {', '.join(sorted(REASONS))}", param="reason"
        )
    left = charge.body["amount"] - charge.body["amount_refunded"] or charge.body["amount"]
    if charge.body["status"] != "succeeded" or charge.body["disputed"]:
        raise ApiError(
            "Only a paid charge that is not already disputed can be disputed.", param="charge"
        )
    now = clock.now()
    stripe_id = documents.make_id("dispute")
    details: Document = charge.body["payment_method_details"]
    evidence: Document = dict.fromkeys(_EVIDENCE)
    body: Document = {
        "id": stripe_id,
        "object": "dispute",
        "amount": left,
        "balance_transactions": [] if inquiry else [_withdraw_funds(stripe_id, charge, left)],
        "charge": charge.stripe_id,
        "created": now,
        "currency": charge.body["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**evidence, "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + DAYS_TO_ANSWER * 86400,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge.body["payment_intent"],
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }
    if details["type"] == "card":
        body["payment_method_details"] = {
            "card": {
                "brand": details["card"]["brand"],
                "case_type": "chargeback",
                "network": details["card"]["brand"],
                "network_reason_code": "10.4",
            },
            "type": "card",
        }
    row = documents.create(body)
    if not inquiry:
        charge.body["disputed"] = True
        documents.save(charge)
    events.emit("charge.dispute.created", row)
    if not inquiry:
        events.emit("charge.dispute.funds_withdrawn", row)
    return row


def _withdraw_funds(stripe_id: str, charge: StripeObject, amount: int) -> Document:
    txn = balance.move_money(
        BookEntry.Kind.DISPUTE,
        amount_minor=amount,
        currency=charge.body["currency"],
        source=stripe_id,
        description=f"Chargeback withdrawal for {charge.stripe_id}",
    )
    return copy.deepcopy(txn.body)


def close_dispute(dispute: StripeObject, *, status: str) -> StripeObject:
    """Close a dispute as `lost` or `won`, or an inquiry as `warning_closed`.

    `won` returns the money but not the fee, and may follow a loss.
    """
    before = copy.deepcopy(dispute.body)
    ends = ("warning_closed",) if before["status"].startswith("warning_") else ("lost", "won")
    if status not in ends:
        raise ApiError(f"Invalid status: must be one of {', '.join(ends)}", param="status")
    if before["status"] == "won" or before["status"] == status:
        raise ApiError(
            f"This dispute is already closed: {before['status']}.", code="dispute_already_closed"
        )
    dispute.body["status"] = status
    if status == "won":
        txn = balance.move_money(
            BookEntry.Kind.DISPUTE_REVERSAL,
            amount_minor=dispute.body["amount"],
            currency=dispute.body["currency"],
            source=dispute.stripe_id,
            description=f"Chargeback reversal for {dispute.body['charge']}",
        )
        dispute.body["balance_transactions"].append(copy.deepcopy(txn.body))
    documents.save(dispute)
    if before["status"] == "lost":
        events.emit("charge.dispute.updated", dispute, previous={"status": "lost"})
    events.emit("charge.dispute.closed", dispute)
    if status == "won":
        events.emit("charge.dispute.funds_reinstated", dispute)
    return dispute


def submit_evidence(dispute: StripeObject, *, evidence: Document, submit: bool) -> None:
    if dispute.body["status"] not in ("needs_response", "under_review"):
        raise ApiError("This dispute is already closed.", code="dispute_already_closed")
    before = copy.deepcopy(dispute.body)
    if evidence:
        dispute.body["evidence"].update(evidence)
        dispute.body["evidence_details"]["has_evidence"] = True
    if submit:
        dispute.body["evidence_details"]["submission_count"] += 1
        dispute.body["status"] = "under_review"
    documents.save(dispute)
    events.emit_change("charge.dispute.updated", dispute, before)
