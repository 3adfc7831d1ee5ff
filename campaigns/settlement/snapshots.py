"""Everything that Stripe has for one Checkout, read with few calls; nothing is written."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from campaigns import stripe_api
from campaigns.models import Dispute, Payment
from campaigns.payments import ChargeSnapshot

_ROLES = {
    "subscription_create": Payment.Role.FIRST,
    "subscription_cycle": Payment.Role.RENEWAL,
}
# Banks can dispute a charge, or ask about it, for this long.
DISPUTABLE_FOR = timedelta(days=120)


@dataclass(frozen=True)
class Snapshot:
    """Everything that Stripe has for one Checkout, read from `read_at` on, by Stripe's clock."""

    session: stripe_api.Session
    subscription: stripe_api.Subscription | None = None
    charges: Sequence[ChargeSnapshot] = field(default_factory=list)
    invoices: Sequence[stripe_api.Invoice] = field(default_factory=list)
    next_invoice: stripe_api.Invoice | None = None  # only if it may differ from the price
    read_at: datetime | None = None

    def list_ids(self) -> Iterator[str]:
        """Yield the id of every object that was read, except the session's."""
        if self.subscription is not None:
            yield self.subscription.id
        for invoice in self.invoices:
            yield invoice.id
            yield from (payment.id for payment in invoice.payments)
        for charge in self.charges:
            yield charge.intent_id
            if charge.charge is not None:
                yield charge.charge.id
            yield from (refund.id for refund in charge.refunds)
            yield from (dispute.id for dispute in charge.disputes)


@dataclass(frozen=True)
class Known:
    """The ids of a subscription and its customer, if we have them: then all is read at once."""

    subscription_id: str = ""
    customer_id: str = ""


def read_snapshot(
    session_id: str,
    *,
    disputed_id: str = "",
    finds_inquiries: bool = True,
    known: Known | None = None,
) -> Snapshot:
    """Return everything that Stripe has for a session.

    Three calls for a subscription of any age, of which two or all run side by side; one for a
    one-off sale. Each refunded charge takes another call, and so does each one that may be
    disputed: it says so itself, we know its dispute, or it is `disputed_id`. `finds_inquiries`
    asks for those of the last 120 days as well, because a bank may have asked about them. A
    balance or a discount takes another call: the preview of the next invoice.
    """
    started = time.monotonic()
    session, lists = _read_sale(session_id, known or Known())
    read_at = _find_start(session.answered_at, started=started)
    if session.status != "complete":
        return Snapshot(session, read_at=read_at)
    invoices: list[stripe_api.Invoice] = []
    if lists is not None:
        invoices, intents = lists
        paid = _list_paid(invoices, intents)
    else:  # a session that was free has no intent; ours are not
        paid = [(session.intent, Payment.Role.FIRST, "")] if session.intent else []
    charges = _read_charges(paid, disputed_id=disputed_id, finds_inquiries=finds_inquiries)
    next_invoice = _preview_next(session.subscription)
    return Snapshot(session, session.subscription, charges, invoices, next_invoice, read_at)


def read_adopted(known: Known, *, disputed_id: str = "", finds_inquiries: bool = True) -> Snapshot:
    """Return everything that Stripe has for a subscription that was sold there and adopted.

    It has no session of ours: what a session would say comes from the invoices. Three calls run
    side by side; more follow as in `read_snapshot`.
    """
    started = time.monotonic()
    subscription: stripe_api.Subscription
    subscription, invoices, intents = stripe_api.call_together(
        lambda: stripe_api.fetch_subscription(known.subscription_id), *_list_all(known)
    )
    read_at = _find_start(subscription.answered_at, started=started)
    is_paid = any(invoice.status == "paid" for invoice in invoices)
    session = stripe_api.Session(
        id="",
        status="complete",
        mode="subscription",
        payment_status="paid" if is_paid else "unpaid",
        customer_id=subscription.customer_id,
        subscription_id=subscription.id,
        subscription=subscription,
    )
    paid = _list_paid(invoices, intents)
    charges = _read_charges(paid, disputed_id=disputed_id, finds_inquiries=finds_inquiries)
    next_invoice = _preview_next(subscription)
    return Snapshot(session, subscription, charges, invoices, next_invoice, read_at)


def _find_start(answered_at: datetime | None, *, started: float) -> datetime | None:
    """Return when a reading began, by Stripe's clock.

    The time that passed may be more than the call took: then less is covered.
    """
    if answered_at is None:
        return None
    return answered_at - timedelta(seconds=time.monotonic() - started)


