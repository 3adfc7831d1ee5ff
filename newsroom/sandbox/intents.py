"""Payment intents and their charges: each payment succeeds or fails here."""

import copy

from newsroom.sandbox import balance, clock, context, documents, events
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.instruments import Decline
from newsroom.sandbox.models import BookEntry, StripeObject
from newsroom.sandbox.payment_methods import describe_method, get_card

DEBIT_DAYS = 3
DEBIT_FAILED = Decline(
    "payment_intent_payment_attempt_failed",
    None,
    "The bank could not collect the debit from this account.",
)
AUTHENTICATION_FAILED = Decline(
    "payment_intent_authentication_failure",
    None,
    "We are unable to authenticate your payment method. "
    "Please choose a different payment method and try again.",
)


def create_intent(
    *,
    amount: int,
    currency: str,
    customer: str | None,
    types: list[str],
    metadata: dict[str, str] | None = None,
    description: str | None = None,
    receipt_email: str | None = None,
    setup_future_usage: str | None = None,
    notes: Document | None = None,
) -> StripeObject:
    stripe_id = documents.make_id("payment_intent")
    row = documents.create(
        {
            "id": stripe_id,
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": None,
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": "automatic_async",
            "client_secret": f"{stripe_id}_secret_pretend",
            "confirmation_method": "automatic",
            "created": clock.now(),
            "currency": currency,
            "customer": customer,
            "description": description,
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": metadata or {},
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_configuration_details": None,
            "payment_method_options": {},
            "payment_method_types": types,
            "processing": None,
            "receipt_email": receipt_email,
            "review": None,
            "setup_future_usage": setup_future_usage,
            "shipping": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": "requires_payment_method",
            "transfer_data": None,
            "transfer_group": None,
        },
        notes=notes,
    )
    events.emit("payment_intent.created", row)
    return row


def _create_charge(
    intent: StripeObject, method: StripeObject, *, status: str, decline: Decline | None = None
) -> StripeObject:
    body = intent.body
    card = get_card(method)
    stripe_id = documents.make_id("charge")
    secure = bool(card and card.three_d_secure and intent.notes.get("authenticated"))
    row = documents.create(
        {
            "id": stripe_id,
            "object": "charge",
            "amount": body["amount"],
            "amount_captured": body["amount"] if status == "succeeded" else 0,
            "amount_refunded": 0,
            "application": None,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": None,
            "billing_details": copy.deepcopy(method.body["billing_details"]),
            "calculated_statement_descriptor": "PRETEND NEWSROOM",
            "captured": status == "succeeded",
            "created": clock.now(),
            "currency": body["currency"],
            "customer": body["customer"],
            "description": body["description"],
            "disputed": False,
            "failure_balance_transaction": None,
            "failure_code": decline.code if decline else None,
            "failure_message": decline.message if decline else None,
            "fraud_details": {},
            "livemode": False,
            "metadata": dict(body["metadata"]),
            "on_behalf_of": None,
            "outcome": _make_outcome(status, decline),
            "paid": status == "succeeded",
            "payment_intent": intent.stripe_id,
            "payment_method": method.stripe_id,
            "payment_method_details": describe_method(method, three_d_secure=secure),
            "radar_options": {},
            "receipt_email": body["receipt_email"],
            "receipt_number": None,
            "receipt_url": f"{context.address.base_url}/receipts/{stripe_id}",
            "refunded": False,
            "review": None,
            "shipping": None,
            "source_transfer": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": status,
            "transfer_data": None,
            "transfer_group": None,
        }
    )
    intent.body["latest_charge"] = stripe_id
    return row


def _make_outcome(status: str, decline: Decline | None) -> Document:
    network = {
        "succeeded": "approved_by_network",
        "pending": "approved_by_network",
        "failed": "declined_by_network",
    }[status]
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network,
        "reason": (decline.decline_code or decline.code) if decline else None,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": "Payment complete." if decline is None else decline.message,
        "type": "authorized" if decline is None else "issuer_declined",
    }


def decline_intent(
    intent: StripeObject, method: StripeObject, decline: Decline, *, charged: bool = True
) -> None:
    """Record a decline. `charged` is False if no charge was tried, as after a failed 3-D Secure."""
    charge = _create_charge(intent, method, status="failed", decline=decline) if charged else None
    intent.body.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_payment_error=_make_payment_error(decline, method, charge),
    )
    documents.save(intent)
    if charge is not None:
        events.emit("charge.failed", charge)
    events.emit("payment_intent.payment_failed", intent)


