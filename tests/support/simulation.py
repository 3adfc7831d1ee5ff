"""Two simulated years of a newsroom: readers, their banks, Stripe, its webhooks, and our nights.

A `World` has both clocks (ours and the sandbox's) and does what readers, banks, staff and time do,
a step at a time. Beside it keeps what it did as a plain list of sales
(`tests.support.count_rule`), from Stripe's answers alone. What our application made of it is
compared elsewhere (`tests.support.books`).
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import stripe
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db.models import F

from campaigns import actions, gifts, progress, stripe_api, tasks, webhooks
from campaigns import checkout as checkouts
from campaigns.actions import refunds
from campaigns.models import Campaign, Checkout, Gift, Goal, Payment, Price, StripeCursor
from campaigns.models.refund_order import RefundOrder
from newsroom.sandbox.control import SandboxControl, SandboxError
from tests.support.campaigns import (
    BANK_DAYS,
    BEGINS,
    DECLINED,
    EVENTS_KEPT,
    MEANS,
    NIGHTS,
    REFUND_FAILS_AFTER,
    REFUNDS_FAIL,
)
from tests.support.count_rule import (
    DisputeRecord,
    ExpectedFigures,
    RefundRecord,
    Sale,
    SubscriptionRecord,
    Window,
    a_year_after,
    moment_of,
    read_subscription,
)
from tests.support.event_delivery import WebhookQueue
from tests.support.factories import at
from tests.support.renewals import change_subscription
from tests.support.rows import forget_sales

Json = dict[str, Any]


@dataclass
class World:
    sandbox: SandboxControl
    traveller: time_machine.Traveller
    campaigns: dict[str, Campaign]
    staff: User
    now: datetime = BEGINS
    has_nights: bool = True  # whether the nightly reconciliation runs
    sales: list[Sale] = field(default_factory=list)
    sale_of: dict[str, Sale] = field(default_factory=dict)  # by its first charge
    intents: dict[str, str] = field(default_factory=dict)  # the campaign of each first payment
    customers: dict[str, str] = field(default_factory=dict)  # the campaign of each
    subscriptions: list[str] = field(default_factory=list)
    unpaid: dict[str, Sale] = field(default_factory=dict)  # by a debit that failed; by customer
    disputes: list[tuple[str, DisputeRecord | None]] = field(default_factory=list)
    refunds: list[tuple[str, RefundRecord]] = field(default_factory=list)
    last_night: datetime = BEGINS
    moments: list[datetime] = field(default_factory=list)  # at which something was done
    closed: dict[str, dict[str, int]] = field(default_factory=dict)
    is_repeatable: bool = True  # until somebody acts on what only webhooks could have told us

    def __post_init__(self) -> None:
        self.post = WebhookQueue(self.sandbox)
        self.v1 = stripe_api.client().v1
        self.windows = {
            slug: Window(slug, each.zone, each.currency, each.starts_at, each.ends_at)
            for slug, each in self.campaigns.items()
        }

    def forget_old_events(self, patch: pytest.MonkeyPatch) -> None:
        """Stripe lists events of the last 30 days alone; the sandbox would list all."""
        walk = stripe_api.walk_events

        def walk_what_is_kept(*, since: datetime) -> Iterator[stripe_api.Event]:
            return walk(since=max(since, self.now - EVENTS_KEPT))

        patch.setattr(stripe_api, "walk_events", walk_what_is_kept)

    # Time

    def wait(self, span: timedelta) -> None:
        """All that falls due happens at Stripe; each night our figures are held against it."""
        until = self.now + span
        while self.now < until:
            next_night = self.last_night + NIGHTS if self.has_nights else until
            self._move_to(min(until, next_night))
            if self.has_nights and self.now >= next_night:
                self.reconcile()

    def wait_until(self, border: str, *, seconds: int) -> None:
        moment = at(border) + timedelta(seconds=seconds)
        if moment > self.now:
            self.wait(moment - self.now)

    def _move_to(self, moment: datetime) -> None:
        self.now = moment
        self.moments.append(moment)
        self.traveller.move_to(moment)
        self.sandbox.freeze(int(moment.timestamp()))

    # Readers

    def sell(
        self, kind: str, *, person: str, slug: str, currency: str, means: str, gifts: int = 1
    ) -> None:
        """Who pays with "nothing" leaves; who has "a second card" is refused by the first."""
        how = MEANS[means]
        currency = self.windows[slug].currency if currency == "the campaign's" else currency
        if "iban" in how and currency != "eur":
            return
        is_gift = kind == "gift"
        price = Price.objects.get(kind=kind, currency=currency)
        wanted = [{"recipient_name": f"Ben {i}", "recipient_email": ""} for i in range(gifts)]
        order = checkouts.start_checkout(
            uuid4(),
            checkouts.Order(
                kind=Checkout.Kind.GIFT if is_gift else Checkout.Kind.JOIN,
                price=price,
                email=f"{person}@example.org",
                name=person.title(),
                language="en",
                campaign=self.campaigns[slug],
                typed={"gifts": wanted} if is_gift else {},
            ),
        )
        session_id = str(order.session_id)
        if means == "a second card":
            self.sandbox.pay(session_id, card=DECLINED)
        if not how:
            return
        answer = self.sandbox.pay(session_id, **how)
        session = answer["session"]
        [charge] = self._charges_of(session["customer"])
        is_debit = "iban" in how
        sale = Sale(
            slug=slug,
            person=person,
            gifts=gifts if is_gift else 0,
            minor=charge["amount"],
            currency=charge["currency"],
            paid_at=self.now,
            answered_at=self.now + BANK_DAYS if is_debit else self.now,
            is_good=means != "failing debit",
            lasts_until=a_year_after(self.now, self.windows[slug].zone) if kind == "once" else None,
            subscription_id=session["subscription"] or "",
        )
        self.sales.append(sale)
        self.sale_of[charge["id"]] = sale
        self.intents[charge["payment_intent"]] = slug
        self.customers[session["customer"]] = slug
        if sale.subscription_id:
            self.subscriptions.append(sale.subscription_id)
            if not sale.is_good:
                self.unpaid[session["customer"]] = sale
        if means == "disputed at once":
            [dispute] = self.v1.disputes.list({"charge": charge["id"]}).data
            self._note_dispute(dispute.id, charge["id"], charge["amount"])

    def claim(self, which: int, person: str) -> None:
        """By whoever is no member yet: how gifts add up is another test's."""
        claimable = Gift.objects.filter(status__in=Gift.CLAIMABLE, expires_at__gt=self.now)
        waiting = list(claimable.select_related("payment").order_by("checkout", "position"))
        if not waiting:
            return
        gift = waiting[which % len(waiting)]
        try:
            actions.claim_gift(gift.code, email=f"{person}@example.org", name=person, language="en")
        except gifts.ConfirmationRequired:
            return
        self.sale_of[gift.payment.charge_id].claimed[gift.position] = (person, self.now)
        self.is_repeatable = False

    def change_subscription(self, which: int, change: str) -> None:
        if self.subscriptions:
            subscription_id = self.subscriptions[which % len(self.subscriptions)]
            change_subscription(self.sandbox, subscription_id, change)

    # Money comes back

    def refund(self, which: int, *, part: float) -> None:
        """From Stripe's own dashboard, of any payment, a renewal as well."""
        charge = self._pick_charge(which)
        if charge is None:
            return
        minor = max(1, int((charge["amount"] - charge["amount_refunded"]) * part))
        try:
            refund = self.v1.refunds.create({"charge": charge["id"], "amount": minor})
        except stripe.InvalidRequestError:  # nothing is left, or a bank has it already
            return
        self._note_refund(refund.to_dict(), charge)

    def give_back_gifts(self, which: int, *, many: int) -> None:
        """By staff, who name the gifts; their shares are given back."""
        paid = Payment.objects.filter(role="gift", status="succeeded").order_by("charge_id")
        known = [each for each in paid if actions.refundable_minor(each)]
        if not known:
            return
        payment = known[which % len(known)]
        named = list(payment.gifts.order_by("position")[:many])
        share = payment.amount_minor // payment.gifts.count()
        minor = min(share * len(named), actions.refundable_minor(payment))
        order = refunds.order_refund(
            payment,
            amount_minor=minor,
            reason=RefundOrder.Reason.REQUESTED,
            why="asked by mail",
            by=self.staff,
            gifts=named,
        )
        order = actions.execute_refund_order(order.pk)
        self.is_repeatable = False
        if order.refund_id is None:
            return
        refund = self.v1.refunds.retrieve(order.refund_id, {"expand": ["charge"]}).to_dict()
        positions = frozenset(gift.position for gift in named)
        self._note_refund(refund, refund["charge"], positions)

    def _note_refund(
        self, refund: Json, charge: Json, positions: frozenset[int] = frozenset()
    ) -> None:
        is_debit = charge["payment_method_details"]["type"] != "card"
        card = charge["payment_method_details"].get("card") or {}
        fails = card.get("last4") == MEANS[REFUNDS_FAIL]["card"][-4:]
        returned = RefundRecord(
            at=self.now,
            minor=refund["amount"],
            succeeds_at=self.now + BANK_DAYS if is_debit else self.now,
            fails_at=self.now + REFUND_FAILS_AFTER if fails else None,
            positions=positions,
        )
        sale = self.sale_of.get(charge["id"])
        if sale is not None:
            sale.returned.append(returned)
        self.refunds.append((refund["id"], returned))

    def fail_refund(self, which: int) -> None:
        if not self.refunds:
            return
        refund_id, returned = self.refunds[which % len(self.refunds)]
        try:
            self.sandbox.fail_refund(refund_id)
        except SandboxError:  # it failed already
            return
        returned.fails_at = self.now

    def dispute(self, which: int, *, inquiry: bool) -> None:
        charge = self._pick_charge(which)
        if charge is None:
            return
        try:
            dispute = self.sandbox.open_dispute(charge=charge["id"], inquiry=inquiry)
        except SandboxError:  # it is disputed already, or nothing is left of it
            return
        if inquiry:
            self.disputes.append((dispute["id"], None))
        else:
            self._note_dispute(dispute["id"], charge["id"], dispute["amount"])

    def _note_dispute(self, dispute_id: str, charge_id: str, minor: int) -> None:
        contested = DisputeRecord(withdrawn_at=self.now, minor=minor)
        sale = self.sale_of.get(charge_id)
        if sale is not None:
            sale.contested.append(contested)
        self.disputes.append((dispute_id, contested))

    def close_dispute(self, which: int, *, status: str) -> None:
        if not self.disputes:
            return
        dispute_id, contested = self.disputes[which % len(self.disputes)]
        try:
            self.sandbox.close_dispute(dispute_id, status=status)
        except SandboxError:  # it is closed already, or ends in other words
            return
        if contested is not None:
            contested.is_lost = status == "lost"

    # What Stripe has

    def _charges_of(self, customer: str) -> list[Json]:
        """Oldest first, without those that a bank refused at once."""
        page = self.v1.charges.list({"customer": customer, "limit": 100})
        charges = [each.to_dict() for each in page.auto_paging_iter()]
        charges = [each for each in reversed(charges) if each["status"] != "failed"]
        if customer in self.unpaid and charges and charges[0]["status"] == "succeeded":
            # Whoever's debit failed paid by card since: that is when they joined.
            sale = self.unpaid.pop(customer)
            sale.is_good = True
            sale.paid_at = sale.answered_at = moment_of(charges[0]["created"])
            self.sale_of[charges[0]["id"]] = sale
        return charges

    def _pick_charge(self, which: int) -> Json | None:
        if not self.customers:
            return None
        customers = list(self.customers)
        charges = self._charges_of(customers[which % len(customers)])
        return charges[which // len(customers) % len(charges)] if charges else None

    def reckon(self) -> ExpectedFigures:
        for customer in list(self.unpaid):
            self._charges_of(customer)
        return ExpectedFigures(self.windows, self.sales, self.read_subscriptions(), self.now)

    def read_subscriptions(self) -> dict[str, SubscriptionRecord]:
        found = {}
        for each in self.v1.subscriptions.list({"status": "all", "limit": 100}).auto_paging_iter():
            page = self.v1.invoices.list({"subscription": each.id, "limit": 100})
            invoices = [invoice.to_dict() for invoice in page.auto_paging_iter()]
            found[each.id] = read_subscription(
                each.to_dict(), invoices[::-1], grace=timedelta(days=settings.GRACE_DAYS)
            )
        return found

    # What production does by itself

    def deliver(
        self, which: Sequence[int], *, rest_is_lost: bool = False, stripe_fails: bool = False
    ) -> None:
        self.post.deliver(which, now=self.now, rest_is_lost=rest_is_lost, fails=stripe_fails)

    def sweep(self) -> None:
        tasks.sweep()

    def reconcile(self) -> None:
        """As every night; in the end our figures are Stripe's."""
        told = io.StringIO()
        try:
            call_command("reconcile", stdout=told)
        except CommandError as error:
            raise AssertionError(f"{told.getvalue()}{error}") from error
        self.last_night = self.now

    def forget_everything_heard(self) -> None:
        """Only the Checkouts stand, as if no webhook had come, no sweep run and no night been."""
        forget_sales()
        StripeCursor.objects.all().delete()
        Checkout.objects.update(settle_at=F("opened_at"))
        self.post.pending, self.has_nights = [], False

    def close(self, slug: str) -> None:
        """By staff, once it is over and our figures are Stripe's."""
        campaign = Campaign.objects.get(slug=slug)
        if campaign.closed_at is not None or self.now < campaign.ends_at:
            return
        self.reconcile()
        goals = progress.measure_campaign(campaign, at=self.now)
        progress.close_campaign(campaign.pk, by="staff", seen=progress.fingerprint(goals))
        reckoning = self.reckon()
        people, given = len(reckoning.people(slug, self.now)), reckoning.gifts(slug, self.now)
        self.closed[slug] = {
            Goal.Kind.NEW_MEMBERS: people + given,
            Goal.Kind.GIFTS: given,
            Goal.Kind.MONEY: reckoning.raised(slug, self.now),
        }

    def come_to_rest(self, *, after: timedelta = timedelta(hours=3)) -> None:
        """A night and a morning in which everything works; what failed is due again by then."""
        self.wait(after)
        self.reconcile()
        for _ in range(30):
            self.sweep()
            looks = Checkout.objects.filter(settle_at__lte=self.now)
            if not webhooks.list_due_events(at=self.now) and not looks.exists():
                return
        raise AssertionError("the sweep finds no end")
