"""1 From a form to Stripe's payment page: the Checkout row first, then the Checkout Session.

The idempotency key is the row's id and an attempt number. An unknown outcome repeats the attempt,
so that Stripe returns the session it may have created. A changed form, an expired session or a 5xx
(which Stripe repeats for the same key) starts the next attempt.
"""

import contextlib
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from campaigns import catalogue, settlement, stripe_api
from campaigns.models import Campaign, Checkout, Price
from campaigns.models.erasure import is_of_erased
from campaigns.origins import Origin

FIRST_LOOK = timedelta(seconds=30)
_TRIES = 5
# Languages in which we ask Stripe to show its page; in others the reader's browser decides.
_STRIPE_LANGUAGES = {"en"}


@dataclass(frozen=True)
class Order:
    """A validated order form: everything that distinguishes one Checkout from another."""

    kind: Checkout.Kind
    price: Price
    email: str
    name: str
    language: str
    campaign: Campaign | None = None
    amount_minor: int = 0  # chosen by the reader; 0 means the price's own
    origin: Origin = field(default_factory=Origin)
    typed: dict[str, Any] = field(default_factory=dict)

    @property
    def total_minor(self) -> int:
        """The amount of the whole order."""
        number = len(self.typed.get("gifts", [])) or 1
        return (self.amount_minor or self.price.amount_minor) * number


def repeat_order(checkout: Checkout) -> Order:
    """Return the order of a Checkout, to open its payment page again."""
    return Order(
        kind=Checkout.Kind(checkout.kind),
        price=checkout.price,
        email=checkout.email,
        name=checkout.name,
        language=checkout.language,
        campaign=checkout.campaign,
        amount_minor=checkout.amount_minor // checkout.quantity,
        origin=checkout.origin,
        typed=checkout.typed,
    )


def start_checkout(checkout_id: UUID, order: Order) -> Checkout:
    """Return the Checkout with an open session at Stripe, or one that is already complete.

    Repeated calls with the same order lead to one session. Raises the errors of stripe_api; the
    row then keeps the form's content, and the same call can be repeated.
    """
    checkout = _create_checkout(checkout_id, order)
    for _ in range(_TRIES):
        if checkout.session_id is not None:
            checkout = settlement.settle_checkout(checkout_id)
            if checkout.is_complete:
                return checkout
        if _is_same(checkout, order) and (
            checkout.session_id is None or checkout.status == Checkout.Status.OPEN
        ):
            return _open_session(checkout)
        if checkout.status == Checkout.Status.OPEN and not _close_session(checkout):
            return settlement.settle_checkout(checkout_id)
        _open_next_attempt(checkout, order)
        checkout = Checkout.objects.select_related("price__plan").get(pk=checkout_id)
    raise stripe_api.StripeUnavailable("other tabs keep changing the same order")


def _create_checkout(checkout_id: UUID, order: Order) -> Checkout:
    checkout = Checkout(id=checkout_id)
    _fill_in(checkout, order)
    try:
        with transaction.atomic():
            checkout.save(force_insert=True)
    except IntegrityError:  # the second click of two, or the reader came back
        return Checkout.objects.select_related("price__plan").get(pk=checkout_id)
    return checkout


def _fill_in(checkout: Checkout, order: Order) -> None:
    for typed in fields(order):
        setattr(checkout, typed.name, getattr(order, typed.name))
    checkout.amount_minor = order.total_minor
    checkout.currency = order.price.currency


def _is_same(checkout: Checkout, order: Order) -> bool:
    """Return whether the order is the same, wherever the reader came from."""
    return (
        (checkout.kind, checkout.price_id, checkout.email)
        == (order.kind, order.price.pk, order.email)
        and (checkout.name, checkout.language) == (order.name, order.language)
        and checkout.amount_minor == order.total_minor
        and checkout.typed == order.typed
    )


def _close_session(checkout: Checkout) -> bool:
    """Expire the open session, so that only one can be paid; False if this one was just paid."""
    assert checkout.session_id is not None
    try:
        stripe_api.expire_session(checkout.session_id)
    except stripe_api.StripeRefused:
        return stripe_api.fetch_session(checkout.session_id).status == "expired"
    return True


def _open_next_attempt(checkout: Checkout, order: Order) -> None:
    """Save the order as the next attempt, unless another click or tab has done so meanwhile."""
    with transaction.atomic():
        locked = Checkout.objects.select_for_update(of=("self",), no_key=True).get(pk=checkout.pk)
        seen = (checkout.attempt, checkout.session_id)
        if (locked.attempt, locked.session_id) != seen or locked.is_complete:
            return
        _fill_in(locked, order)
        locked.attempt += 1
        locked.version += 1
        locked.move_to(Checkout.Status.STARTING)
        locked.session_id, locked.session_url, locked.due_at = None, "", None
        locked.save()