def _preview_next(subscription: stripe_api.Subscription | None) -> stripe_api.Invoice | None:
    """Return the next invoice if credit, debt or a discount changes what is charged then."""
    if subscription is None:
        return None
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


Lists = tuple[list[stripe_api.Invoice], list[stripe_api.Intent]]
Paid = tuple[stripe_api.Intent, Payment.Role, str]


def _list_all(known: Known) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return the calls that list the invoices of a subscription and its customer's intents."""
    return (
        lambda: stripe_api.list_invoices(known.subscription_id),
        lambda: stripe_api.list_intents(known.customer_id),
    )


def _read_sale(session_id: str, known: Known) -> tuple[stripe_api.Session, Lists | None]:
    """Read a session, with its invoices and its customer's intents if it sold a subscription."""
    session: stripe_api.Session
    if known.subscription_id and known.customer_id:
        session, invoices, intents = stripe_api.call_together(
            lambda: stripe_api.fetch_session(session_id), *_list_all(known)
        )
        if known == Known(session.subscription_id, session.customer_id):
            return session, (invoices, intents)
    else:
        session = stripe_api.fetch_session(session_id)
    if session.status != "complete" or session.mode != "subscription":
        return session, None
    invoices, intents = stripe_api.call_together(
        *_list_all(Known(session.subscription_id, session.customer_id))
    )
    return session, (invoices, intents)


def _list_paid(
    invoices: Sequence[stripe_api.Invoice], intents: Sequence[stripe_api.Intent]
) -> list[Paid]:
    """Return the intents that pay invoices, newest first, each with its role and its invoice."""
    paid = [
        (invoice, payment.intent_id)
        for invoice in invoices
        if invoice.total_minor > 0
        for payment in invoice.payments
        if payment.intent_id
    ]
    listed = {intent.id: intent for intent in intents}
    # An intent that is not in the customer's list is fetched by itself.
    return [
        (
            listed.get(intent_id) or stripe_api.fetch_intent(intent_id),
            find_role(invoice),
            invoice.id,
        )
        for invoice, intent_id in paid
    ]


def find_role(invoice: stripe_api.Invoice) -> Payment.Role:
    """Return the role of the payment of a subscription's invoice."""
    return _ROLES.get(invoice.billing_reason, Payment.Role.CHANGE)


def _read_charges(
    paid: Sequence[Paid], *, disputed_id: str, finds_inquiries: bool
) -> list[ChargeSnapshot]:
    charges = [intent.charge for intent, _, _ in paid if intent.charge]
    disputable = _find_disputable(charges, finds_inquiries=finds_inquiries) | {disputed_id}
    # The refunds that come with a charge are the first few, without their balance entries.
    refunded = [charge.id for charge in charges if charge.may_have_refunds]
    disputed = [charge.id for charge in charges if charge.id in disputable]
    answers: list[list[Any]] = stripe_api.call_together(
        *(partial(stripe_api.list_refunds, charge_id) for charge_id in refunded),
        *(partial(stripe_api.list_disputes, charge_id) for charge_id in disputed),
    )
    refunds = dict(zip(refunded, answers, strict=False))
    disputes = dict(zip(disputed, answers[len(refunded) :], strict=True))
    return [
        ChargeSnapshot(
            intent.id,
            intent.charge,
            refunds=refunds.get(intent.charge.id, []) if intent.charge else [],
            disputes=disputes.get(intent.charge.id, []) if intent.charge else [],
            role=role,
            invoice_id=invoice_id,
        )
        for intent, role, invoice_id in paid
    ]


def _find_disputable(charges: Sequence[stripe_api.Charge], *, finds_inquiries: bool) -> set[str]:
    """Return the ids of the charges that may have a dispute or an inquiry.

    Stripe doesn't document whether an inquiry sets `disputed`. So charges whose dispute we know
    are included, and with `finds_inquiries` all that are young enough for one, measured from the
    newest.
    """
    if not charges:
        return set()
    young = max(charge.created_at for charge in charges) - DISPUTABLE_FOR
    known = Dispute.objects.filter(payment__charge_id__in=[charge.id for charge in charges])
    return {
        charge.id
        for charge in charges
        if charge.is_disputed or (finds_inquiries and charge.created_at >= young)
    } | set(known.values_list("payment__charge_id", flat=True))
