"""Gifts that were bought, and refunds of them, by staff or in the Stripe Dashboard."""

from typing import Any

import pytest
from django.test import Client

from campaigns import settlement, stripe_api
from campaigns.models import (
    Campaign,
    Checkout,
    Gift,
    Payment,
    Refund,
)
from newsroom.sandbox.control import SandboxControl
from tests.support.sales import CARD, place_order
from tests.support.staff import admin_url, fill_in

WHY = "bought by mistake"


def buy_gifts(
    campaign: Campaign, sandbox: SandboxControl, number: int = 3, *, by_hand: bool = False
) -> Payment:
    """Buy gifts for Ben, Cleo and Dan; `by_hand` ones have no recipient's address."""
    gifts = [
        {
            "recipient_name": name,
            "recipient_email": "" if by_hand else f"{name.lower()}@example.org",
        }
        for name in ("Ben", "Cleo", "Dan")[:number]
    ]
    return pay_and_settle(place_order(campaign, "gift", typed={"gifts": gifts}), sandbox)


@pytest.fixture
def three_gifts(campaign: Campaign, sandbox: SandboxControl) -> list[Gift]:
    """Three gifts of one purchase, which the buyer hands over."""
    buy_gifts(campaign, sandbox, by_hand=True)
    return list(Gift.objects.order_by("position"))


def pay_and_settle(checkout: Checkout, sandbox: SandboxControl) -> Payment:
    """Pay and settle the Checkout, then let an hour pass."""
    sandbox.pay(str(checkout.session_id), card=CARD)
    settlement.settle_checkout(checkout.pk)
    sandbox.advance(3600)
    return Payment.objects.get()


def refund_url(payment: Payment) -> str:
    return admin_url(Payment, "refund", payment.pk)


def refund_payment(client: Client, payment: Payment, **typed: Any) -> Any:
    url = refund_url(payment)
    fields = fill_in(client, url, why=WHY, reason="requested_by_customer")
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
    """Return the statuses of all gifts, in the order of the purchase."""
    return list(Gift.objects.order_by("position").values_list("status", flat=True))
