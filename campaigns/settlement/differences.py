"""Movements of Stripe's balance beside our rows, and the report of how the two differ."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from campaigns import stripe_api
from campaigns.models import Dispute, Payment, Refund

Row = Payment | Refund | Dispute
Source = stripe_api.Charge | stripe_api.Refund | stripe_api.Dispute
NAMED = 100  # of each group; the others are counted


class Kind(StrEnum):
    CHARGE = "charge"
    REFUND = "refund"
    REFUND_FAILURE = "failed refund"
    DISPUTE = "dispute"
    DISPUTE_REVERSAL = "dispute reversal"


_KINDS = {
    ("charge", True): Kind.CHARGE,
    ("refund", False): Kind.REFUND,
    ("refund", True): Kind.REFUND_FAILURE,
    ("dispute", False): Kind.DISPUTE,
    ("dispute", True): Kind.DISPUTE_REVERSAL,
}
# A refund or a dispute has one of these, and at most one movement that undoes it.
_TAKING = {Kind.REFUND, Kind.DISPUTE}


@dataclass(frozen=True)
class Movement:
    """A balance transaction of a charge, refund or dispute (`source`, as Stripe has it now).

    Amounts are in minor units of the payout's currency, negative where money left.
    """

    transaction_id: str
    kind: Kind
    source: Source
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    at: datetime
    # The fees of the other movements of its refund or dispute: our row has one fee for them all.
    other_fees_minor: int = 0
    is_ours: bool = True

    @property
    def source_id(self) -> str:
        return self.source.id

    @property
    def source_type(self) -> str:
        return self.source.object_type

    def as_not_ours(self) -> "Movement":
        return replace(self, is_ours=False)


def read_movement(transaction: stripe_api.BalanceTransaction) -> Movement | None:
    """Return the movement of a charge, refund or dispute; None for any other transaction.

    Stripe's lists only name the entry of a refund's failure: such a refund is fetched.
    """
    source = transaction.source
    if source is None:
        return None
    kind = _KINDS.get((source.object_type, transaction.amount_minor > 0))
    if kind is None:
        return None
    if isinstance(source, stripe_api.Refund) and source.has_unread_failure:
        source = stripe_api.fetch_refund(source.id)
    entries = () if isinstance(source, stripe_api.Charge) else source.entries
    return Movement(
        transaction.id,
        kind,
        source,
        transaction.amount_minor,
        transaction.fee_minor,
        transaction.net_minor,
        transaction.currency,
        transaction.created_at,
        other_fees_minor=sum(entry.fee_minor for entry in entries if entry.id != transaction.id),
    )


def describe_difference(movement: Movement, row: Row | None) -> str:
    """Describe how our row differs from a movement; empty if both say the same."""
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
                ("amount", row.amount_minor, source.amount_minor),
                ("currency", row.currency, source.currency),
            ]
        case Refund() | Dispute():
            name, amount_here = ("returned", row.returned_minor)
            if movement.kind in _TAKING:
                name, amount_here = "taken", row.taken_minor
            charge_id = source.id if isinstance(source, stripe_api.Charge) else source.charge_id
            pairs = [
                (name, amount_here, abs(movement.amount_minor)),
                ("fee", row.fee_minor, movement.fee_minor + movement.other_fees_minor),
                ("paid out in", row.settled_currency, movement.currency),
                ("amount", row.amount_minor, source.amount_minor),
                ("currency", row.payment.currency, source.currency),
                ("charge", row.payment.charge_id, charge_id),
            ]
    pairs.append(("status", row.status, source.status))
    differences = [
        f"{name} {here}, at Stripe {there}" for name, here, there in pairs if here != there
    ]
    if isinstance(row, Dispute) and not differences:
        moved_at = row.withdrawn_at if movement.kind in _TAKING else row.reinstated_at
        differences += [] if moved_at else [f"no time of the {movement.kind}"]
    return ", ".join(differences)


@dataclass
class Group:
    """Movements with the same outcome: their number, days (UTC) and sums by currency."""

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
    """Sums of one currency, in minor units; failed refunds and won disputes are subtracted."""

    gross_minor: int = 0
    refunded_minor: int = 0
    disputed_minor: int = 0
    fees_minor: int = 0

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.refunded_minor - self.disputed_minor - self.fees_minor

    def add(self, kind: Kind, *, minor: int, fee_minor: int = 0) -> None:
        """Add `minor` as it moved the balance: negative where money left."""
        if kind == Kind.CHARGE:
            self.gross_minor += minor
        elif kind in {Kind.REFUND, Kind.REFUND_FAILURE}:
            self.refunded_minor -= minor
        else:
            self.disputed_minor -= minor
        self.fees_minor += fee_minor


def _empty_figures() -> "defaultdict[str, Figures]":
    return defaultdict(Figures)


@dataclass
class Reconciliation:
    """The result of one run. `ours` and `theirs` are figures by the payout's currency.

    `theirs` leaves out movements that are not ours. `ours` sums up our rows alone, for the
    movements in Stripe's list.
    """

    since: datetime | None
    read_until: datetime | None = None
    movements: int = 0
    imported: Group = field(default_factory=Group)
    corrected: Group = field(default_factory=Group)
    missing_here: Group = field(default_factory=Group)
    missing_there: Group = field(default_factory=Group)
    different: Group = field(default_factory=Group)
    not_ours: Group = field(default_factory=Group)
    others: Group = field(default_factory=Group)
    ours: "defaultdict[str, Figures]" = field(default_factory=_empty_figures)
    theirs: "defaultdict[str, Figures]" = field(default_factory=_empty_figures)

    @property
    def currencies(self) -> list[str]:
        return sorted({*self.ours, *self.theirs})

    @property
    def is_equal(self) -> bool:
        """True if no row is missing or different, and every sum is equal to the minor unit."""
        groups = (self.missing_here, self.missing_there, self.different)
        return not any(group.count for group in groups) and all(
            self.ours.get(currency, Figures()) == self.theirs.get(currency, Figures())
            for currency in self.currencies
        )

    def enter(self, movement: Movement, row: Row | None) -> None:
        """Add a movement to Stripe's sums, and our row of it to ours."""
        kind, currency = movement.kind, movement.currency
        self.movements += 1
        self.theirs[currency].add(kind, minor=movement.amount_minor, fee_minor=movement.fee_minor)
        if isinstance(row, Payment):
            self._enter_payment(row)
        elif row is not None and row.taken_minor is not None:
            # The row has one fee for both movements: this one gets the rest.
            fee_minor = (row.fee_minor or 0) - movement.other_fees_minor
            self._enter_moved(kind, row, fee_minor=fee_minor)

    def enter_alone(self, kind: Kind, row: Row) -> None:
        """Add a row that Stripe doesn't have to our sums, and name it."""
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
        if minor is None or not currency:  # recorded before balance entries were
            minor = -row.amount_minor if kind in _TAKING else row.amount_minor
            currency = row.payment.currency
        self.ours[currency].add(kind, minor=minor, fee_minor=fee_minor)
        return minor, currency

    def _enter_payment(self, payment: Payment) -> tuple[int, str]:
        minor, currency = payment.settled_minor, payment.settled_currency
        if minor is None or not currency:  # Stripe has no balance entry for it yet
            minor, currency = payment.amount_minor, payment.currency
        self.ours[currency].add(Kind.CHARGE, minor=minor, fee_minor=payment.fee_minor or 0)
        return minor, currency