def _open_session(checkout: Checkout) -> Checkout:
    """Create the session of this attempt, or get the one that it created before."""
    if checkout.session_id is not None:
        return checkout
    try:
        session = stripe_api.create_session(
            session_params(checkout), idempotency_key=checkout.idempotency_key
        )
    except (stripe_api.StripeFailed, stripe_api.StripeRefused) as error:
        # Stripe created no session, and repeats that for this key even once the cause is fixed.
        _give_up_attempt(checkout)
        if isinstance(error, stripe_api.StripeRefused) and _is_about_price(error, checkout):
            catalogue.withdraw_price(checkout.price, error)
        raise
    except stripe_api.StripeUnavailable:
        # Stripe serves one of two simultaneous clicks; the other may find its session here by now.
        checkout.refresh_from_db()
        if checkout.session_id is None:
            raise
        return checkout
    if checkout.price.refused_at is not None:
        catalogue.offer_again(checkout.price)
    is_saved = Checkout.objects.filter(
        pk=checkout.pk, attempt=checkout.attempt, session_id__isnull=True
    ).update(
        session_id=session.id,
        session_url=session.url,
        status=Checkout.Status.OPEN,
        opened_at=timezone.now(),
        due_at=timezone.now() + FIRST_LOOK,
    )
    checkout.refresh_from_db()
    if not is_saved and checkout.session_id != session.id:
        # Another tab sent a changed form: its session is the current one, this one is unused.
        with contextlib.suppress(stripe_api.StripeRefused):  # already expired
            stripe_api.expire_session(session.id)
        if is_of_erased(checkout.email):  # sent again, the form orders for a new person
            raise stripe_api.StripeUnavailable("the person who ordered was erased meanwhile")
        return _open_session(checkout)
    return checkout


def _is_about_price(error: stripe_api.StripeRefused, checkout: Checkout) -> bool:
    """Return whether the price can't be sold, and not only to this address or so many times."""
    is_too_many = error.code == "amount_too_large" and checkout.quantity > 1
    is_chosen = checkout.price.is_open and is_about_amount(error)
    return error.param != "customer_email" and not is_too_many and not is_chosen


def is_about_amount(error: stripe_api.StripeRefused) -> bool:
    """Return whether Stripe refuses only this amount."""
    is_limit = error.code in {"amount_too_small", "amount_too_large"}
    return is_limit or "unit_amount" in error.param


def _give_up_attempt(checkout: Checkout) -> None:
    Checkout.objects.filter(
        pk=checkout.pk, attempt=checkout.attempt, session_id__isnull=True
    ).update(attempt=checkout.attempt + 1)


def session_params(checkout: Checkout) -> dict[str, Any]:
    """Return the parameters of the session. They depend on the row alone, so repeats are equal."""
    metadata = {"checkout": str(checkout.pk)}
    here = {"checkout_id": checkout.pk}
    params: dict[str, Any] = {
        "line_items": [_line_item(checkout)],
        "customer_email": checkout.email,
        "success_url": settings.SITE_URL + reverse("campaigns:thanks", kwargs=here),
        "cancel_url": settings.SITE_URL + reverse("campaigns:cancelled", kwargs=here),
        "locale": checkout.language if checkout.language in _STRIPE_LANGUAGES else "auto",
        # The amount on the form is the amount paid; Stripe converts nothing.
        "adaptive_pricing": {"enabled": False},
        "metadata": metadata,
    }
    if checkout.price.is_subscription:
        # A free gift or one-off membership would have no payment, which both are made from.
        codes = {"allow_promotion_codes": True} if settings.PROMOTION_CODES else {}
        subscription = {"subscription_data": {"metadata": metadata}}
        return params | {"mode": "subscription", **subscription, **codes}
    return params | {
        "mode": "payment",
        "customer_creation": "always",
        "payment_intent_data": {"metadata": metadata},
    }


def _line_item(checkout: Checkout) -> dict[str, Any]:
    """Return what is sold: our price at Stripe, or one of its product for the chosen amount."""
    if not checkout.price.is_open:
        return {"price": checkout.price.stripe_price_id, "quantity": checkout.quantity}
    price_data = catalogue.describe_price(checkout.price, checkout.amount_minor)
    return {"price_data": price_data, "quantity": 1}
