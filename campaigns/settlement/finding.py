"""To which Checkout does an object of Stripe's belong?"""

from uuid import UUID

from django.db.models import F

from campaigns import stripe_api
from campaigns.models import Checkout, Payment
from campaigns.stripe_api import Json


def find_checkout(object_type: str, object_id: str) -> UUID | None:
    """The Checkout to which a Stripe object belongs; None if it is none of ours.

    The id on a session, an intent or a subscription is taken from Stripe's own answer, never from
    an event's payload. May call Stripe several times: a dispute leads to its charge's intent, that
    to the invoice it pays, that to the subscription.
    """
    match object_type:
        case "checkout.session":
            return _find_by_session(object_id)
        case "subscription":
            return _ours(stripe_api.fetch_subscription(object_id))
        case "payment_intent":
            return _find_by_intent(object_id)
        case "invoice":
            return _find_by_invoice(object_id)
        case "invoice_payment" | "charge" | "refund" | "dispute":
            return _find_by_part(object_type, object_id)
        case _:
            return None


def _find_by_session(session_id: str) -> UUID | None:
    session = stripe_api.fetch_session(session_id)
    checkout_id = _ours(session)
    if checkout_id is not None and session["status"] == "complete":
        # If we died between Stripe's answer and our note of it, the session brings its own id.
        Checkout.objects.filter(
            pk=checkout_id, status__in=[Checkout.Status.STARTING, Checkout.Status.EXPIRED]
        ).exclude(session_id=session_id).update(session_id=session_id, version=F("version") + 1)
    return checkout_id


def _find_by_part(object_type: str, object_id: str) -> UUID | None:
    fetch = {
        "invoice_payment": stripe_api.fetch_invoice_payment,
        "charge": stripe_api.fetch_charge,
        "refund": stripe_api.fetch_refund,
        "dispute": stripe_api.fetch_dispute,
    }[object_type]
    part = fetch(object_id)
    if object_type == "invoice_payment":
        return _find_by_invoice(part["invoice"])
    return _find_by_intent(part["payment_intent"]) if part.get("payment_intent") else None


def _find_by_intent(intent_id: str) -> UUID | None:
    known = (
        Payment.objects.filter(intent_id=intent_id).values_list("checkout_id", flat=True).first()
    )
    if known is not None:
        return known
    checkout_id = _ours(stripe_api.fetch_intent(intent_id))
    if checkout_id is not None:
        return checkout_id
    paying = stripe_api.find_invoice_payment(intent_id)
    return _find_by_invoice(paying["invoice"]) if paying else None


def _find_by_invoice(invoice_id: str) -> UUID | None:
    parent = stripe_api.fetch_invoice(invoice_id).get("parent") or {}
    details = parent.get("subscription_details") or {}
    if not details.get("subscription"):
        return None
    return _ours(stripe_api.fetch_subscription(details["subscription"]))


def _ours(found: Json) -> UUID | None:
    try:
        checkout_id = UUID((found.get("metadata") or {}).get("checkout", ""))
    except ValueError:
        return None
    return checkout_id if Checkout.objects.filter(pk=checkout_id).exists() else None
