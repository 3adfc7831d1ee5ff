"""Find the Checkout to which an object of Stripe's belongs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet

from campaigns import stripe_api
from campaigns.models import Checkout, Dispute, Membership, Payment, Refund, StripeEvent
from campaigns.settlement.stripe_sales import find_own_price

Reason = StripeEvent.Reason
_TELLING = {Reason.LOST_CHECKOUT, Reason.OUR_PRICE}


@dataclass(frozen=True)
class Found:
    """The Checkout to which an object belongs, or the reason why it isn't ours.

    `disputed_id` is the charge of a dispute that we have no row for yet. `sale` is a subscription
    at one of our prices that was sold at Stripe.
    """

    checkout_id: UUID | None = None
    reason: StripeEvent.Reason | None = None
    disputed_id: str = ""
    sale: stripe_api.Subscription | None = None


def find_checkout(object_type: str, object_id: str) -> Found:
    """Find the Checkout of a Stripe object: by our rows first, then by its metadata.

    Metadata (the Checkout's id, on a session, an intent or a subscription) is read from Stripe's
    own answer, never from an event's payload; it may have been removed in the dashboard. May call
    Stripe several times: from a dispute to its charge's intent, to the invoice that this paid, to
    the subscription. Raises the errors of stripe_api.
    """
    if object_type not in _SEARCHES:
        return Found(reason=Reason.UNUSED_TYPE)
    try:
        return _SEARCHES[object_type](object_id)
    except stripe_api.StripeRefused as error:
        if error.status != 404:
            raise
        return Found(reason=Reason.NOT_AT_STRIPE)


def _find_by_session(session_id: str) -> Found:
    session = stripe_api.fetch_session(session_id)
    found = _read_ref(session.checkout_ref)
    if found.checkout_id is not None and session.status == "complete":
        # If this process died between Stripe's answer and saving it, the id is saved here.
        Checkout.objects.filter(
            pk=found.checkout_id, status__in=[Checkout.Status.STARTING, Checkout.Status.EXPIRED]
        ).exclude(session_id=session_id).update(session_id=session_id, version=F("version") + 1)
    return _find_known(Checkout.objects.filter(session_id=session_id), "pk") or found


def _find_by_subscription(subscription_id: str) -> Found:
    rows = Membership.objects.filter(subscription_id=subscription_id)
    if known := _find_known(rows):
        return known
    if adopted := _find_known(Checkout.objects.filter(subscription_id=subscription_id), "pk"):
        return adopted
    subscription = stripe_api.fetch_subscription(subscription_id)
    found = _read_ref(subscription.checkout_ref)
    if found.reason == Reason.NO_CHECKOUT and find_own_price(subscription) is not None:
        return Found(reason=Reason.OUR_PRICE, sale=subscription)
    return found


def _find_by_intent(intent_id: str) -> Found:
    if known := _find_known(Payment.objects.filter(intent_id=intent_id)):
        return known
    found = _read_ref(stripe_api.fetch_intent(intent_id).checkout_ref)
    if found.checkout_id is None and (paying := stripe_api.find_invoice_payment(intent_id)):
        return _better(_find_by_invoice(paying.invoice_id), found)
    return found


def _find_by_invoice(invoice_id: str) -> Found:
    if known := _find_known(Payment.objects.filter(invoice_id=invoice_id)):
        return known
    subscription_id = stripe_api.fetch_invoice(invoice_id).subscription_id
    if not subscription_id:
        return Found(reason=Reason.NO_CHECKOUT)
    return _find_by_subscription(subscription_id)


def _find_by_invoice_payment(invoice_payment_id: str) -> Found:
    return _find_by_invoice(stripe_api.fetch_invoice_payment(invoice_payment_id).invoice_id)


def _find_by_charge(charge_id: str) -> Found:
    if known := _find_known(Payment.objects.filter(charge_id=charge_id)):
        return known
    charge = stripe_api.fetch_charge(charge_id)
    return _follow(charge.checkout_ref, intent_id=charge.intent_id)


def _find_by_refund(refund_id: str) -> Found:
    if known := _find_known(Refund.objects.filter(refund_id=refund_id), "payment__checkout"):
        return known
    refund = stripe_api.fetch_refund(refund_id)
    return _follow(refund.checkout_ref, intent_id=refund.intent_id, charge_id=refund.charge_id)


def _find_by_dispute(dispute_id: str) -> Found:
    if known := _find_known(Dispute.objects.filter(dispute_id=dispute_id), "payment__checkout"):
        return known
    dispute = stripe_api.fetch_dispute(dispute_id)
    found = _follow(dispute.checkout_ref, intent_id=dispute.intent_id, charge_id=dispute.charge_id)
    return replace(found, disputed_id=dispute.charge_id)


_SEARCHES: dict[str, Callable[[str], Found]] = {
    "checkout.session": _find_by_session,
    "subscription": _find_by_subscription,
    "payment_intent": _find_by_intent,
    "invoice": _find_by_invoice,
    "invoice_payment": _find_by_invoice_payment,
    "charge": _find_by_charge,
    "refund": _find_by_refund,
    "dispute": _find_by_dispute,
}


def _follow(checkout_ref: str, *, intent_id: str, charge_id: str = "") -> Found:
    """Find the Checkout of a charge, a refund or a dispute: by its metadata, intent or charge.

    Stripe copies an intent's metadata to the charge when it makes the charge.
    """
    found = _read_ref(checkout_ref)
    if found.checkout_id is None and intent_id:
        found = _better(_find_by_intent(intent_id), found)
    if found.checkout_id is None and charge_id:
        found = _better(_find_by_charge(charge_id), found)
    return found


def _better(found: Found, otherwise: Found) -> Found:
    """Prefer a Checkout, then a lost Checkout or a sale at Stripe, to no Checkout at all."""
    is_nothing = found.checkout_id is None and found.reason not in _TELLING
    return otherwise if is_nothing else found


def _find_known(rows: QuerySet[Any], checkout: str = "checkout") -> Found | None:
    checkout_id = rows.exclude(**{checkout: None}).values_list(checkout, flat=True).first()
    return Found(checkout_id) if checkout_id is not None else None


def _read_ref(checkout_ref: str) -> Found:
    try:
        checkout_id = UUID(checkout_ref)
    except ValueError:
        return Found(reason=Reason.NO_CHECKOUT)
    if Checkout.objects.filter(pk=checkout_id).exists():
        return Found(checkout_id)
    return Found(reason=Reason.LOST_CHECKOUT)
