"""Gifts that were bought, and refunds of them, by staff or in the Stripe Dashboard."""

from typing import Any
from uuid import uuid4

from django.test import Client

from campaigns import checkout as checkouts
from campaigns import settlement, stripe_api
from campaigns.models import (
    Campaign,
    Checkout,
    Gift,
    Payment,
    Price,
    Refund,
)
from newsroom.sandbox.control import SandboxControl
from tests.support.staff import address, filled

CARD = "4242424242424242"
WHY = "bought by mistake"


def buy_gifts(campaign: Campaign, sandbox: SandboxControl, number: int = 3) -> Payment:
    wanted = [
        {"recipient_name": name, "recipient_email": f"{name.lower()}@example.org"}
        for name in ("Ben", "Cleo", "Dan")[:number]
    ]
    checkout = checkouts.start_checkout(
        uuid4(),
        checkouts.Order(
            kind=Checkout.Kind.GIFT,
            price=Price.objects.get(kind="gift"),
            email="ada@example.org",
            name="Ada Reader",
            language="en",
            campaign=campaign,
            typed={"gifts": wanted},
        ),
    )
    return pay(checkout, sandbox)


def pay(checkout: Checkout, sandbox: SandboxControl) -> Payment:
    sandbox.pay(str(checkout.session_id), card=CARD)
    settlement.settle_checkout(checkout.pk)
    sandbox.advance(3600)
    return Payment.objects.get()


def refund_url(payment: Payment) -> str:
    return address(Payment, "refund", payment.pk)


def refund_payment(client: Client, payment: Payment, **typed: Any) -> Any:
    url = refund_url(payment)
    fields = filled(client, url, why=WHY, reason="requested_by_customer")
    return client.post(url, fields | typed, follow=True)


def refund_at_stripe(payment: Payment, amount_minor: int) -> Refund:
    """Refund as in the Stripe Dashboard, which doesn't know of gifts."""
    refund = stripe_api.refund_payment(
        str(payment.intent_id), amount_minor=amount_minor, idempotency_key="dashboard"
    )
    assert payment.checkout is not None
    settlement.settle_checkout(payment.checkout.pk)
    return Refund.objects.get(refund_id=refund.id)


def statuses() -> list[str]:
    return list(Gift.objects.order_by("position").values_list("status", flat=True))
