"""A generated campaign: a list of sales, and the rows that they leave.

Tests compare figures with numbers that they work out from the list, not from the rows.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from campaigns import memberships, payments
from campaigns.models import Campaign, Member, Membership, Payment, Price
from campaigns.origins import Origin
from tests.support.factories import (
    at,
    make_campaign,
    make_checkout,
    make_dispute,
    make_gift,
    make_member,
    make_payment,
    make_plan,
    make_price,
    make_refund,
    record_claim,
    recount_campaign,
)

# Summer time ends in Berlin and in New York while it runs.
BEGINS, ENDS = at("2026-10-20 00:00+02:00"), at("2026-11-20 00:00+01:00")
NOW = at("2026-11-25 12:00")
AMOUNTS = {"month": 600, "year": 6000, "once": 7000, "gift": 5000, "offline": 4000}
ARTICLES = tuple(f"https://www.example.org/story-{number}" for number in range(14))
METHODS = {
    "card": ("card", ""),
    "wallet": ("card", "apple_pay"),
    "debit": ("sepa_debit", ""),
    "other": ("eps", ""),
}


@dataclass
class Sold:
    """One sale, as it was meant to be."""

    kind: str  # month, year, once, gift or offline
    paid_at: datetime
    minor: int
    currency: str = "eur"
    origin: Origin = field(default_factory=Origin)
    method: str = "card"
    language: str = "en"
    was_member: bool = False
    refunded_at: datetime | None = None
    refunded_minor: int = 0
    lost_at: datetime | None = None
    delivered_at: datetime | None = None
    claimed_at: datetime | None = None
    paid_later_at: datetime | None = None
    cancel_reason: str | None = None  # None: not cancelled

    @property
    def is_gift(self) -> bool:
        return self.kind == "gift"

    @property
    def reversed_at(self) -> datetime | None:
        if self.lost_at is not None:
            return self.lost_at
        return self.refunded_at if self.refunded_minor == self.minor else None

    @property
    def counts(self) -> bool:
        """Return whether it counted at any time."""
        return not self.was_member

    @property
    def counts_now(self) -> bool:
        return self.counts and self.reversed_at is None


def generate_sales(number: int, *, seed: int = 3) -> list[Sold]:
    """Return sales at random moments of the campaign, in many ways; the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311
    sales = []
    length = int((ENDS - BEGINS).total_seconds()) - 1
    for _ in range(number):
        kind = chance.choice(("month", "year", "year", "once", "gift", "gift", "offline"))
        currency = chance.choice(("eur", "eur", "eur", "usd", "jpy"))
        paid_at = BEGINS + timedelta(seconds=chance.randrange(length))
        sold = Sold(kind, paid_at, AMOUNTS[kind] + chance.randrange(3) * 100, currency)
        sales.append(sold)
        later = paid_at + timedelta(hours=chance.randrange(1, 90))
        if kind != "offline":
            sold.origin = _invent_origin(chance)
            sold.method = chance.choice(tuple(METHODS))
            sold.language = chance.choice(("en", "en", "uk"))
        if kind != "gift":
            sold.was_member = chance.random() < 0.1
        fate = chance.random()
        if fate < 0.1:
            sold.refunded_at, sold.refunded_minor = later, sold.minor
        elif fate < 0.2:
            sold.refunded_at, sold.refunded_minor = later, sold.minor // 3
        elif fate < 0.25 and kind != "offline":
            sold.lost_at = later
        elif kind == "gift" and fate < 0.8:
            sold.delivered_at = paid_at + timedelta(minutes=5)
            if fate < 0.6:
                sold.claimed_at = later
                sold.paid_later_at = later + timedelta(hours=1) if fate < 0.45 else None
        elif kind in {"month", "year"} and fate > 0.85:
            sold.cancel_reason = chance.choice(("", "unused", "too_expensive"))
    return sales


def _invent_origin(chance: random.Random) -> Origin:
    page = chance.choice((*ARTICLES, ""))
    return Origin(
        placement=chance.choice(("top", "inline", "end", "newsletter", "")),
        page_url=page,
        page_title=f"Story {page[-1]}" if page else "",
        referrer=chance.choice(("example.org", "news.example.com", "")),
        utm_source=chance.choice(("mail", "facebook", "")),
        utm_campaign=chance.choice(("autumn", "")),
        device=chance.choice(("phone", "desk")),
        country=chance.choice(("DE", "UA", "")),
    )


def make_generated(sales: list[Sold], *, zone: str = "Europe/Berlin") -> Campaign:
    """Create the campaign and the rows of its sales, and count them."""
    campaign = make_campaign(slug="autumn", zone=zone, starts_at=BEGINS, ends_at=ENDS)
    for sold in sales:
        member = make_member()
        if sold.was_member:
            before = BEGINS - timedelta(days=20)
            memberships.grant_membership(
                member,
                plan=make_plan(),
                source=Membership.Source.GRANTED,
                starts_at=before,
                months=12,
            )
        payment = _pay(campaign, member, sold)
        if sold.refunded_at is not None:
            make_refund(payment, sold.refunded_at.isoformat(), sold.refunded_minor)
        if sold.lost_at is not None:
            make_dispute(payment, sold.lost_at.isoformat(), status="lost")
    recount_campaign(campaign)
    return campaign


def _pay(campaign: Campaign, member: Member, sold: Sold) -> Payment:
    paid_at = sold.paid_at.isoformat()
    if sold.kind == "offline":
        membership = memberships.grant_membership(
            member,
            plan=make_plan(),
            source=Membership.Source.ONCE,
            starts_at=sold.paid_at,
            months=12,
        )
        return payments.record_offline_payment(
            campaign=campaign,
            membership=membership,
            amount_minor=sold.minor,
            currency=sold.currency,
            paid_at=sold.paid_at,
        )
    method, wallet = METHODS[sold.method]
    money = {"amount_minor": sold.minor, "currency": sold.currency}
    paid: dict[str, Any] = {**money, "method": method, "wallet": wallet}
    if sold.is_gift:
        return _give(campaign, member, sold, paid)
    price = make_price(sold.kind, **money)
    checkout = make_checkout(
        campaign, price=price, status="paid", language=sold.language, origin=sold.origin
    )
    is_once = sold.kind == Price.Kind.ONCE
    membership = Membership.objects.create(
        member=member,
        plan=price.plan,
        source=Membership.Source.ONCE if is_once else Membership.Source.SUBSCRIPTION,
        started_at=sold.paid_at,
        ends_at=memberships.add_months(sold.paid_at, 12),
        checkout=checkout,
        is_cancelling=sold.cancel_reason is not None,
        cancel_reason=sold.cancel_reason or "",
    )
    return make_payment(member, campaign, paid_at, membership=membership, checkout=checkout, **paid)


def _give(campaign: Campaign, member: Member, sold: Sold, paid: dict[str, Any]) -> Payment:
    gift = make_gift(member, campaign, sold.paid_at.isoformat(), delivered_at=sold.delivered_at)
    Payment.objects.filter(pk=gift.payment_id).update(**paid)
    checkout = gift.checkout
    checkout.origin, checkout.language = sold.origin, sold.language
    checkout.save()
    gift.payment.refresh_from_db()
    if sold.claimed_at is not None:
        claimant = make_member()
        record_claim(gift, claimant, sold.claimed_at.isoformat())
        if sold.paid_later_at is not None:
            make_payment(claimant, None, sold.paid_later_at.isoformat())
    return gift.payment
