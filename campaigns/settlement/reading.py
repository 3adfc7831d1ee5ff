"""All that Stripe has of a Checkout, read in one go; several calls, and nothing written."""

from dataclasses import dataclass, field

from campaigns import stripe_api
from campaigns.models import Payment
from campaigns.payments import ChargeSnapshot
from campaigns.stripe_api import Json


@dataclass(frozen=True)
class Snapshot:
    """All that Stripe has of a Checkout, read in one go."""

    session: Json
    subscription: Json | None = None
    charges: list[ChargeSnapshot] = field(default_factory=list)


def read_snapshot(session_id: str) -> Snapshot:
    """Everything of a session, its subscription and their charges; several calls to Stripe."""
    session = stripe_api.fetch_session(session_id)
    if session["status"] != "complete":
        return Snapshot(session)
    if session["mode"] == "subscription":
        subscription = stripe_api.fetch_subscription(session["subscription"])
        return Snapshot(session, subscription, _read_invoices(session["subscription"]))
    return Snapshot(session, None, [_read_charge(session["payment_intent"])])


def _read_invoices(subscription_id: str) -> list[ChargeSnapshot]:
    roles = {
        "subscription_create": Payment.Role.FIRST,
        "subscription_cycle": Payment.Role.RENEWAL,
    }
    return [
        _read_charge(
            stripe_api.fetch_intent(paying["payment"]["payment_intent"]),
            role=roles.get(invoice["billing_reason"] or "", Payment.Role.CHANGE),
            invoice_id=invoice["id"],
        )
        for invoice in stripe_api.list_invoices(subscription_id)
        if invoice["total"] > 0
        for paying in stripe_api.list_invoice_payments(invoice["id"])
        if paying["payment"]["type"] == "payment_intent"
    ]


def _read_charge(
    intent: Json, *, role: Payment.Role = Payment.Role.FIRST, invoice_id: str = ""
) -> ChargeSnapshot:
    charge = intent["latest_charge"]
    if charge is None:
        return ChargeSnapshot(intent, {}, role=role, invoice_id=invoice_id)
    return ChargeSnapshot(
        intent,
        charge,
        refunds=stripe_api.list_refunds(charge["id"]),
        disputes=stripe_api.list_disputes(charge["id"]) if charge["disputed"] else [],
        role=role,
        invoice_id=invoice_id,
    )
