"""Sales: orders, purchases and subscriptions, as readers make them."""

from typing import Any
from uuid import uuid4

from campaigns import checkout as checkouts
from campaigns import settlement
from campaigns.models import Campaign, Checkout, Member, Membership, Price
from newsroom.sandbox.control import SandboxControl
from tests.support.factories import at, make_checkout

CARD = "4242424242424242"


def order(
    *,
    campaign: Campaign | None,
    kind: str = "year",
    email: str = "ada@example.org",
    name: str = "Ada Reader",
    typed: dict[str, Any] | None = None,
) -> Checkout:
    """Send the form: an open Checkout with its session at Stripe."""
    return checkouts.start_checkout(
        uuid4(),
        checkouts.Order(
            kind=Checkout.Kind.GIFT if kind == "gift" else Checkout.Kind.JOIN,
            price=Price.objects.get(kind=kind),
            email=email,
            name=name,
            language="en",
            campaign=campaign,
            typed=typed or {},
        ),
    )


def buy(
    *,
    campaign: Campaign | None,
    sandbox: SandboxControl,
    iban: str = "",
    card: str = CARD,
    **form: Any,
) -> Checkout:
    """Order, pay at Stripe by card (or by bank debit from `iban`), and settle."""
    checkout = order(campaign=campaign, **form)
    sandbox.pay(
        str(checkout.session_id),
        card=None if iban else card,
        iban=iban or None,
        name=checkout.name,
    )
    return settlement.settle_checkout(checkout.pk)


def subscribe(
    *, campaign: Campaign | None, sandbox: SandboxControl, kind: str = "month", **form: Any
) -> Membership:
    """Buy a subscription and return the membership."""
    checkout = buy(campaign=campaign, sandbox=sandbox, kind=kind, **form)
    return Membership.objects.get(checkout=checkout)


def settle(*, membership: Membership) -> str:
    """Settle the membership's Checkout and return the new status."""
    assert membership.checkout_id is not None
    settlement.settle_checkout(membership.checkout_id)
    membership.refresh_from_db()
    return membership.status


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
