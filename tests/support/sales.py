"""Sales: orders, purchases and subscriptions, as readers make them."""

from typing import Any
from uuid import uuid4

from campaigns import checkout as checkouts
from campaigns import settlement, stripe_api
from campaigns.models import Campaign, Checkout, Member, Membership, Payment, Price
from newsroom.sandbox.control import SandboxControl
from tests.support.factories import at, make_checkout

CARD = "4242424242424242"
GIFT_FOR_BEN = {
    "recipient_name": "Ben",
    "recipient_email": "ben@example.org",
    "message": "Read!",
}


def place_order(
    campaign: Campaign | None,
    kind: str = "year",
    email: str = "ada@example.org",
    *,
    price: Price | None = None,
    name: str = "Ada Reader",
    typed: dict[str, Any] | None = None,
) -> Checkout:
    """Send the form and return an open Checkout with its session at Stripe.

    An order of gifts is one for Ben, unless `typed` lists others.
    """
    is_gift = kind == "gift"
    return checkouts.start_checkout(
        uuid4(),
        checkouts.Order(
            kind=Checkout.Kind.GIFT if is_gift else Checkout.Kind.JOIN,
            price=price or Price.objects.get(kind=kind),
            email=email,
            name=name,
            language="en",
            campaign=campaign,
            typed=typed or ({"gifts": [GIFT_FOR_BEN]} if is_gift else {}),
        ),
    )


def buy_without_settling(
    campaign: Campaign | None,
    sandbox: SandboxControl,
    kind: str = "year",
    *,
    card: str = CARD,
    iban: str = "",
    currency: str | None = None,
    **form: Any,
) -> Checkout:
    """Order and pay at Stripe by card, or by bank debit from `iban`.

    `currency` is the one in which the buyer pays, if it isn't the price's own.
    """
    checkout = place_order(campaign, kind, **form)
    sandbox.pay(
        str(checkout.session_id),
        card=None if iban else card,
        iban=iban or None,
        name=checkout.name,
        currency=currency,
    )
    return checkout


def buy(
    campaign: Campaign | None, sandbox: SandboxControl, kind: str = "year", **how: Any
) -> Checkout:
    """Order, pay at Stripe, and settle."""
    checkout = buy_without_settling(campaign, sandbox, kind, **how)
    return settlement.settle_checkout(checkout.pk)


def subscribe(
    campaign: Campaign | None, sandbox: SandboxControl, kind: str = "month", **how: Any
) -> Membership:
    """Buy a subscription and return the membership."""
    return Membership.objects.get(checkout=buy(campaign, sandbox, kind, **how))


def sell_at_stripe(
    sandbox: SandboxControl,
    kind: str = "year",
    *,
    email: str = "ada@example.org",
    name: str = "Ada Reader",
    card: str = CARD,
) -> str:
    """Make a subscription at our price as staff do in Stripe's dashboard; return its id."""
    v1 = stripe_api.client().v1
    customer = v1.customers.create({"email": email, "name": name, "preferred_locales": ["uk-UA"]})
    sandbox.add_card(customer.id, card=card)
    price = Price.objects.get(kind=kind).stripe_price_id
    return v1.subscriptions.create({"customer": customer.id, "items": [{"price": price}]}).id


def settle(membership: Membership) -> str:
    """Settle the membership's Checkout and return the membership's new status."""
    assert membership.checkout_id is not None
    settlement.settle_checkout(membership.checkout_id)
    membership.refresh_from_db()
    return membership.status


def settle_payment(payment: Payment) -> Checkout:
    """Settle the payment's Checkout."""
    assert payment.checkout_id is not None
    return settlement.settle_checkout(payment.checkout_id)


def make_subscription(*, member: Member, **changes: Any) -> Membership:
    """Create the rows of a paid yearly subscription, without Stripe."""
    checkout = make_checkout(None, member=member, status="paid")
    values = {
        "member": member,
        "checkout": checkout,
        "plan": checkout.price.plan,
        "price": checkout.price,
        "source": Membership.Source.SUBSCRIPTION,
        "started_at": at("2026-11-10 12:00"),
        "ends_at": at("2027-11-10 12:00"),
        "subscription_id": f"sub_{checkout.pk}",
    }
    return Membership.objects.create(**values | changes)
