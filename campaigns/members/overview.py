"""The account page's data: memberships, payments and gifts of a member, each with its state."""

from dataclasses import dataclass
from datetime import datetime

from django.db import models

from campaigns import memberships
from campaigns.members.amounts import can_change_amount
from campaigns.members.switches import prices_to_switch_to
from campaigns.models import Campaign, Checkout, Dispute, Gift, Member, Membership, Payment, Refund


class Standing(models.TextChoices):
    """The state of a membership as its owner sees it; the page has the texts."""

    RENEWING = "renewing"
    CANCELLING = "cancelling"
    PAST_DUE = "past_due"
    LAPSED = "lapsed"
    PAUSED = "paused"
    PENDING = "pending"
    LATER = "later"
    RUNNING = "running"
    ENDED = "ended"


# Stripe has not ended these, and may charge them again.
_CAN_BE_CHARGED = {Standing.RENEWING, Standing.PAST_DUE, Standing.LAPSED, Standing.PAUSED}
_UNPAID = (Standing.PAST_DUE, Standing.LAPSED)


@dataclass(frozen=True)
class MembershipRow:
    membership: Membership
    standing: Standing
    access: memberships.Access | None
    at: datetime

    @property
    def has_access(self) -> bool:
        return self.access is not None and self.access.covers(self.at)

    @property
    def title_id(self) -> str:
        """Return the id of its heading, which describes the buttons of each membership."""
        return f"membership-{self.membership.pk}"

    @property
    def is_open(self) -> bool:
        return self.standing is not Standing.ENDED

    @property
    def has_end(self) -> bool:
        """Return whether `ends_at` is the end of access, not the date of the next charge.

        A subscription that was cancelled while past due or paused ends on `access_until` instead.
        """
        if self.standing is Standing.CANCELLING:
            return self.access_until is None
        return self.standing in {Standing.LATER, Standing.RUNNING}

    @property
    def access_until(self) -> datetime | None:
        """Return when access ends although the subscription is open: past due or paused."""
        return self.membership.access_until if self.is_open else None

    @property
    def over_since(self) -> datetime | None:
        """Return when access ended, if it has; Stripe may have ended the subscription later."""
        return self.access.until if self.access is not None and not self.is_open else None

    @property
    def is_unpaid(self) -> bool:
        return self.standing in _UNPAID

    @property
    def next_charge_at(self) -> datetime | None:
        """Return the next charge of a renewing subscription, after the gifts that pay for it.

        Our row has that date before Stripe does.
        """
        if self.standing is not Standing.RENEWING:
            return None
        return self.membership.charge_at

    @property
    def next_minor(self) -> int | None:
        """Return the next payment: what Stripe previewed, or the price; None without a price."""
        terms = self.membership.terms_now
        if self.membership.next_due_minor is not None:
            return self.membership.next_due_minor
        return terms.amount_minor if terms else None

    @property
    def is_gifted(self) -> bool:
        return self.next_charge_at is not None and (
            self.next_charge_at == self.membership.gifted_until
        )

    @property
    def can_cancel(self) -> bool:
        return self.has_subscription and self.standing in _CAN_BE_CHARGED

    @property
    def can_switch(self) -> bool:
        """Return whether there is another price to switch to."""
        renews = self.has_subscription and self.standing is Standing.RENEWING
        return renews and prices_to_switch_to(self.membership).exists()

    @property
    def can_change_amount(self) -> bool:
        """Return whether its owner chooses what the next payments are."""
        renews = self.has_subscription and self.standing is Standing.RENEWING
        return renews and can_change_amount(self.membership)

    @property
    def can_resume(self) -> bool:
        return self.has_subscription and self.standing is Standing.CANCELLING

    @property
    def has_card(self) -> bool:
        """Return whether Stripe has a portal page with its card and invoices."""
        checkout = self.membership.checkout
        return self.has_subscription and checkout is not None and bool(checkout.customer_id)

    @property
    def has_subscription(self) -> bool:
        return bool(self.membership.subscription_id and self.membership.checkout_id)


@dataclass(frozen=True)
class PaymentRow:
    payment: Payment
    refunded_minor: int
    dispute: str  # "", "open", "lost" or "won"
    gift_count: int

    @property
    def is_paid(self) -> bool:
        return self.payment.status == Payment.Status.SUCCEEDED

    @property
    def is_refunded_whole(self) -> bool:
        return self.refunded_minor >= self.payment.amount_minor


@dataclass(frozen=True)
class Purchase:
    """Gifts that were bought together; the buyer's gift page has the details."""

    checkout: Checkout
    gifts: list[Gift]

    @property
    def claimed_count(self) -> int:
        return sum(gift.status == Gift.Status.CLAIMED for gift in self.gifts)

    @property
    def names(self) -> list[str]:
        return [gift.recipient_name for gift in self.gifts if gift.recipient_name]


