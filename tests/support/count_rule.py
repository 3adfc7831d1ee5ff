"""A second implementation of the count rule, for comparison with the application's.

It calculates each figure from a plain list of sales, without intervals or database rows. It imports
nothing from the application, so the two share no mistakes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Json = dict[str, Any]


@dataclass(frozen=True)
class Window:
    slug: str
    zone: str
    currency: str
    starts_at: datetime
    ends_at: datetime

    def contains(self, moment: datetime) -> bool:
        return self.starts_at <= moment < self.ends_at


@dataclass
class RefundRecord:
    """A refund. It may take days to succeed, and may fail afterwards."""

    at: datetime
    minor: int
    succeeds_at: datetime
    fails_at: datetime | None = None
    positions: frozenset[int] = frozenset()  # of the gifts that staff chose

    def has_succeeded(self, *, at: datetime) -> bool:
        return self.succeeds_at <= at and (self.fails_at is None or self.fails_at > at)


@dataclass
class DisputeRecord:
    """A dispute of a payment, or of the part that wasn't refunded."""

    withdrawn_at: datetime
    minor: int
    is_lost: bool = False


@dataclass
class Sale:
    """A first payment or a payment for gifts, with its refunds, disputes and claims."""

    slug: str
    person: str
    gifts: int  # 0 for a membership
    minor: int
    currency: str
    paid_at: datetime
    answered_at: datetime  # by the bank; at once for a card
    succeeds: bool
    lasts_until: datetime | None = None  # for a one-off membership
    subscription_id: str = ""
    refunds: list[RefundRecord] = field(default_factory=list)
    disputes: list[DisputeRecord] = field(default_factory=list)
    claims: dict[int, tuple[str, datetime]] = field(default_factory=dict)  # by position


@dataclass(frozen=True)
class Money:
    payments: int
    gross: int
    refunded: int
    lost: int


@dataclass(frozen=True)
class InvoiceRecord:
    """An invoice of a subscription. During a pause it is voided without an attempt to charge."""

    starts_at: datetime
    ends_at: datetime
    paid_at: datetime | None
    is_void: bool
    was_tried: bool


@dataclass(frozen=True)
class SubscriptionRecord:
    """A subscription as Stripe shows it, and when it gave access."""

    started_at: datetime
    ended_at: datetime | None
    is_paused: bool
    grace_ends_at: datetime | None  # None if every invoice is paid
    paid_until: datetime
    grace: timedelta
    invoices: tuple[InvoiceRecord, ...]  # oldest first

    def status(self, *, at: datetime) -> str:
        if self.ended_at is not None:
            return "ended"
        if self.is_paused:
            return "paused"
        if self.grace_ends_at is None:
            return "active"
        return "past_due" if at < self.grace_ends_at else "lapsed"

    def gave_access(self, moment: datetime) -> bool:
        ends = [self.ended_at, self.paid_until if self.is_paused else self.grace_ends_at]
        if moment <= self.started_at or any(end is not None and moment >= end for end in ends):
            return False
        return not self._had_lapsed(moment) and not any(
            invoice.is_void
            and not invoice.was_tried
            and invoice.starts_at <= moment < invoice.ends_at
            for invoice in self.invoices
        )

    def _had_lapsed(self, moment: datetime) -> bool:
        """Return whether the grace period was over at `moment`, before a later payment."""
        unpaid_since = None
        for invoice in self.invoices:
            if invoice.starts_at > moment or invoice.is_void:
                continue
            if invoice.paid_at is not None and invoice.paid_at <= moment:
                unpaid_since = None
            elif unpaid_since is None:
                unpaid_since = invoice.starts_at
        was_paid_later = any(
            invoice.paid_at is not None and invoice.paid_at > moment for invoice in self.invoices
        )
        return was_paid_later and unpaid_since is not None and unpaid_since + self.grace <= moment


def read_subscription(
    subscription: Json, oldest_first: list[Json], *, grace: timedelta
) -> SubscriptionRecord:
    """Return the record of a subscription and its invoices, as Stripe's API shows them."""
    paid_until: int = subscription["start_date"]
    unpaid: list[int] = []
    for invoice in oldest_first:
        lines = [line["period"] for line in invoice["lines"]["data"] if line["amount"] >= 0]
        if invoice["status"] == "paid":
            paid_until, unpaid = max([line["end"] for line in lines], default=paid_until), []
        elif invoice["status"] == "open":
            unpaid.append(max(line["start"] for line in lines))
    is_unpaid = unpaid and subscription["status"] != "active"
    ended = subscription["ended_at"]
    return SubscriptionRecord(
        started_at=from_timestamp(subscription["start_date"]),
        ended_at=from_timestamp(ended) if ended else None,
        is_paused=bool(subscription["pause_collection"]),
        grace_ends_at=from_timestamp(unpaid[0]) + grace if is_unpaid else None,
        paid_until=from_timestamp(paid_until),
        grace=grace,
        invoices=tuple(_read_invoice(invoice) for invoice in oldest_first),
    )


def _read_invoice(invoice: Json) -> InvoiceRecord:
    lines = [line["period"] for line in invoice["lines"]["data"] if line["amount"] >= 0]
    paid_at = invoice["status_transitions"]["paid_at"] if invoice["status"] == "paid" else None
    return InvoiceRecord(
        starts_at=from_timestamp(max(line["start"] for line in lines)),
        ends_at=from_timestamp(max(line["end"] for line in lines)),
        paid_at=from_timestamp(paid_at) if paid_at else None,
        is_void=invoice["status"] == "void",
        was_tried=invoice["attempted"],
    )


