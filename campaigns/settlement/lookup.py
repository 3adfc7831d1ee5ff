"""Find the Checkout to which an object of Stripe's belongs: by our rows, then by asking Stripe."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from campaigns import stripe_api
from campaigns.models import (
    Checkout,
    Dispute,
    Membership,
    Payment,
    Refund,
    StripeEvent,
    StripeObject,
    StripeSale,
)
from campaigns.settlement.stripe_sales import find_own_price
from campaigns.stripe_api import Named

Reason = StripeEvent.Reason
# Our own columns of ids at Stripe, and the way to the Checkout.
_ROWS: dict[str, list[tuple[type[models.Model], str, str]]] = {
    "checkout.session": [(Checkout, "session_id", "pk")],
    "subscription": [
        (Membership, "subscription_id", "checkout"),
        (Checkout, "subscription_id", "pk"),  # adopted
    ],
    "payment_intent": [(Payment, "intent_id", "checkout")],
    "invoice": [(Payment, "invoice_id", "checkout")],
    "charge": [(Payment, "charge_id", "checkout")],
    "refund": [(Refund, "refund_id", "payment__checkout")],
    "dispute": [(Dispute, "dispute_id", "payment__checkout")],
}


@dataclass(frozen=True)
class Found:
    """The Checkout to which an object belongs, or the reason why it isn't ours.

    `disputed_id` is the charge of a dispute that we have no row for yet. `sale` is a subscription
    at one of our prices that was sold at Stripe, if it was read. `is_guess` means that a payload
    names the Checkout, and that only settling it shows whether the object belongs to it.
    """

    checkout_id: UUID | None = None
    reason: StripeEvent.Reason | None = None
    disputed_id: str = ""
    sale: stripe_api.Subscription | None = None
    is_guess: bool = False


def find_checkout(
    object_type: str, object_id: str, named: Named | None = None, *, may_guess: bool = False
) -> Found:
    """Find the Checkout of a Stripe object: by our rows, by what we remember, then by its metadata.

    Metadata (the Checkout's id, on a session, an intent or a subscription) is read from Stripe's
    own answer, never from an event's payload; it may have been removed in the dashboard.

    `named` are the ids in an event's payload. They are trusted, because a signed payload is
    Stripe's word and these ids never change: a row of ours that has one of them decides. Metadata
    in a payload only decides how to ask. If it names a Checkout whose sale we await, that is the
    answer if the caller `may_guess`: it then calls `is_confirmed` after the settlement. Otherwise
    Stripe is asked for the object whatever we remember. If it names none, only an invoice can lead
    to a Checkout. Then one call is enough. It takes two for a refund or a dispute of a payment that
    we have never heard of, if its customer has bought from us or someone is buying a membership
    right now, and two if an invoice shows a
    subscription at one of our prices that isn't listed yet. The answer is remembered, unless it is
    such a subscription, whose next events update the list. Without `named`, nothing is remembered,
    and Stripe is asked unless a row of ours decides. Raises the errors of stripe_api.
    """
    if object_type not in _SEARCHES:
        return Found(reason=Reason.UNUSED_TYPE)
    trusted = named or Named()
    if known := _find_known(object_type, object_id, trusted):
        return known
    if named is not None and _is_remembered(object_id, named):
        return Found(reason=Reason.NO_CHECKOUT)
    if may_guess and named is not None and (awaited := _find_awaited(named)) is not None:
        return Found(awaited, is_guess=True)
    try:
        found = _SEARCHES[object_type](object_id, trusted)
    except stripe_api.StripeRefused as error:
        if error.status != 404:
            raise
        return Found(reason=Reason.NOT_AT_STRIPE)
    if named is not None:
        _remember(object_type, object_id, named, found)
    return found


def is_confirmed(object_id: str, found: Found) -> bool:
    """Return whether the settlement of a Checkout that was a guess has found the object."""
    return StripeObject.objects.filter(pk=object_id, checkout=found.checkout_id).exists()


def _find_awaited(named: Named) -> UUID | None:
    """Return the Checkout that a payload names, if its session is open as far as we know."""
    checkout_id = _read_ref(named.checkout_ref or "").checkout_id
    if checkout_id is None:
        return None
    awaited = Checkout.objects.filter(status=Checkout.Status.OPEN, session_id__isnull=False)
    return checkout_id if awaited.filter(pk=checkout_id).exists() else None


def _remember(object_type: str, object_id: str, named: Named, found: Found) -> None:
    """Remember whose an object and those that its payload names are.

    An object that is not ours becomes ours with the sale to which it belongs, when that is settled.
    It isn't remembered if its Checkout is missing here, if its payload named one, or if it was sold
    at one of our prices. Of ours, a
    dispute is left out, because only its own row shows that it was read, and so is a session, as a
    Checkout can get another one.
    """
    if found.checkout_id is not None:
        is_left_out = object_type in {"dispute", "checkout.session"}
        ids = named.ids if is_left_out else [object_id, *named.ids]
        save_owner(ids, checkout_id=found.checkout_id)
    elif found.reason == Reason.NO_CHECKOUT and not named.names_checkout:
        save_owner([object_id, *named.ids], checkout_id=None)


def save_owner(object_ids: Iterable[str], *, checkout_id: UUID | None) -> None:
    """Save to which Checkout objects belong; one that is ours never becomes not ours."""
    rows = [
        StripeObject(object_id=object_id, checkout_id=checkout_id)
        for object_id in sorted(set(object_ids))
    ]
    if checkout_id is None:
        StripeObject.objects.bulk_create(rows, ignore_conflicts=True)
    else:
        StripeObject.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["object_id"],
            update_fields=["checkout", "found_at"],
        )


def _find_known(object_type: str, object_id: str, named: Named) -> Found | None:
    """Find a Checkout by our own rows, of the object itself or of one that its payload names."""
    kept = _find_row(object_type, object_id)
    if kept is None:
        ours = StripeObject.objects.exclude(checkout=None).filter(pk__in=[object_id, *named.ids])
        kept = ours.values_list("checkout", flat=True).first() or next(
            filter(None, (_find_row(kind, each) for kind, each in _list_named(named))), None
        )
        if kept is not None and object_type == "dispute":
            return Found(kept, disputed_id=named.charge_id) if named.charge_id else None
    return Found(kept) if kept is not None else None


def _list_named(named: Named) -> list[tuple[str, str]]:
    pairs = [
        ("charge", named.charge_id),
        ("payment_intent", named.intent_id),
        ("invoice", named.invoice_id),
        ("subscription", named.subscription_id),
    ]
    return [(kind, object_id) for kind, object_id in pairs if object_id]


def _find_row(object_type: str, object_id: str) -> UUID | None:
    if not object_id:
        return None
    for model, column, checkout in _ROWS.get(object_type, ()):
        rows: Any = model._default_manager.filter(**{column: object_id})
        ids = rows.exclude(**{checkout: None}).values_list(checkout, flat=True)
        if (found := ids.first()) is not None:
            return UUID(str(found))
    return None


def _is_remembered(object_id: str, named: Named) -> bool:
    """Return whether the object, or one to which it belongs, is known not to be ours.

    Not if its payload names a Checkout, or one of our prices: it may have become ours since.
    """
    if named.names_checkout or find_own_price(named.price_ids) is not None:
        return False
    return StripeObject.objects.filter(checkout=None, pk__in=[object_id, *named.ids]).exists()


def _find_by_session(session_id: str, named: Named) -> Found:
    session = stripe_api.fetch_session(session_id)
    found = _read_ref(session.checkout_ref)
    if found.checkout_id is not None and session.status == "complete":
        # If this process died between Stripe's answer and saving it, the id is saved here.
        Checkout.objects.filter(
            pk=found.checkout_id, status__in=[Checkout.Status.STARTING, Checkout.Status.EXPIRED]
        ).exclude(session_id=session_id).update(session_id=session_id, version=F("version") + 1)
    return found


def _find_by_subscription(subscription_id: str, named: Named) -> Found:
    subscription = stripe_api.fetch_subscription(subscription_id)
    found = _read_ref(subscription.checkout_ref)
    if found.reason == Reason.NO_CHECKOUT and find_own_price(subscription.price_ids) is not None:
        return Found(reason=Reason.OUR_PRICE, sale=subscription)
    return found


def _find_by_intent(intent_id: str, named: Named) -> Found:
    if named.names_checkout is not False:
        found = _read_ref(stripe_api.fetch_intent(intent_id).checkout_ref)
        if found.reason != Reason.NO_CHECKOUT:
            return found
    return _find_by_paid_invoice(intent_id)


def _find_by_paid_invoice(intent_id: str) -> Found:
    """Find the Checkout of an intent that pays the invoice of a subscription."""
    paying = stripe_api.find_invoice_payment(intent_id)
    if paying is None:
        return Found(reason=Reason.NO_CHECKOUT)
    found = _read_ref(paying.checkout_ref)
    return found if found.reason != Reason.NO_CHECKOUT else _follow_invoice(paying.invoice)


def _find_by_invoice(invoice_id: str, named: Named) -> Found:
    return _follow_invoice(stripe_api.fetch_invoice(invoice_id))


def _find_by_invoice_payment(invoice_payment_id: str, named: Named) -> Found:
    return _follow_invoice(stripe_api.fetch_invoice_payment(invoice_payment_id).invoice)


def _follow_invoice(invoice: stripe_api.Invoice | None) -> Found:
    if invoice is None or not invoice.subscription_id:
        return Found(reason=Reason.NO_CHECKOUT)
    checkout_id = _find_row("invoice", invoice.id) or _find_row(
        "subscription", invoice.subscription_id
    )
    if checkout_id is not None:
        return Found(checkout_id)
    found = _read_ref(invoice.checkout_ref)
    if found.reason != Reason.NO_CHECKOUT or find_own_price(invoice.price_ids) is None:
        return found
    if StripeSale.objects.filter(subscription_id=invoice.subscription_id, checkout=None).exists():
        return Found(reason=Reason.OUR_PRICE)  # its own events update it
    return _find_by_subscription(invoice.subscription_id, Named())


def _find_by_charge(charge_id: str, named: Named) -> Found:
    if named.names_checkout is False and named.intent_id:
        return _find_by_paid_invoice(named.intent_id)
    charge = stripe_api.fetch_charge(charge_id)
    return _follow_payment(charge.checkout_ref, intent_id=charge.intent_id)


def _find_by_refund(refund_id: str, named: Named) -> Found:
    return _follow_moved_back(stripe_api.fetch_refund(refund_id), named)


def _find_by_dispute(dispute_id: str, named: Named) -> Found:
    dispute = stripe_api.fetch_dispute(dispute_id)
    return replace(_follow_moved_back(dispute, named), disputed_id=dispute.charge_id)


_SEARCHES: dict[str, Callable[[str, Named], Found]] = {
    "checkout.session": _find_by_session,
    "subscription": _find_by_subscription,
    "payment_intent": _find_by_intent,
    "invoice": _find_by_invoice,
    "invoice_payment": _find_by_invoice_payment,
    "charge": _find_by_charge,
    "refund": _find_by_refund,
    "dispute": _find_by_dispute,
}


def _follow_moved_back(moved: stripe_api.Refund | stripe_api.Dispute, named: Named) -> Found:
    """Find the Checkout of a refund's or a dispute's payment.

    Only subscriptions' payments lack our metadata, and their customers are in our rows once the
    sale is settled. So the invoice of another customer's payment is asked for only while a sale of
    a membership is open, as the payment may be its first, or if nothing is trusted.
    """
    is_stranger = bool(named.ids) and not _may_be_customer(moved.customer_id)
    return _follow_payment(
        moved.checkout_ref,
        intent_id="" if is_stranger else moved.intent_id,
        charge_id=moved.charge_id,
    )


def _may_be_customer(customer_id: str) -> bool:
    """Return whether the customer has bought from us, or may be buying right now."""
    if not customer_id:
        return False
    is_open = Q(status=Checkout.Status.OPEN, kind=Checkout.Kind.JOIN, customer_id="")
    return Checkout.objects.filter(Q(customer_id=customer_id) | is_open).exists()


def _follow_payment(checkout_ref: str, *, intent_id: str, charge_id: str = "") -> Found:
    """Find the Checkout of a charge, a refund or a dispute: by metadata, our rows or the invoice.

    Stripe copies an intent's metadata to the charge when it makes the charge.
    """
    found = _read_ref(checkout_ref)
    if found.reason != Reason.NO_CHECKOUT:
        return found
    if known := _find_row("payment_intent", intent_id) or _find_row("charge", charge_id):
        return Found(known)
    return _find_by_paid_invoice(intent_id) if intent_id else found


def _read_ref(checkout_ref: str) -> Found:
    try:
        checkout_id = UUID(checkout_ref)
    except ValueError:
        return Found(reason=Reason.NO_CHECKOUT)
    if Checkout.objects.filter(pk=checkout_id).exists():
        return Found(checkout_id)
    return Found(reason=Reason.LOST_CHECKOUT)
