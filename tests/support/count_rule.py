"""The count rule of design.md in other words than the application's, over a plain list of sales.

It keeps no intervals and no rows: it is asked moment by moment, and answers from what people did.
Nothing of the application is imported here, so that the two can only agree by being right.
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

    def holds(self, moment: datetime) -> bool:
        return self.starts_at <= moment < self.ends_at


@dataclass
class RefundRecord:
    """A refund: it may take days to succeed, and may fail afterwards."""

    at: datetime
    minor: int
    succeeds_at: datetime
    fails_at: datetime | None = None
    positions: frozenset[int] = frozenset()  # of the gifts that staff named

    def is_back(self, *, known: datetime) -> bool:
        return self.succeeds_at <= known and (self.fails_at is None or self.fails_at > known)


@dataclass
class DisputeRecord:
    """A dispute of a whole payment, or of what was left of it."""

    withdrawn_at: datetime
    minor: int
    is_lost: bool = False


@dataclass
class Sale:
    """A first payment or a payment for gifts: what was paid, and what became of it."""

    slug: str
    person: str
    gifts: int  # 0: a membership
    minor: int
    currency: str
    paid_at: datetime
    answered_at: datetime  # by the bank; of a card at once
    is_good: bool
    lasts_until: datetime | None = None  # of a membership paid once
    subscription_id: str = ""
    returned: list[RefundRecord] = field(default_factory=list)
    contested: list[DisputeRecord] = field(default_factory=list)
    claimed: dict[int, tuple[str, datetime]] = field(default_factory=dict)


@dataclass(frozen=True)
class Money:
    payments: int
    gross: int
    refunded: int
    lost: int


@dataclass(frozen=True)
class InvoiceRecord:
    """What a subscription asked for; void and never tried is what came in a pause."""

    starts_at: datetime
    ends_at: datetime
    paid_at: datetime | None
    is_void: bool
    was_tried: bool


@dataclass(frozen=True)
class SubscriptionRecord:
    """When a subscription gave access, by Stripe's own word."""

    started_at: datetime
    ended_at: datetime | None
    is_paused: bool
    grace_ends_at: datetime | None  # of one that is not paid for any more
    paid_until: datetime
    grace: timedelta
    asked: tuple[InvoiceRecord, ...]  # oldest first

    def word(self, *, at: datetime) -> str:
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
        return not self._waited_for_money(moment) and not any(
            each.is_void and not each.was_tried and each.starts_at <= moment < each.ends_at
            for each in self.asked
        )

    def _waited_for_money(self, moment: datetime) -> bool:
        """Whether it was unpaid then for longer than its grace, though it was paid for later."""
        since = None
        for each in self.asked:
            if each.starts_at > moment or each.is_void:
                continue
            if each.paid_at is not None and each.paid_at <= moment:
                since = None
            elif since is None:
                since = each.starts_at
        comes_back = any(each.paid_at is not None and each.paid_at > moment for each in self.asked)
        return comes_back and since is not None and since + self.grace <= moment


def read_subscription(
    subscription: Json, oldest_first: list[Json], *, grace: timedelta
) -> SubscriptionRecord:
    """What was paid, and since when what was asked for is not."""
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
        started_at=moment_of(subscription["start_date"]),
        ended_at=moment_of(ended) if ended else None,
        is_paused=bool(subscription["pause_collection"]),
        grace_ends_at=moment_of(unpaid[0]) + grace if is_unpaid else None,
        paid_until=moment_of(paid_until),
        grace=grace,
        asked=tuple(_read_invoice(invoice) for invoice in oldest_first),
    )


def _read_invoice(invoice: Json) -> InvoiceRecord:
    lines = [line["period"] for line in invoice["lines"]["data"] if line["amount"] >= 0]
    paid_at = invoice["status_transitions"]["paid_at"] if invoice["status"] == "paid" else None
    return InvoiceRecord(
        starts_at=moment_of(max(line["start"] for line in lines)),
        ends_at=moment_of(max(line["end"] for line in lines)),
        paid_at=moment_of(paid_at) if paid_at else None,
        is_void=invoice["status"] == "void",
        was_tried=invoice["attempted"],
    )