def from_timestamp(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@dataclass
class ExpectedFigures:
    """The figures of each campaign at any moment, by what is known at `known_at`."""

    windows: dict[str, Window]
    sales: list[Sale]
    subscriptions: dict[str, SubscriptionRecord]
    known_at: datetime

    def __post_init__(self) -> None:
        # The sales of each person who bought or claimed.
        self._sales_of: defaultdict[str, list[Sale]] = defaultdict(list)
        for sale in self.sales:
            for person in {sale.person, *(claimed_by for claimed_by, _ in sale.claims.values())}:
                self._sales_of[person].append(sale)

    def people(self, slug: str, at: datetime) -> set[str]:
        buyers = {sale.person for sale in self._in_window(slug) if not sale.gifts}
        return {person for person in buyers if self._person_counts(person, slug, at)}

    def gifts(self, slug: str, at: datetime) -> int:
        return sum(
            self._gift_counts(sale, position, at)
            for sale in self._in_window(slug)
            for position in range(sale.gifts)
        )

    def money(self, slug: str, at: datetime) -> dict[str, Money]:
        """Return the sums by currency.

        The refunded part of a payment is not added to its lost disputes again.
        """
        sums: dict[str, Counter[str]] = {}
        for sale in self._in_window(slug):
            if sale.paid_at > at:
                continue
            total = sums.setdefault(sale.currency, Counter())
            refunded = sum(refund.minor for refund in self._refunds(sale, at))
            lost = sum(dispute.minor for dispute in self._lost_disputes(sale, at))
            total["payments"] += 1
            total["gross"] += sale.minor
            total["refunded"] += refunded
            total["lost"] += min(lost, sale.minor - refunded)
        return {
            currency: Money(total["payments"], total["gross"], total["refunded"], total["lost"])
            for currency, total in sums.items()
        }

    def raised(self, slug: str, at: datetime) -> int:
        money = self.money(slug, at).get(self.windows[slug].currency)
        return money.gross - money.refunded - money.lost if money else 0

    def _succeeded(self, person: str = "") -> Iterator[Sale]:
        for sale in self._sales_of[person] if person else self.sales:
            if sale.succeeds and sale.answered_at <= self.known_at:
                yield sale

    def _in_window(self, slug: str, person: str = "") -> list[Sale]:
        window = self.windows[slug]
        return [s for s in self._succeeded(person) if s.slug == slug and window.contains(s.paid_at)]

    def _refunds(self, sale: Sale, at: datetime) -> list[RefundRecord]:
        return [
            refund
            for refund in sale.refunds
            if refund.at <= at and refund.has_succeeded(at=self.known_at)
        ]

    def _lost_disputes(self, sale: Sale, at: datetime) -> list[DisputeRecord]:
        return [
            dispute for dispute in sale.disputes if dispute.withdrawn_at <= at and dispute.is_lost
        ]

    def _is_valid(self, sale: Sale, at: datetime) -> bool:
        refunded = sum(refund.minor for refund in self._refunds(sale, at))
        return sale.paid_at <= at and refunded < sale.minor and not self._lost_disputes(sale, at)

    def _gift_counts(self, sale: Sale, position: int, at: datetime) -> bool:
        is_refunded = any(position in refund.positions for refund in self._refunds(sale, at))
        return self._is_valid(sale, at) and not is_refunded

    def _person_counts(self, person: str, slug: str, at: datetime) -> bool:
        bought = [sale for sale in self._in_window(slug, person) if sale.person == person]
        return (
            any(self._is_valid(sale, at) for sale in bought if not sale.gifts)
            and not self._was_member(person, self.windows[slug].starts_at)
            and not self._has_claimed_counted_gift(person, slug, at)
        )

    def _has_claimed_counted_gift(self, person: str, slug: str, at: datetime) -> bool:
        return any(
            claimed_by == person and claimed_at <= at and self._gift_counts(sale, position, at)
            for sale in self._in_window(slug, person)
            for position, (claimed_by, claimed_at) in sale.claims.items()
        )

    def _was_member(self, person: str, moment: datetime) -> bool:
        """Return whether the person's membership began before `moment` and was active then."""
        for sale in self._succeeded(person):
            for claimed_by, claimed_at in sale.claims.values():
                ends_at = add_year(claimed_at, self.windows[sale.slug].zone)
                if claimed_by == person and claimed_at < moment < ends_at:
                    return True
            if sale.person != person or sale.gifts or sale.paid_at >= moment:
                continue
            if sale.lasts_until is not None:
                if self._is_valid(sale, moment) and sale.lasts_until > moment:
                    return True
                continue
            if self.subscriptions[sale.subscription_id].gave_access(moment):
                return True
        return False


def add_year(moment: datetime, zone: str) -> datetime:
    """Return the same day and hour in `zone` a year later; 28 February for 29 February."""
    local = moment.astimezone(ZoneInfo(zone))
    is_leap_day = (local.month, local.day) == (2, 29)
    return local.replace(year=local.year + 1, day=28 if is_leap_day else local.day)
