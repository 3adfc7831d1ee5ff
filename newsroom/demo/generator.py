"""Campaigns of the past, written straight into the database: a thousand sales or a million.

`history.py` makes the sales of the demo's own campaign as readers would. This makes the rows that
such sales leave behind, in batches, the same ones for the same seed. None of them is known to the
pretend Stripe, so they have no ids of sessions and subscriptions, and no work is due on them.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any
from uuid import UUID

from django.db import transaction

from campaigns import memberships
from campaigns.models import (
    Campaign,
    CampaignCopy,
    Checkout,
    Dispute,
    Gift,
    Goal,
    Member,
    Membership,
    Note,
    Payment,
    PaymentState,
    Plan,
    Price,
    Refund,
    Tally,
)
from newsroom.demo.history import HOURS
from newsroom.demo.loading import save_rows
from newsroom.demo.origins import invent_origin
from newsroom.demo.people import FIRST, LAST, make_address
from newsroom.demo.plots import Plot

BATCH = 1000  # sales in one transaction
HOUR_SUMS = list(accumulate(HOURS))
# Monday to Sunday.
WEEKDAYS = (1.15, 1.2, 1.1, 1.05, 0.95, 0.75, 0.8)
# Amounts in other currencies for each €1, in minor units, and what a minor unit is worth in them.
RATES = {"eur": 1.0, "usd": 1.1, "uah": 45.0}
BRANDS = (
    *(("card", "visa", "4242"), ("card", "visa", "1111")),
    *(("card", "mastercard", "4444"), ("card", "amex", "0005")),
)
METHODS = (*BRANDS * 2, ("sepa_debit", "", "3201"))
COUNTRIES = ("DE", "DE", "UA", "FR", "US", "PL", "AT", "NL")
GIFTS, REFUNDS, DISPUTES, CLAIMS = 0.2, 0.025, 0.004, 0.6  # shares
# Members who have cancelled and can still read, and why: some don't say.
CANCELLING = 0.03
REASONS = (
    *(Membership.CancelReason.TOO_EXPENSIVE,) * 4,
    *(Membership.CancelReason.UNUSED,) * 3,
    *(Membership.CancelReason.OTHER, Membership.CancelReason.SWITCHED_SERVICE),
    *("",) * 4,
)
STAYING = {Price.Kind.MONTH: 0.94, Price.Kind.YEAR: 0.7}  # chance to renew, each time


def generate_campaign(
    plot: Plot,
    *,
    payments: int,
    now: datetime,
    seed: int,
    report: Callable[[int], None] = lambda made: None,
) -> Campaign:
    """Create the campaign with about that many payments, renewals included, up to `now`.

    A campaign that has ended is closed a day later. `report` gets the number of payments made.
    """
    campaign = _create_campaign(plot, target=plot.target or max(payments // 2, 1))
    sales = _Sales(plot, campaign, now=now, seed=seed)
    made = 0
    while made < payments:
        batch = _Batch()
        while len(batch.members) < BATCH and made + len(batch.payments) < payments:
            sales.add_to(batch)
        batch.save()
        made += len(batch.payments)
        report(made)
    for day, text in plot.notes:
        Note.objects.create(
            campaign=campaign, at=plot.starts_at + timedelta(days=day, hours=9), text=text
        )
    if plot.ends_at <= now:
        _close(campaign)
    return campaign


def _create_campaign(plot: Plot, *, target: int) -> Campaign:
    campaign = Campaign.objects.create(
        slug=plot.slug,
        zone=str(plot.starts_at.tzinfo),
        starts_at=plot.starts_at,
        ends_at=plot.ends_at,
        currency="eur",
        created_at=plot.starts_at - timedelta(days=14),
    )
    for language, name in plot.names.items():
        CampaignCopy.objects.create(campaign=campaign, language=language, name=name)
    Goal.objects.create(
        campaign=campaign, kind=Goal.Kind.NEW_MEMBERS, target=target, is_primary=True
    )
    Goal.objects.create(campaign=campaign, kind=Goal.Kind.MONEY, target=target * 4000)
    return campaign


def _close(campaign: Campaign) -> None:
    """Keep what counted a day after the end, as staff would have."""
    at = campaign.ends_at + timedelta(days=1)
    campaign.closed_at, campaign.closed_by = at, "editor"
    counted = campaign.tallies.counting_at(at).count()
    campaign.final_counts = {str(Goal.Kind.NEW_MEMBERS): counted}
    campaign.save(update_fields=["closed_at", "closed_by", "final_counts"])


@dataclass
class _Batch:
    """Rows that refer to each other, in the order in which they can be saved."""

    members: list[Member] = field(default_factory=list)
    checkouts: list[Checkout] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    gifts: list[Gift] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)

    def save(self) -> None:
        with transaction.atomic():
            for rows in vars(self).values():
                save_rows(rows)


class _Sales:
    """The sales of one campaign, each with everything that came of it by now."""

    def __init__(self, plot: Plot, campaign: Campaign, *, now: datetime, seed: int) -> None:
        self.plot, self.campaign, self.now = plot, campaign, now
        self.chance = random.Random(f"{seed} {plot.slug}")  # noqa: S311 - believable, not secret
        self.number = 0
        # Sums, because `choices` would add the weights up for each sale.
        self.day_sums = list(accumulate(self._weigh_days()))
        self.prices = {currency: _make_prices(currency) for currency in {*plot.currencies}}

    def add_to(self, batch: _Batch) -> None:
        """Add one sale: a membership or a gift, and what followed."""
        paid_at, self.number = self._choose_moment(), self.number + 1
        currency = self.chance.choice(self.plot.currencies)
        kinds = self.prices[currency]
        kind = Price.Kind.YEAR if self.chance.random() < 0.6 else Price.Kind.MONTH
        kind = Price.Kind.GIFT if self.chance.random() < GIFTS else kind
        price, member = self.chance.choice(kinds[kind]), self._meet(paid_at)
        checkout = self._check_out(member, price, paid_at)
        batch.members.append(member)
        batch.checkouts.append(checkout)
        role = Payment.Role.GIFT if kind == Price.Kind.GIFT else Payment.Role.FIRST
        payment = self._pay(member, price, paid_at, role=role, checkout=checkout)
        batch.payments.append(payment)
        lost_at = self._reverse(batch, payment)
        tally = Tally(
            campaign=self.campaign, payment=payment, counted_from=paid_at, counted_until=lost_at
        )
        batch.tallies.append(tally)
        if kind == Price.Kind.GIFT:
            tally.gift = self._give(batch, payment, price, lost_at)
        else:
            tally.member = member
            self._subscribe(batch, payment, price, lost_at)

    def _weigh_days(self) -> Iterator[float]:
        """Yield the weight of each day until now: surges, weekday and chance."""
        drift = 1.0
        for number in range(self.plot.days):
            day = self.plot.starts_at + timedelta(days=number)
            if day >= self.now:
                return
            opening = (self.plot.opening - 1) * 0.6**number
            closing = self.plot.closing * 0.5 ** (self.plot.days - 1 - number)
            drift *= self.chance.uniform(0.93, 1.07)
            yield (1 + opening + closing) * WEEKDAYS[day.weekday()] * drift

    def _choose_moment(self) -> datetime:
        while True:
            days = range(len(self.day_sums))
            day = self.chance.choices(days, cum_weights=self.day_sums)[0]
            hour = self.chance.choices(range(len(HOURS)), cum_weights=HOUR_SUMS)[0]
            begin = self.plot.starts_at + timedelta(days=day)
            moment = begin + timedelta(hours=hour, seconds=self.chance.randrange(3600))
            if moment < self.now:
                return moment

    def _meet(self, at: datetime) -> Member:
        language = "uk" if self.chance.random() < 0.3 else "en"
        name = " ".join(self.chance.choice(names[language].split()) for names in (FIRST, LAST))
        box, _, host = make_address(name).partition("@")
        email = f"{box}.{self.plot.slug}.{self.number}@{host}"
        return Member(email=email, name=name, language=language, created_at=at)

    def _check_out(self, member: Member, price: Price, at: datetime) -> Checkout:
        is_gift = price.kind == Price.Kind.GIFT
        identity = UUID(int=self.chance.getrandbits(128), version=4)
        return Checkout(
            id=identity,
            kind=Checkout.Kind.GIFT if is_gift else Checkout.Kind.JOIN,
            campaign=self.campaign,
            **vars(invent_origin(self.chance)),
            price=price,
            amount_minor=price.amount_minor,
            currency=price.currency,
            email=member.email,
            name=member.name,
            language=member.language,
            status=Checkout.Status.PAID,
            session_id=f"cs_made_{identity.hex}",
            member=member,
            created_at=at - timedelta(minutes=self.chance.randint(1, 20)),
        )

    def _pay(self, member: Member, price: Price, at: datetime, **more: Any) -> Payment:
        """Return a payment; Stripe pays out in euros and takes 1.5 % and 25 cents."""
        method, brand, last4 = self.chance.choice(METHODS)
        settled = round(price.amount_minor / RATES[price.currency])
        fee = round(settled * 0.015) + 25
        is_expected = price.currency == self.campaign.currency
        return Payment(
            member=member,
            campaign=self.campaign,
            status=Payment.Status.SUCCEEDED,
            amount_minor=price.amount_minor,
            currency=price.currency,
            hold=Payment.Hold.NONE if is_expected else Payment.Hold.ACCEPTED,
            settled_minor=settled,
            settled_currency="eur",
            fee_minor=fee,
            net_minor=settled - fee,
            paid_at=at,
            method=method,
            brand=brand,
            last4=last4,
            country=self.chance.choice(COUNTRIES),
            intent_id=f"pi_made_{self.chance.getrandbits(96):024x}",
            **more,
        )

    def _reverse(self, batch: _Batch, payment: Payment) -> datetime | None:
        """Refund or dispute a few payments; return when one stopped being valid."""
        fate = self.chance.random()
        at = payment.paid_at + timedelta(days=self.chance.uniform(0.1, 12))
        if fate >= REFUNDS + DISPUTES or at >= self.now:
            return None
        money = {"payment": payment, "settled_currency": "eur", "fee_minor": 0, "returned_minor": 0}
        name = f"made_{self.chance.getrandbits(96):024x}"
        if fate < DISPUTES:
            dispute = Dispute(
                **money,
                dispute_id=f"du_{name}",
                amount_minor=payment.amount_minor,
                status=Dispute.LOST,
                reason="fraudulent",
                opened_at=at,
                withdrawn_at=at,
                taken_minor=payment.settled_minor,
            )
            batch.disputes.append(dispute)
            payment.refund_state = PaymentState.LOST
            return at
        is_partial = self.chance.random() < 0.2
        parts = 3 if is_partial else 1
        refund = Refund(
            **money,
            refund_id=f"re_{name}",
            amount_minor=payment.amount_minor // parts,
            status=Refund.Status.SUCCEEDED,
            refunded_at=at,
            taken_minor=(payment.settled_minor or 0) // parts,
        )
        batch.refunds.append(refund)
        payment.refund_state = PaymentState.PARTLY_REFUNDED if is_partial else PaymentState.REFUNDED
        return None if is_partial else at

    def _subscribe(
        self, batch: _Batch, first: Payment, price: Price, lost_at: datetime | None
    ) -> None:
        """Add the membership and its renewals until it was cancelled, reversed or is still on."""
        months = 1 if price.kind == Price.Kind.MONTH else 12
        ends_at, until = memberships.add_months(first.paid_at, months), lost_at or self.now
        membership = Membership(
            member=first.member,
            plan=price.plan,
            price=price,
            source=Membership.Source.SUBSCRIPTION,
            started_at=first.paid_at,
            checkout=first.checkout,
        )
        first.membership, renewals = membership, 0
        while ends_at < until and self.chance.random() < STAYING[Price.Kind(price.kind)]:
            role = Payment.Role.RENEWAL
            batch.payments.append(
                self._pay(first.member, price, ends_at, role=role, membership=membership)
            )
            renewals += 1
            ends_at = memberships.add_months(first.paid_at, months * (renewals + 1))
        membership.ends_at = ends_at
        if ends_at < until or lost_at:
            membership.status = Membership.Status.ENDED
            membership.ended_at = lost_at or ends_at
            membership.cancel_reason = "" if lost_at else self.chance.choice(REASONS)
        elif self.chance.random() < CANCELLING:
            membership.is_cancelling = True
            membership.cancel_reason = self.chance.choice(REASONS)
        batch.memberships.append(membership)

    def _give(
        self, batch: _Batch, payment: Payment, price: Price, lost_at: datetime | None
    ) -> Gift:
        """Add the gift, and its recipient's membership if it was claimed."""
        assert payment.checkout is not None
        assert price.months is not None
        paid_at, recipient = payment.paid_at, self._meet(payment.paid_at)
        recipient.email = f"to.{recipient.email}"
        gift = Gift(
            id=UUID(int=self.chance.getrandbits(128), version=4),
            checkout=payment.checkout,
            payment=payment,
            price=price,
            months=price.months,
            buyer=payment.member,
            buyer_name=payment.member.name,
            recipient_name=recipient.name,
            recipient_email=recipient.email,
            paid_at=paid_at,
            deliver_at=paid_at,
            delivered_at=paid_at,
            status=Gift.Status.DELIVERED,
            expires_at=paid_at + timedelta(days=365),
            created_at=paid_at,
        )
        gift.set_code()
        claimed_at = paid_at + timedelta(days=self.chance.expovariate(1 / 6))
        if lost_at:
            gift.status, gift.revoked_at = Gift.Status.REVOKED, lost_at
            gift.revoked_for = Gift.Cause.MONEY
        elif self.chance.random() < CLAIMS and claimed_at < min(self.now, gift.expires_at):
            ends_at = memberships.add_months(claimed_at, price.months)
            recipient.created_at = claimed_at
            gift.status, gift.claimed_at, gift.claimed_by = (
                Gift.Status.CLAIMED,
                claimed_at,
                recipient,
            )
            gift.membership = Membership(
                member=recipient,
                plan=price.plan,
                source=Membership.Source.GIFT,
                months=price.months,
                started_at=claimed_at,
                ends_at=ends_at,
            )
            if ends_at < self.now:
                gift.membership.status = Membership.Status.ENDED
                gift.membership.ended_at = ends_at
            batch.members.append(recipient)
            batch.memberships.append(gift.membership)
        elif gift.expires_at < self.now:
            gift.status = Gift.Status.EXPIRED
        batch.gifts.append(gift)
        return gift


def _make_prices(currency: str) -> dict[Price.Kind, list[Price]]:
    """Return prices by kind. Those in other currencies than the demo's aren't on sale."""
    plan = Plan.objects.get(slug="member")
    wanted = (
        (Price.Kind.MONTH, None, 600),
        (Price.Kind.YEAR, None, 6000),
        (Price.Kind.GIFT, 12, 6000),
        (Price.Kind.GIFT, 3, 1800),
    )
    prices: dict[Price.Kind, list[Price]] = {}
    for kind, months, cents in wanted:
        price, _created = Price.objects.get_or_create(
            plan=plan,
            kind=kind,
            months=months,
            currency=currency,
            amount_minor=round(cents * RATES[currency]),
            defaults={"is_active": currency == "eur"},
        )
        prices.setdefault(kind, []).append(price)
    return prices