@dataclass(frozen=True)
class Overview:
    memberships: list[MembershipRow]
    payments: list[PaymentRow]
    purchases: list[Purchase]
    gifts_claimed: list[Gift]
    duplicate_count: int  # subscriptions that are charged; 0 unless there are several

    @property
    def campaign(self) -> Campaign | None:
        """Return the member's newest campaign; the page shows dates in its time zone."""
        campaigns = [row.payment.campaign for row in self.payments]
        campaigns += [gift.checkout.campaign for gift in self.gifts_claimed]
        return next((campaign for campaign in campaigns if campaign is not None), None)


def load_overview(member: Member, *, at: datetime) -> Overview:
    return Overview(
        _memberships(member, at=at),
        [describe_payment(payment) for payment in payments_of(member)],
        _purchases(member),
        list(gifts_claimed_by(member)),
        memberships.with_duplicate_subscriptions(member.memberships.all()).count(),
    )


def payments_of(member: Member) -> "models.QuerySet[Payment]":
    return (
        Payment.objects.filter(member=member)
        .select_related("campaign", "member", "membership__plan", "checkout__price__plan")
        .prefetch_related("refunds", "disputes", "gifts", "campaign__copies")
        .order_by("-paid_at", "-pk")
    )


def gifts_claimed_by(member: Member) -> "models.QuerySet[Gift]":
    return (
        Gift.objects.filter(claimed_by=member)
        .select_related("checkout__campaign", "price__plan")
        .order_by("-claimed_at")
    )


def describe_payment(payment: Payment) -> PaymentRow:
    refunds = payment.refunds.all()
    succeeded = [refund for refund in refunds if refund.status == Refund.Status.SUCCEEDED]
    return PaymentRow(
        payment,
        sum(refund.amount_minor for refund in succeeded),
        _state_of([dispute.status for dispute in payment.disputes.all()]),
        len(payment.gifts.all()),
    )


def _state_of(disputes: list[str]) -> str:
    if not disputes:
        return ""
    if Dispute.LOST in disputes:
        return "lost"
    won = {"won", "warning_closed", "prevented"}
    return "won" if all(status in won for status in disputes) else "open"


def _memberships(member: Member, *, at: datetime) -> list[MembershipRow]:
    found = member.memberships.select_related(
        "plan", "price__plan", "checkout__price__plan", "checkout__campaign", "gift", "extends"
    ).prefetch_related("plan__copies")
    rows = [
        describe_membership(membership, at=at)
        for membership in found.order_by("-started_at", "-pk")
    ]
    # Unpaid memberships come first, ended ones last.
    return sorted(rows, key=lambda row: (not row.is_open, row.standing not in _UNPAID))


def describe_membership(membership: Membership, *, at: datetime) -> MembershipRow:
    access = memberships.find_access(membership)
    return MembershipRow(membership, _standing_of(membership, access, at=at), access, at)


def _standing_of(
    membership: Membership, access: memberships.Access | None, *, at: datetime
) -> Standing:
    same = {
        Membership.Status.PENDING: Standing.PENDING,
        Membership.Status.ENDED: Standing.ENDED,
    }
    if known := same.get(Membership.Status(membership.status)):
        return known
    if membership.source == Membership.Source.SUBSCRIPTION:
        if membership.is_cancelling:
            return Standing.CANCELLING
        return _standing_of_renewal(membership, access, at=at)
    if access is not None and access.is_over(at=at):
        return Standing.ENDED  # the job updates the status soon
    return Standing.LATER if membership.started_at > at else Standing.RUNNING


def _standing_of_renewal(
    membership: Membership, access: memberships.Access | None, *, at: datetime
) -> Standing:
    if membership.status == Membership.Status.PAUSED:
        return Standing.PAUSED
    if membership.status == Membership.Status.ACTIVE:
        return Standing.RENEWING
    is_over = access is not None and access.is_over(at=at)  # the job updates the status soon
    is_lapsed = is_over or membership.status == Membership.Status.LAPSED
    return Standing.LAPSED if is_lapsed else Standing.PAST_DUE


def _purchases(member: Member) -> list[Purchase]:
    by_checkout: dict[object, Purchase] = {}
    bought = member.gifts_bought.select_related("checkout__campaign").order_by(
        "-paid_at", "checkout_id", "position"
    )
    for gift in bought:
        purchase = by_checkout.setdefault(gift.checkout_id, Purchase(gift.checkout, []))
        purchase.gifts.append(gift)
    return list(by_checkout.values())
