"""Everything that Stripe has for one Checkout, read with several calls; nothing is written."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from campaigns import stripe_api
from campaigns.models import Dispute, Payment
from campaigns.payments import ChargeSnapshot

_ROLES = {
    "subscription_create": Payment.Role.FIRST,
    "subscription_cycle": Payment.Role.RENEWAL,
}
# Banks can dispute a charge, or ask about it, for this long.
_DISPUTABLE_FOR = timedelta(days=120)


@dataclass(frozen=True)
class Snapshot:
    """Everything that Stripe has for one Checkout."""

    session: stripe_api.Session
    subscription: stripe_api.Subscription | None = None
    charges: Sequence[ChargeSnapshot] = field(default_factory=list)
    invoices: Sequence[stripe_api.Invoice] = field(default_factory=list)
    next_invoice: stripe_api.Invoice | None = None  # only if it may differ from the price


def read_snapshot(session_id: str, *, disputed_id: str = "") -> Snapshot:
    """Return everything that Stripe has for a session; takes several calls.

    A subscription is read as lists, so that five years take as many calls as one. `disputed_id` is
    a charge that is known to be disputed.
    """
    session = stripe_api.fetch_session(session_id)
    if session.status != "complete":
        return Snapshot(session)
    if session.mode == "subscription":
        subscription = stripe_api.fetch_subscription(session.subscription_id)
        invoices = stripe_api.list_invoices(session.subscription_id)
        charges = _read_charges(invoices, session.customer_id, disputed_id=disputed_id)
        return Snapshot(session, subscription, charges, invoices, _preview_next(subscription))
    assert session.intent is not None, "a completed session in payment mode has an intent"
    return Snapshot(session, None, [_read_charge(session.intent)])


def read_adopted(subscription_id: str, *, disputed_id: str = "") -> Snapshot:
    """Return everything that Stripe has for a subscription that was sold there and adopted.

    It has no session of ours; what the session would say comes from its invoices.
    """
    subscription = stripe_api.fetch_subscription(subscription_id)
    invoices = stripe_api.list_invoices(subscription_id)
    is_paid = any(invoice.status == "paid" for invoice in invoices)
    session = stripe_api.Session(
        id="",
        status="complete",
        mode="subscription",
        payment_status="paid" if is_paid else "unpaid",
        customer_id=subscription.customer_id,
        subscription_id=subscription_id,
    )
    charges = _read_charges(invoices, subscription.customer_id, disputed_id=disputed_id)
    return Snapshot(session, subscription, charges, invoices, _preview_next(subscription))


def _preview_next(subscription: stripe_api.Subscription) -> stripe_api.Invoice | None:
    """Return the next invoice if credit, debt or a discount changes what is charged then."""
    customer = subscription.customer
    renews = subscription.status in {"active", "trialing"} and not subscription.is_cancelling
    if not renews or subscription.pause is not None:
        return None
    if not (customer.balance_minor or customer.has_discount or subscription.has_discount):
        return None
    try:
        return stripe_api.preview_next_invoice(subscription.id)
    except stripe_api.StripeRefused as error:
        if error.status != 404:
            raise
        return None


def _read_charges(
    invoices: Sequence[stripe_api.Invoice], customer_id: str, *, disputed_id: str
) -> list[ChargeSnapshot]:
    paid = [
        (invoice, payment.intent_id)
        for invoice in invoices
        if invoice.total_minor > 0
        for payment in invoice.payments
        if payment.intent_id
    ]
    # An intent that is not in the customer's list is fetched by itself.
    listed = stripe_api.list_intents(customer_id) if paid else []
    known = {intent.id: intent for intent in listed}
    intents = [known.get(intent_id) or stripe_api.fetch_intent(intent_id) for _, intent_id in paid]
    charges = [intent.charge for intent in intents if intent.charge]
    disputable = _find_disputable(charges) | {disputed_id}
    return [
        _read_charge(
            intent,
            role=find_role(invoice),
            invoice_id=invoice.id,
            disputable=disputable,
        )
        for (invoice, _), intent in zip(paid, intents, strict=True)
    ]


def find_role(invoice: stripe_api.Invoice) -> Payment.Role:
    """Return the role of the payment of a subscription's invoice."""
    return _ROLES.get(invoice.billing_reason, Payment.Role.CHANGE)


def _find_disputable(charges: Sequence[stripe_api.Charge]) -> set[str]:
    """Return the ids of the charges that may have a dispute or an inquiry.

    Stripe doesn't document whether an inquiry sets `disputed`. So charges that are young enough
    for one, measured from the newest, are included, and those whose dispute we know.
    """
    if not charges:
        return set()
    young = max(charge.created_at for charge in charges) - _DISPUTABLE_FOR
    known = Dispute.objects.filter(payment__charge_id__in=[charge.id for charge in charges])
    return {
        charge.id for charge in charges if charge.is_disputed or charge.created_at >= young
    } | set(known.values_list("payment__charge_id", flat=True))


def _read_charge(
    intent: stripe_api.Intent,
    *,
    role: Payment.Role = Payment.Role.FIRST,
    invoice_id: str = "",
    disputable: Container[str] | None = None,
) -> ChargeSnapshot:
    """Read an intent's charge; its refunds and disputes are listed unless there can be none."""
    charge = intent.charge
    if charge is None:
        return ChargeSnapshot(intent.id, None, role=role, invoice_id=invoice_id)
    is_disputable = disputable is None or charge.id in disputable
    return ChargeSnapshot(
        intent.id,
        charge,
        # The refunds that come with the charge are the first few, without their balance entries.
        refunds=stripe_api.list_refunds(charge.id) if charge.may_have_refunds else [],
        disputes=stripe_api.list_disputes(charge.id) if is_disputable else [],
        role=role,
        invoice_id=invoice_id,
    )
