"""Movements of Stripe's balance, our rows beside them, and what is to be told of both."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from campaigns import stripe_api
from campaigns.models import Dispute, Payment, Refund
from campaigns.stripe_api import Json

Row = Payment | Refund | Dispute
NAMED = 100  # of each group; the others are counted
_TAKEN_BACK = {Refund.Status.FAILED, Refund.Status.CANCELED}


class Kind(StrEnum):
    CHARGE = "charge"
    REFUND = "refund"
    REFUND_FAILURE = "failed refund"
    DISPUTE = "dispute"
    DISPUTE_REVERSAL = "dispute given back"


_KINDS = {
    ("charge", True): Kind.CHARGE,
    ("refund", False): Kind.REFUND,
    ("refund", True): Kind.REFUND_FAILURE,
    ("dispute", False): Kind.DISPUTE,
    ("dispute", True): Kind.DISPUTE_REVERSAL,
}


@dataclass(frozen=True)
class Movement:
    """A balance transaction of a charge, refund or dispute (`source`, as Stripe shows it now).

    Amounts are in minor units of the payout's currency, below zero where money left.
    """

    transaction_id: str
    kind: Kind
    source: Json
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    at: datetime
    is_foreign: bool = False

    @property
    def source_id(self) -> str:
        return str(self.source["id"])

    @property
    def is_converted(self) -> bool:
        """Whether it is paid out in another currency than the reader's."""
        return bool(self.currency != self.source["currency"])

    @property
    def names_a_checkout(self) -> bool:
        """Whether it bears our mark, even if we have no such Checkout (any more)."""
        return bool((self.source.get("metadata") or {}).get("checkout"))

    def as_foreign(self) -> "Movement":
        return replace(self, is_foreign=True)


def read_movement(transaction: Json) -> Movement | None:
    """A balance transaction with its source; None if it can be of none of our rows."""
    source = transaction["source"]
    if not isinstance(source, dict):
        return None
    kind = _KINDS.get((source["object"], transaction["amount"] > 0))
    if kind is None:
        return None
    return Movement(
        transaction["id"],
        kind,
        source,
        transaction["amount"],
        transaction["fee"],
        transaction["net"],
        transaction["currency"],
        stripe_api.moment(transaction["created"]),
    )


def tell_difference(movement: Movement, row: Row | None) -> str:
    """In what our row differs, ours first; empty if it is what Stripe says."""
    source = movement.source
    match row:
        case None:
            return "not here"
        case Payment():
            pairs: list[tuple[str, object, object]] = [
                ("paid out", row.settled_minor, movement.amount_minor),
                ("fee", row.fee_minor, movement.fee_minor),
                ("net", row.net_minor, movement.net_minor),
                ("paid out in", row.settled_currency, movement.currency),
                ("amount", row.amount_minor, source["amount"]),
                ("currency", row.currency, source["currency"]),
            ]
        case Refund() | Dispute():
            pairs = [
                ("amount", row.amount_minor, source["amount"]),
                ("currency", row.payment.currency, source["currency"]),
                ("charge", row.payment.charge_id, source["charge"]),
            ]
    pairs.append(("status", row.status, source["status"]))
    told = [f"{name} {ours}, at Stripe {theirs}" for name, ours, theirs in pairs if ours != theirs]
    if not told and not _says_it_moved(movement.kind, row):
        told.append(f"no {movement.kind} noted")
    return ", ".join(told)


def _says_it_moved(kind: Kind, row: Row) -> bool:
    if isinstance(row, Dispute):
        moved = row.withdrawn_at if kind == Kind.DISPUTE else row.reinstated_at
        return moved is not None
    return kind != Kind.REFUND_FAILURE or row.status in _TAKEN_BACK


@dataclass
class Group:
    """Movements of one fate: how many, on which days (UTC), how much of each currency."""

    count: int = 0
    sums: Counter[str] = field(default_factory=Counter)
    days: Counter[date] = field(default_factory=Counter)
    named: list[str] = field(default_factory=list)

    def add(self, name: str, *, minor: int, currency: str, at: datetime) -> None:
        self.count += 1
        self.sums[currency] += minor
        self.days[at.date()] += 1
        if len(self.named) < NAMED:
            self.named.append(f"{name}  {minor} {currency}  {at:%Y-%m-%d %H:%M}")

    def add_movement(self, movement: Movement, *, why: str = "") -> None:
        name = f"{movement.kind} {movement.source_id}" + (f" ({why})" if why else "")
        self.add(name, minor=movement.amount_minor, currency=movement.currency, at=movement.at)


