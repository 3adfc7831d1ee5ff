"""To which Checkout does an object of Stripe's belong?"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet

from campaigns import stripe_api
from campaigns.models import Checkout, Dispute, Membership, Payment, Refund, StripeEvent
from campaigns.stripe_api import Json

Reason = StripeEvent.Reason


@dataclass(frozen=True)
class Found:
    """The Checkout to which an object belongs, or why it belongs to none.

    `disputed_id` is the charge of a dispute that we do not know yet.
    """

    checkout_id: UUID | None = None
    reason: StripeEvent.Reason | None = None
    disputed_id: str = ""


def find_checkout(object_type: str, object_id: str) -> Found:
    """To which Checkout a Stripe object belongs: by what we noted of it, or else by its mark.

    The mark (the metadata on a session, an intent or a subscription) is read in Stripe's own
    answer, never in an event's payload, and somebody may have taken it away in the dashboard. May
    call Stripe several times: a dispute leads to its charge's intent, that to the invoice it pays,
    that to the subscription.
    """
    if object_type not in _SEARCHES:
        return Found(reason=Reason.NOTHING_KEPT)
    try:
        return _SEARCHES[object_type](object_id)
    except stripe_api.StripeRefused as error:
        if error.status != 404:
            raise
        return Found(reason=Reason.UNKNOWN_THERE)


def _find_by_session(session_id: str) -> Found:
    session = stripe_api.fetch_session(session_id)
    found = _read_mark(session)
    if found.checkout_id is not None and session["status"] == "complete":
        # If we died between Stripe's answer and our note of it, the session brings its own id.
        Checkout.objects.filter(
            pk=found.checkout_id, status__in=[Checkout.Status.STARTING, Checkout.Status.EXPIRED]
        ).exclude(session_id=session_id).update(session_id=session_id, version=F("version") + 1)
    return _known(Checkout.objects.filter(session_id=session_id), "pk") or found


def _find_by_subscription(subscription_id: str) -> Found:
    noted = Membership.objects.filter(subscription_id=subscription_id)
    return _known(noted) or _read_mark(stripe_api.fetch_subscription(subscription_id))


def _find_by_intent(intent_id: str) -> Found:
    if known := _known(Payment.objects.filter(intent_id=intent_id)):
        return known
    found = _read_mark(stripe_api.fetch_intent(intent_id))
    if found.checkout_id is None and (paying := stripe_api.find_invoice_payment(intent_id)):
        return _better(_find_by_invoice(paying["invoice"]), found)
    return found


def _find_by_invoice(invoice_id: str) -> Found:
    if known := _known(Payment.objects.filter(invoice_id=invoice_id)):
        return known
    parent = stripe_api.fetch_invoice(invoice_id).get("parent") or {}
    details = parent.get("subscription_details") or {}
    if not details.get("subscription"):
        return Found(reason=Reason.NAMES_NONE)
    return _find_by_subscription(details["subscription"])


def _find_by_invoice_payment(invoice_payment_id: str) -> Found:
    return _find_by_invoice(stripe_api.fetch_invoice_payment(invoice_payment_id)["invoice"])


def _find_by_charge(charge_id: str) -> Found:
    noted = Payment.objects.filter(charge_id=charge_id)
    return _known(noted) or _follow(stripe_api.fetch_charge(charge_id))


def _find_by_refund(refund_id: str) -> Found:
    noted = Refund.objects.filter(refund_id=refund_id)
    return _known(noted, "payment__checkout") or _follow(stripe_api.fetch_refund(refund_id))


def _find_by_dispute(dispute_id: str) -> Found:
    if known := _known(Dispute.objects.filter(dispute_id=dispute_id), "payment__checkout"):
        return known
    dispute = stripe_api.fetch_dispute(dispute_id)
    return replace(_follow(dispute), disputed_id=dispute["charge"])


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


def _follow(part: Json) -> Found:
    """From a charge, a refund or a dispute to its intent, or else to its charge.

    A charge bears the mark that its intent bore when it was made.
    """
    found = _read_mark(part)
    if found.checkout_id is None and part.get("payment_intent"):
        found = _better(_find_by_intent(part["payment_intent"]), found)
    if found.checkout_id is None and part.get("charge"):
        found = _better(_find_by_charge(part["charge"]), found)
    return found


def _better(found: Found, otherwise: Found) -> Found:
    """A Checkout that is lost is more to tell of than none."""
    is_nothing = found.checkout_id is None and found.reason != Reason.NAMES_A_LOST_ONE
    return otherwise if is_nothing else found


def _known(rows: QuerySet[Any], checkout: str = "checkout") -> Found | None:
    checkout_id = rows.exclude(**{checkout: None}).values_list(checkout, flat=True).first()
    return Found(checkout_id) if checkout_id is not None else None


def _read_mark(thing: Json) -> Found:
    mark = (thing.get("metadata") or {}).get("checkout", "")
    try:
        checkout_id = UUID(mark)
    except ValueError:
        return Found(reason=Reason.NAMES_NONE)
    if Checkout.objects.filter(pk=checkout_id).exists():
        return Found(checkout_id)
    return Found(reason=Reason.NAMES_A_LOST_ONE)
