"""Purchases of gifts in all states, and the buyer's page about them."""

from typing import Any

from django.test import Client

from campaigns.emails import links
from campaigns.models import Campaign, Checkout, Gift, Member, Payment, Price
from tests.support.factories import at, make_checkout, make_member, make_payment, make_price
from tests.support.pages import main_of

SENT = {"status": "delivered", "delivered_at": at("2026-11-09 10:05")}
WAITING = {"deliver_at": at("2026-12-24 08:00"), "expires_at": at("2027-12-24 08:00")}


def make_purchase(campaign: Campaign, *wanted: dict[str, Any]) -> Checkout:
    """Create a paid purchase with one gift for each set of values."""
    buyer, price = make_member("ada@example.org"), make_price("gift")
    checkout = make_checkout(
        campaign,
        kind=Checkout.Kind.GIFT,
        price=price,
        amount_minor=6000 * len(wanted),
        status="paid",
        typed={"gifts": [{} for _ in wanted]},
    )
    payment = make_payment(
        buyer,
        campaign,
        "2026-11-09 10:00",
        role=Payment.Role.GIFT,
        amount_minor=checkout.amount_minor,
        checkout=checkout,
        membership=None,
    )
    for position, changes in enumerate(wanted):
        values = {"checkout": checkout, "position": position, "payment": payment}
        gift = make_gift_of(values | changes, buyer=buyer, price=price)
        gift.set_code()
        gift.save()
    return checkout


def make_gift_of(values: dict[str, Any], *, buyer: Member, price: Price) -> Gift:
    return Gift(
        **{
            "price": price,
            "months": 12,
            "buyer": buyer,
            "buyer_name": "Ada Reader",
            "recipient_name": f"Friend {values['position'] + 1}",
            "recipient_email": f"friend{values['position'] + 1}@example.org",
            "paid_at": at("2026-11-09 10:00"),
            "deliver_at": at("2026-11-09 10:00"),
            "expires_at": at("2027-11-09 10:00"),
        }
        | values
    )


def url_of(checkout: Checkout, more: str = "") -> str:
    return f"/membership/gifts/{links.make_gifts_token(checkout)}/{more}"


def open_purchase(client: Client, checkout: Checkout) -> str:
    answer = client.get(url_of(checkout))
    assert answer.status_code == 200
    return main_of(answer)


def gift_at(checkout: Checkout, position: int = 0) -> Gift:
    return checkout.gifts.get(position=position)
