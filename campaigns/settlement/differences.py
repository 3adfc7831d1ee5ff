"""Movements of Stripe's balance, our rows beside them, and what is to be told of both."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from campaigns import stripe_api
from campaigns.models import Dispute, Payment, Refund
from campaigns.payments import balance_entries
from campaigns.stripe_api import Json

Row = Payment | Refund | Dispute
NAMED = 100  # of each group; the others are counted


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
# A refund or a dispute has one of these, and at most one that undoes it.
_TAKING = {Kind.REFUND, Kind.DISPUTE}


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
    # The fee of what else its refund or dispute moved, for our row has one fee for all of it.
    other_fees_minor: int = 0
    is_foreign: bool = False

    @property
    def source_id(self) -> str:
        return str(self.source["id"])

    def as_foreign(self) -> "Movement":
        return replace(self, is_foreign=True)


def read_movement(transaction: Json) -> Movement | None:
    """A balance transaction with its source; None if it can be of none of our rows.

    What a refund moved, Stripe's lists only name: of one that failed it is asked for.
    """
    source = transaction["source"]
    if not isinstance(source, dict):
        return None
    kind = _KINDS.get((source["object"], transaction["amount"] > 0))
    if kind is None:
        return None
    others = []
    if kind != Kind.CHARGE:
        if isinstance(source.get("failure_balance_transaction"), str):
            source = stripe_api.fetch_refund(source["id"])
        others = [each for each in balance_entries(source) if each["id"] != transaction["id"]]
    return Movement(
        transaction["id"],
        kind,
        source,
        transaction["amount"],
        transaction["fee"],
        transaction["net"],
        transaction["currency"],
        stripe_api.moment(transaction["created"]),
        other_fees_minor=sum(each["fee"] for each in others),
    )


def describe_difference(movement: Movement, row: Row | None) -> str:
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
            name, ours = ("given back", row.returned_minor)
            if movement.kind in _TAKING:
                name, ours = "taken", row.taken_minor
            pairs = [
                (name, ours, abs(movement.amount_minor)),
                ("fee", row.fee_minor, movement.fee_minor + movement.other_fees_minor),
                ("paid out in", row.settled_currency, movement.currency),
                ("amount", row.amount_minor, source["amount"]),
                ("currency", row.payment.currency, source["currency"]),
                ("charge", row.payment.charge_id, source["charge"]),
            ]
    pairs.append(("status", row.status, source["status"]))
    told = [f"{name} {ours}, at Stripe {theirs}" for name, ours, theirs in pairs if ours != theirs]
    if isinstance(row, Dispute) and not told:
        moved_at = row.withdrawn_at if movement.kind in _TAKING else row.reinstated_at
        told += [] if moved_at else [f"no {movement.kind} noted"]
    return ", ".join(told)


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

    `ours` is what our rows say and nothing else, of the movements that the list had.
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
        elif row is not None and row.taken_minor is not None:
            # Of a row's one fee, this movement has what its other did not cost.
            fee_minor = (row.fee_minor or 0) - movement.other_fees_minor
            self._enter_moved(kind, row, fee_minor=fee_minor)

    def enter_alone(self, kind: Kind, row: Row) -> None:
        """Add to our sums, and name, what Stripe does not have."""
        if isinstance(row, Payment):
            minor, currency = self._enter_payment(row)
            name, at = row.charge_id or row.intent_id or "", row.paid_at
        else:
            fee_minor = (row.fee_minor or 0) if kind in _TAKING else 0
            minor, currency = self._enter_moved(kind, row, fee_minor=fee_minor)
            if isinstance(row, Refund):
                name, at = row.refund_id, row.refunded_at
            else:
                moved_at = row.withdrawn_at if kind in _TAKING else row.reinstated_at
                name, at = row.dispute_id, moved_at or row.opened_at
        self.missing_there.add(f"{kind} {name}", minor=minor, currency=currency, at=at)

    def _enter_moved(self, kind: Kind, row: Refund | Dispute, *, fee_minor: int) -> tuple[int, str]:
        minor, currency = row.returned_minor, row.settled_currency
        if kind in _TAKING:
            minor = None if row.taken_minor is None else -row.taken_minor
        if minor is None or not currency:  # from before its entries were kept
            minor = -row.amount_minor if kind in _TAKING else row.amount_minor
            currency = row.payment.currency
        self.ours[currency].add(kind, minor=minor, fee_minor=fee_minor)
        return minor, currency

    def _enter_payment(self, payment: Payment) -> tuple[int, str]:
        minor, currency = payment.settled_minor, payment.settled_currency
        if minor is None or not currency:  # Stripe has not told yet what it pays out
            minor, currency = payment.amount_minor, payment.currency
        self.ours[currency].add(Kind.CHARGE, minor=minor, fee_minor=payment.fee_minor or 0)
        return minor, currency