@dataclass
class Figures:
    """Sums of one currency, in minor units; a refund that failed and a dispute won count back."""

    gross_minor: int = 0
    refunded_minor: int = 0
    disputed_minor: int = 0
    fees_minor: int = 0

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.refunded_minor - self.disputed_minor - self.fees_minor

    def add(self, kind: Kind, *, minor: int, fee_minor: int = 0) -> None:
        """`minor` as it moved the balance: below zero where money left."""
        if kind == Kind.CHARGE:
            self.gross_minor += minor
        elif kind in {Kind.REFUND, Kind.REFUND_FAILURE}:
            self.refunded_minor -= minor
        else:
            self.disputed_minor -= minor
        self.fees_minor += fee_minor


def _no_books() -> "defaultdict[str, Figures]":
    return defaultdict(Figures)


@dataclass
class Reconciliation:
    """What was found; `theirs` leaves out what is foreign. Both by the payout's currency.

    The fee of a dispute stands in no row of ours: for a dispute that we have it is Stripe's word
    on both sides, and so is a converted refund's or dispute's amount once its row agrees.
    """

    since: datetime | None
    read_until: datetime | None = None
    movements: int = 0
    brought_in: Group = field(default_factory=Group)
    mended: Group = field(default_factory=Group)
    missing_here: Group = field(default_factory=Group)
    missing_there: Group = field(default_factory=Group)
    different: Group = field(default_factory=Group)
    foreign: Group = field(default_factory=Group)
    others: Group = field(default_factory=Group)
    ours: "defaultdict[str, Figures]" = field(default_factory=_no_books)
    theirs: "defaultdict[str, Figures]" = field(default_factory=_no_books)

    @property
    def currencies(self) -> list[str]:
        return sorted({*self.ours, *self.theirs})

    @property
    def is_equal(self) -> bool:
        """Whether nothing is missing or different, and every sum is the same to the minor unit."""
        drift = (self.missing_here, self.missing_there, self.different)
        return not any(group.count for group in drift) and all(
            self.ours.get(each, Figures()) == self.theirs.get(each, Figures())
            for each in self.currencies
        )

    def enter(self, movement: Movement, row: Row | None) -> None:
        """Add a movement to Stripe's sums, and what our row says of it to ours."""
        kind, currency = movement.kind, movement.currency
        self.movements += 1
        self.theirs[currency].add(kind, minor=movement.amount_minor, fee_minor=movement.fee_minor)
        if isinstance(row, Payment):
            self._enter_payment(row)
        elif row is not None and _says_it_moved(kind, row):
            self.ours[currency].add(kind, minor=0, fee_minor=movement.fee_minor)
            if not movement.is_converted:
                minor = row.amount_minor if movement.amount_minor > 0 else -row.amount_minor
                self.ours[row.payment.currency].add(kind, minor=minor)
            elif not tell_difference(movement, row):
                self.ours[currency].add(kind, minor=movement.amount_minor)

    def enter_alone(self, kind: Kind, row: Row) -> None:
        """Add to our sums, and name, what Stripe does not have."""
        if isinstance(row, Payment):
            minor, currency = self._enter_payment(row)
            name, at = row.charge_id or row.intent_id or "", row.paid_at
        else:
            is_given_back = kind == Kind.DISPUTE_REVERSAL
            minor = row.amount_minor if is_given_back else -row.amount_minor
            currency = row.payment.currency
            self.ours[currency].add(kind, minor=minor)
            if isinstance(row, Refund):
                name, at = row.refund_id, row.refunded_at
            else:
                moved_at = row.reinstated_at if is_given_back else row.withdrawn_at
                name, at = row.dispute_id, moved_at or row.opened_at
        self.missing_there.add(f"{kind} {name}", minor=minor, currency=currency, at=at)

    def _enter_payment(self, payment: Payment) -> tuple[int, str]:
        minor, currency = payment.settled_minor, payment.settled_currency
        if minor is None or not currency:  # Stripe has not told yet what it pays out
            minor, currency = payment.amount_minor, payment.currency
        self.ours[currency].add(Kind.CHARGE, minor=minor, fee_minor=payment.fee_minor or 0)
        return minor, currency