def _make_payment_error(
    decline: Decline, method: StripeObject, charge: StripeObject | None
) -> Document:
    error: Document = {
        "code": decline.code,
        "doc_url": f"https://stripe.com/docs/error-codes/{decline.code.replace('_', '-')}",
        "message": decline.message,
        "payment_method": copy.deepcopy(method.body),
        "type": "card_error" if method.body["type"] == "card" else "invalid_request_error",
    }
    if decline.decline_code:
        error["decline_code"] = decline.decline_code
    if charge is not None:
        error["charge"] = charge.stripe_id
    return error


def request_authentication(intent: StripeObject, method: StripeObject, *, url: str) -> None:
    intent.body.update(
        status="requires_action",
        payment_method=method.stripe_id,
        last_payment_error=None,
        next_action={
            "type": "redirect_to_url",
            "redirect_to_url": {"return_url": None, "url": url},
        },
    )
    documents.save(intent)
    events.emit("payment_intent.requires_action", intent)


def complete_intent(intent: StripeObject, method: StripeObject) -> StripeObject:
    """Record a successful card payment and return its charge."""
    charge = _create_charge(intent, method, status="succeeded")
    _record_charge(charge)
    _mark_succeeded(intent, method, charge)
    return charge


def _record_charge(charge: StripeObject) -> None:
    txn = balance.move_money(
        BookEntry.Kind.CHARGE,
        amount_minor=charge.body["amount"],
        currency=charge.body["currency"],
        source=charge.stripe_id,
        description=charge.body["description"],
    )
    charge.body["balance_transaction"] = txn.stripe_id
    documents.save(charge)


def _mark_succeeded(intent: StripeObject, method: StripeObject, charge: StripeObject) -> None:
    intent.body.update(
        status="succeeded",
        amount_received=intent.body["amount"],
        payment_method=method.stripe_id,
        last_payment_error=None,
        next_action=None,
    )
    intent.due_at = None
    documents.save(intent)
    events.emit("charge.succeeded", charge)
    events.emit("payment_intent.succeeded", intent)


def start_debit(intent: StripeObject, method: StripeObject) -> StripeObject:
    """Start a bank debit and return its pending charge. The bank answers in three days."""
    charge = _create_charge(intent, method, status="pending")
    intent.body.update(
        status="processing",
        payment_method=method.stripe_id,
        last_payment_error=None,
        next_action=None,
    )
    intent.due_at = clock.now() + DEBIT_DAYS * 86400
    documents.save(intent)
    events.emit("charge.pending", charge)
    events.emit("payment_intent.processing", intent)
    return charge


def finish_debit(intent: StripeObject, *, succeeded: bool) -> None:
    """Record the bank's answer to a debit."""
    if intent.body["status"] != "processing":
        raise ApiError(
            f"This PaymentIntent is {intent.body['status']}, so there is nothing to settle.",
            code="payment_intent_unexpected_state",
        )
    charge = documents.fetch(intent.body["latest_charge"])
    method = documents.fetch(intent.body["payment_method"])
    if succeeded:
        charge.body.update(
            status="succeeded", paid=True, captured=True, amount_captured=charge.body["amount"]
        )
        _record_charge(charge)
        _mark_succeeded(intent, method, charge)
        return
    charge.body.update(
        status="failed",
        failure_code=DEBIT_FAILED.code,
        failure_message=DEBIT_FAILED.message,
        outcome=_make_outcome("failed", DEBIT_FAILED),
    )
    documents.save(charge)
    intent.body.update(
        status="requires_payment_method",
        payment_method=None,
        last_payment_error=_make_payment_error(DEBIT_FAILED, method, charge),
    )
    intent.due_at = None
    documents.save(intent)
    events.emit("charge.failed", charge)
    events.emit("payment_intent.payment_failed", intent)


def cancel_intent(intent: StripeObject, *, reason: str | None) -> None:
    status = intent.body["status"]
    if status not in ("requires_payment_method", "requires_action", "requires_confirmation"):
        raise ApiError(
            f"You cannot cancel this PaymentIntent because it has a status of {status}.",
            code="payment_intent_unexpected_state",
        )
    intent.body.update(
        status="canceled", canceled_at=clock.now(), cancellation_reason=reason, next_action=None
    )
    documents.save(intent)
    events.emit("payment_intent.canceled", intent)
