"""All that Stripe has of a Checkout, read in one go; several calls, and nothing written."""

from collections.abc import Container
from dataclasses import dataclass, field
from datetime import timedelta

from campaigns import stripe_api
from campaigns.models import Dispute, Payment
from campaigns.payments import ChargeSnapshot
from campaigns.stripe_api import Json

_ROLES = {
    "subscription_create": Payment.Role.FIRST,
    "subscription_cycle": Payment.Role.RENEWAL,
}
# So long after a charge its holder's bank may ask about it.
_OBJECTED_WITHIN = timedelta(days=120)


@dataclass(frozen=True)
class Snapshot:
    """All that Stripe has of a Checkout, read in one go."""

    session: Json
    subscription: Json | None = None
    charges: list[ChargeSnapshot] = field(default_factory=list)
    invoices: list[Json] = field(default_factory=list)


def read_snapshot(session_id: str, *, disputed_id: str = "") -> Snapshot:
    """Everything of a session, its subscription and their charges; several calls to Stripe.

    Of a subscription lists are read, so that five years cost as many calls as one. `disputed_id`
    is the charge of a dispute that led here.
    """
    session = stripe_api.fetch_session(session_id)
    if session["status"] != "complete":
        return Snapshot(session)
    if session["mode"] == "subscription":
        subscription = stripe_api.fetch_subscription(session["subscription"])
        invoices = stripe_api.list_invoices(session["subscription"])
        charges = _read_charges(invoices, session["customer"], disputed_id=disputed_id)
        return Snapshot(session, subscription, charges, invoices)
    return Snapshot(session, None, [_read_charge(session["payment_intent"])])


def _read_charges(
    invoices: list[Json], customer_id: str, *, disputed_id: str
) -> list[ChargeSnapshot]:
    paid = [
        (invoice, paying["payment"]["payment_intent"])
        for invoice in invoices
        if invoice["total"] > 0
        for paying in _payments_of(invoice)
        if paying["payment"]["type"] == "payment_intent"
    ]
    # One that is not in the customer's list is asked for by itself.
    listed = stripe_api.list_intents(customer_id) if paid else []
    known = {intent["id"]: intent for intent in listed}
    intents = [known.get(each) or stripe_api.fetch_intent(each) for _, each in paid]
    charges = [intent["latest_charge"] for intent in intents if intent["latest_charge"]]
    objected = _find_objected(charges) | {disputed_id}
    return [
        _read_charge(
            intent,
            role=_ROLES.get(invoice["billing_reason"] or "", Payment.Role.CHANGE),
            invoice_id=invoice["id"],
            objected=objected,
        )
        for (invoice, _), intent in zip(paid, intents, strict=True)
    ]


def _payments_of(invoice: Json) -> list[Json]:
    payments = invoice["payments"]
    return (
        stripe_api.list_invoice_payments(invoice["id"])
        if payments["has_more"]
        else payments["data"]
    )


def _find_objected(charges: list[Json]) -> set[str]:
    """The charges that their holders may have objected to, whatever `disputed` says of them.

    Whether an inquiry sets it is nowhere documented. So Stripe is asked about those that are young
    enough for one, measured by the newest, and about those of which we know one.
    """
    newest = max((charge["created"] for charge in charges), default=0)
    young = newest - _OBJECTED_WITHIN.total_seconds()
    known = Dispute.objects.filter(payment__charge_id__in=[charge["id"] for charge in charges])
    return {
        charge["id"] for charge in charges if charge["disputed"] or charge["created"] >= young
    } | set(known.values_list("payment__charge_id", flat=True))


def _read_charge(
    intent: Json,
    *,
    role: Payment.Role = Payment.Role.FIRST,
    invoice_id: str = "",
    objected: Container[str] | None = None,
) -> ChargeSnapshot:
    """What hangs on a charge is asked for unless it is known that there is nothing."""
    charge = intent["latest_charge"]
    if charge is None:
        return ChargeSnapshot(intent, {}, role=role, invoice_id=invoice_id)
    is_objected = objected is None or charge["id"] in objected
    # The first few come with the charge, without their balance entries.
    refunds = charge.pop("refunds", None)
    return ChargeSnapshot(
        intent,
        charge,
        refunds=stripe_api.list_refunds(charge["id"]) if refunds is None or refunds["data"] else [],
        disputes=stripe_api.list_disputes(charge["id"]) if is_objected else [],
        role=role,
        invoice_id=invoice_id,
    )