def moment_of(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@dataclass
class ExpectedFigures:
    """Everything that happened, as known at `known`; any moment before can be asked about."""

    windows: dict[str, Window]
    sales: list[Sale]
    subscriptions: dict[str, SubscriptionRecord]
    known: datetime

    def __post_init__(self) -> None:
        self._of: defaultdict[str, list[Sale]] = defaultdict(list)  # whoever bought or redeemed
        for sale in self.sales:
            for person in {sale.person, *(claimed_by for claimed_by, _ in sale.claimed.values())}:
                self._of[person].append(sale)

    def people(self, slug: str, at: datetime) -> set[str]:
        buyers = {sale.person for sale in self._in_window(slug) if not sale.gifts}
        return {person for person in buyers if self._counts(person, slug, at)}

    def gifts(self, slug: str, at: datetime) -> int:
        return sum(
            self._gift_counts(sale, position, at)
            for sale in self._in_window(slug)
            for position in range(sale.gifts)
        )

    def money(self, slug: str, at: datetime) -> dict[str, Money]:
        """By currency; two are never added. Nothing comes back twice."""
        sums: dict[str, Counter[str]] = {}
        for sale in self._in_window(slug):
            if sale.paid_at > at:
                continue
            book = sums.setdefault(sale.currency, Counter())
            refunded = sum(each.minor for each in self._back(sale, at))
            lost = sum(each.minor for each in self._lost(sale, at))
            book["payments"] += 1
            book["gross"] += sale.minor
            book["refunded"] += refunded
            book["lost"] += min(lost, sale.minor - refunded)
        return {
            currency: Money(book["payments"], book["gross"], book["refunded"], book["lost"])
            for currency, book in sums.items()
        }

    def raised(self, slug: str, at: datetime) -> int:
        own = self.money(slug, at).get(self.windows[slug].currency)
        return own.gross - own.refunded - own.lost if own else 0

    def _succeeded(self, person: str = "") -> Iterator[Sale]:
        for sale in self._of[person] if person else self.sales:
            if sale.is_good and sale.answered_at <= self.known:
                yield sale

    def _in_window(self, slug: str, person: str = "") -> list[Sale]:
        window = self.windows[slug]
        return [s for s in self._succeeded(person) if s.slug == slug and window.holds(s.paid_at)]

    def _back(self, sale: Sale, at: datetime) -> list[RefundRecord]:
        return [each for each in sale.returned if each.at <= at and each.is_back(known=self.known)]

    def _lost(self, sale: Sale, at: datetime) -> list[DisputeRecord]:
        return [each for each in sale.contested if each.withdrawn_at <= at and each.is_lost]

    def _stands(self, sale: Sale, at: datetime) -> bool:
        is_whole_back = sum(each.minor for each in self._back(sale, at)) >= sale.minor
        return sale.paid_at <= at and not is_whole_back and not self._lost(sale, at)

    def _gift_counts(self, sale: Sale, position: int, at: datetime) -> bool:
        named = any(position in each.positions for each in self._back(sale, at))
        return self._stands(sale, at) and not named

    def _counts(self, person: str, slug: str, at: datetime) -> bool:
        bought = [each for each in self._in_window(slug, person) if each.person == person]
        return (
            any(self._stands(sale, at) for sale in bought if not sale.gifts)
            and not self._was_member(person, self.windows[slug].starts_at)
            and not self._redeemed_one_that_counts(person, slug, at)
        )

    def _redeemed_one_that_counts(self, person: str, slug: str, at: datetime) -> bool:
        return any(
            claimed_by == person and claimed_at <= at and self._gift_counts(sale, position, at)
            for sale in self._in_window(slug, person)
            for position, (claimed_by, claimed_at) in sale.claimed.items()
        )

    def _was_member(self, person: str, moment: datetime) -> bool:
        """Whether the person came to that moment with an active membership."""
        for sale in self._succeeded(person):
            for claimed_by, claimed_at in sale.claimed.values():
                ends_at = a_year_after(claimed_at, self.windows[sale.slug].zone)
                if claimed_by == person and claimed_at < moment < ends_at:
                    return True
            if sale.person != person or sale.gifts or sale.paid_at >= moment:
                continue
            if sale.lasts_until is not None:
                if self._stands(sale, moment) and sale.lasts_until > moment:
                    return True
                continue
            if self.subscriptions[sale.subscription_id].gave_access(moment):
                return True
        return False


def a_year_after(moment: datetime, zone: str) -> datetime:
    """The same day and hour there, or the last day of that February."""
    there = moment.astimezone(ZoneInfo(zone))
    is_leap_day = (there.month, there.day) == (2, 29)
    return there.replace(year=there.year + 1, day=28 if is_leap_day else there.day)
