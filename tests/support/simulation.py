"""A simulated newsroom: readers, banks, staff, Stripe, webhooks and the nightly reconciliation.

A `World` moves our clock and the sandbox's, and acts for readers, banks and staff, one step at a
time. It records each sale from Stripe's answers, so that `tests.support.count_rule` can calculate
the expected figures. `tests.support.books` compares them with our database.
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

from campaigns import actions, gifts, jobs, progress, stripe_api
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
    add_year,
    from_timestamp,
    read_subscription,
)
from tests.support.due import list_due_events
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
    reconciles_nightly: bool = True
    sales: list[Sale] = field(default_factory=list)
    sale_of: dict[str, Sale] = field(default_factory=dict)  # by the id of its first charge
    intents: dict[str, str] = field(default_factory=dict)  # the campaign of each first payment
    customers: dict[str, str] = field(default_factory=dict)  # the campaign of each customer
    subscriptions: list[str] = field(default_factory=list)
    unpaid: dict[str, Sale] = field(default_factory=dict)  # first debit failed; by customer
    disputes: list[tuple[str, DisputeRecord | None]] = field(default_factory=list)
    refunds: list[tuple[str, RefundRecord]] = field(default_factory=list)
    last_night: datetime = BEGINS
    moments: list[datetime] = field(default_factory=list)  # the times of all steps
    closed: dict[str, dict[str, int]] = field(default_factory=dict)  # final counts
    # False once a claim or a refund by staff exists: it can't be rebuilt from Stripe's data.
    can_be_rebuilt: bool = True

    def __post_init__(self) -> None:
        self.post = WebhookQueue(self.sandbox)
        self.v1 = stripe_api.client().v1
        self.windows = {
            slug: Window(
                slug, campaign.zone, campaign.currency, campaign.starts_at, campaign.ends_at
            )
            for slug, campaign in self.campaigns.items()
        }

    def hide_old_events(self, patch: pytest.MonkeyPatch) -> None:
        """List only the events of the last 30 days, as Stripe does. The sandbox lists all."""
        walk = stripe_api.walk_events

        def walk_recent_events(*, since: datetime) -> Iterator[stripe_api.Event]:
            return walk(since=max(since, self.now - EVENTS_KEPT))

        patch.setattr(stripe_api, "walk_events", walk_recent_events)

    # Time

    def wait(self, span: timedelta) -> None:
        """Move both clocks. Stripe does its due work; the reconciliation runs every night."""
        until = self.now + span
        while self.now < until:
            next_night = self.last_night + NIGHTS if self.reconciles_nightly else until
            self._move_to(min(until, next_night))
            if self.reconciles_nightly and self.now >= next_night:
                self.reconcile()

    def wait_until(self, date: str, *, seconds: int) -> None:
        """Wait until that many seconds after `date`, unless that is in the past."""
        moment = at(date) + timedelta(seconds=seconds)
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
        """Order, and pay by `means`.

        With "nothing" the reader leaves. With "a second card" the first one is declined.
        """
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
            succeeds=means != "failing debit",
            lasts_until=add_year(self.now, self.windows[slug].zone) if kind == "once" else None,
            subscription_id=session["subscription"] or "",
        )
        self.sales.append(sale)
        self.sale_of[charge["id"]] = sale
        self.intents[charge["payment_intent"]] = slug
        self.customers[session["customer"]] = slug
        if sale.subscription_id:
            self.subscriptions.append(sale.subscription_id)
            if not sale.succeeds:
                self.unpaid[session["customer"]] = sale
        if means == "disputed at once":
            [dispute] = self.v1.disputes.list({"charge": charge["id"]}).data
            self._record_dispute(dispute.id, charge["id"], charge["amount"])

    def claim(self, which: int, person: str) -> None:
        """Claim a gift, unless the person is a member. Other tests cover extensions."""
        claimable = Gift.objects.filter(status__in=Gift.CLAIMABLE, expires_at__gt=self.now)
        gifts_left = list(claimable.select_related("payment").order_by("checkout", "position"))
        if not gifts_left:
            return
        gift = gifts_left[which % len(gifts_left)]
        try:
            actions.claim_gift(gift.code, email=f"{person}@example.org", name=person, language="en")
        except gifts.ConfirmationRequired:
            return
        self.sale_of[gift.payment.charge_id].claims[gift.position] = (person, self.now)
        self.can_be_rebuilt = False

    def change_subscription(self, which: int, change: str) -> None:
        if self.subscriptions:
            subscription_id = self.subscriptions[which % len(self.subscriptions)]
            change_subscription(self.sandbox, subscription_id, change)

    # Refunds and disputes

    def refund(self, which: int, *, part: float) -> None:
        """Refund any payment in Stripe's Dashboard, including renewals."""
        charge = self._pick_charge(which)
        if charge is None:
            return
        minor = max(1, int((charge["amount"] - charge["amount_refunded"]) * part))
        try:
            refund = self.v1.refunds.create({"charge": charge["id"], "amount": minor})
        except stripe.InvalidRequestError:  # it is refunded or disputed already
            return
        self._record_refund(refund.to_dict(), charge)

    def refund_gifts(self, which: int, *, many: int) -> None:
        """Refund up to `many` gifts of one purchase in the admin."""
        paid = Payment.objects.filter(role="gift", status="succeeded").order_by("charge_id")
        refundable = [payment for payment in paid if actions.compute_refundable(payment)]
        if not refundable:
            return
        payment = refundable[which % len(refundable)]
        chosen = list(payment.gifts.order_by("position")[:many])
        share = payment.amount_minor // payment.gifts.count()
        minor = min(share * len(chosen), actions.compute_refundable(payment))
        order = refunds.order_refund(
            payment,
            amount_minor=minor,
            reason=RefundOrder.Reason.REQUESTED,
            why="asked by mail",
            by=self.staff,
            gifts=chosen,
        )
        order = actions.execute_refund_order(order.pk)
        self.can_be_rebuilt = False
        if order.refund_id is None:
            return
        refund = self.v1.refunds.retrieve(order.refund_id, {"expand": ["charge"]}).to_dict()
        positions = frozenset(gift.position for gift in chosen)
        self._record_refund(refund, refund["charge"], positions)

    def _record_refund(
        self, refund: Json, charge: Json, positions: frozenset[int] = frozenset()
    ) -> None:
        is_debit = charge["payment_method_details"]["type"] != "card"
        card = charge["payment_method_details"].get("card") or {}
        fails = card.get("last4") == MEANS[REFUNDS_FAIL]["card"][-4:]
        record = RefundRecord(
            at=self.now,
            minor=refund["amount"],
            succeeds_at=self.now + BANK_DAYS if is_debit else self.now,
            fails_at=self.now + REFUND_FAILS_AFTER if fails else None,
            positions=positions,
        )
        sale = self.sale_of.get(charge["id"])
        if sale is not None:
            sale.refunds.append(record)
        self.refunds.append((refund["id"], record))

    def fail_refund(self, which: int) -> None:
        if not self.refunds:
            return
        refund_id, record = self.refunds[which % len(self.refunds)]
        try:
            self.sandbox.fail_refund(refund_id)
        except SandboxError:  # it failed already
            return
        record.fails_at = self.now

    def dispute(self, which: int, *, inquiry: bool) -> None:
        charge = self._pick_charge(which)
        if charge is None:
            return
        try:
            dispute = self.sandbox.open_dispute(charge=charge["id"], inquiry=inquiry)
        except SandboxError:  # it is disputed already, or refunded in full
            return
        if inquiry:
            self.disputes.append((dispute["id"], None))
        else:
            self._record_dispute(dispute["id"], charge["id"], dispute["amount"])

    def _record_dispute(self, dispute_id: str, charge_id: str, minor: int) -> None:
        record = DisputeRecord(withdrawn_at=self.now, minor=minor)
        sale = self.sale_of.get(charge_id)
        if sale is not None:
            sale.disputes.append(record)
        self.disputes.append((dispute_id, record))

    def close_dispute(self, which: int, *, status: str) -> None:
        if not self.disputes:
            return
        dispute_id, record = self.disputes[which % len(self.disputes)]
        try:
            self.sandbox.close_dispute(dispute_id, status=status)
        except SandboxError:  # it is closed already, or can't have this status
            return
        if record is not None:
            record.is_lost = status == "lost"

    # Stripe's objects

    def _charges_of(self, customer: str) -> list[Json]:
        """Return the customer's charges, oldest first, without failed ones.

        If a sale's first debit failed and a later charge succeeded, update the sale.
        """
        page = self.v1.charges.list({"customer": customer, "limit": 100})
        charges = [charge.to_dict() for charge in page.auto_paging_iter()]
        charges = [charge for charge in reversed(charges) if charge["status"] != "failed"]
        if customer in self.unpaid and charges and charges[0]["status"] == "succeeded":
            # The retry by card is the first payment of this membership.
            sale = self.unpaid.pop(customer)
            sale.succeeds = True
            sale.paid_at = sale.answered_at = from_timestamp(charges[0]["created"])
            self.sale_of[charges[0]["id"]] = sale
        return charges

    def _pick_charge(self, which: int) -> Json | None:
        if not self.customers:
            return None
        customers = list(self.customers)
        charges = self._charges_of(customers[which % len(customers)])
        return charges[which // len(customers) % len(charges)] if charges else None

    def calculate_expected(self) -> ExpectedFigures:
        for customer in list(self.unpaid):
            self._charges_of(customer)
        return ExpectedFigures(self.windows, self.sales, self.read_subscriptions(), self.now)

    def read_subscriptions(self) -> dict[str, SubscriptionRecord]:
        found = {}
        subscriptions = self.v1.subscriptions.list({"status": "all", "limit": 100})
        for subscription in subscriptions.auto_paging_iter():
            page = self.v1.invoices.list({"subscription": subscription.id, "limit": 100})
            invoices = [invoice.to_dict() for invoice in page.auto_paging_iter()]
            found[subscription.id] = read_subscription(
                subscription.to_dict(), invoices[::-1], grace=timedelta(days=settings.GRACE_DAYS)
            )
        return found

    # Our application

    def deliver(
        self, which: Sequence[int], *, rest_is_lost: bool = False, stripe_fails: bool = False
    ) -> None:
        self.post.deliver(which, now=self.now, rest_is_lost=rest_is_lost, fails=stripe_fails)

    def sweep(self) -> None:
        jobs.run_due_jobs()

    def reconcile(self) -> None:
        """Run `manage.py reconcile`. Fail if our figures then differ from Stripe's."""
        output = io.StringIO()
        try:
            call_command("reconcile", stdout=output)
        except CommandError as error:
            raise AssertionError(f"{output.getvalue()}{error}") from error
        self.last_night = self.now

    def reset_to_checkouts(self) -> None:
        """Keep only the Checkouts, as if no webhook, sweep or reconciliation had ever run."""
        forget_sales()
        StripeCursor.objects.all().delete()
        Checkout.objects.update(due_at=F("opened_at"))
        self.post.pending, self.reconciles_nightly = [], False

    def close(self, slug: str) -> None:
        """Close the campaign as staff do, if it is over. Reconcile first."""
        campaign = Campaign.objects.get(slug=slug)
        if campaign.closed_at is not None or self.now < campaign.ends_at:
            return
        self.reconcile()
        goals = progress.measure_campaign(campaign, at=self.now)
        progress.close_campaign(campaign.pk, by="staff", seen=progress.fingerprint(goals))
        expected = self.calculate_expected()
        people, gift_count = len(expected.people(slug, self.now)), expected.gifts(slug, self.now)
        self.closed[slug] = {
            Goal.Kind.NEW_MEMBERS: people + gift_count,
            Goal.Kind.GIFTS: gift_count,
            Goal.Kind.MONEY: expected.raised(slug, self.now),
        }

    def finish_due_work(self, *, after: timedelta = timedelta(hours=3)) -> None:
        """Wait until failed work is due again, then reconcile and sweep until nothing is due."""
        self.wait(after)
        self.reconcile()
        for _ in range(30):
            self.sweep()
            due_checkouts = Checkout.objects.filter(due_at__lte=self.now)
            if not list_due_events(at=self.now) and not due_checkouts.exists():
                return
        raise AssertionError("work is still due after 30 sweeps")
