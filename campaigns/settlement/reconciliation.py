"""Compare our rows with Stripe: every movement of its balance, and every row of ours.

A movement that is missing here or differs is settled in the same way as a webhook, then compared
again. Anything that still differs is reported, and so are our rows that Stripe's list doesn't
have, except offline payments. All times are Stripe's.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from campaigns import stripe_api
from campaigns.models import Checkout, Dispute, Payment, Refund, StripeCursor, StripeEvent
from campaigns.settlement.checkouts import settle_object
from campaigns.settlement.differences import (
    Kind,
    Movement,
    Reconciliation,
    Row,
    describe_difference,
    read_movement,
)
from campaigns.settlement.lookup import find_checkout
from campaigns.stripe_api import StripeFailed, StripeRefused, StripeUnavailable

BATCH = 500  # movements compared by one statement for each table
# Each list is read again from this long ago: a refund through the bank takes days to finish.
OVERLAP = timedelta(days=7)
_CLOCKS_DIFFER = timedelta(days=1)  # without a cursor, the first time is by our clock


def reconcile(*, since: datetime | None = None, dry_run: bool = False) -> Reconciliation:
    """Compare all movements since the cursor (or `since`), and settle those that differ.

    The cursor moves once everything is equal, unless `since` skipped movements that it has not
    passed yet. `dry_run` writes nothing. Raises StripeUnavailable or StripeFailed: rows that were
    settled before stay, and the cursor doesn't move.
    """
    usual = find_start(StripeCursor.Of.BALANCE, overlap=OVERLAP)
    start = since or usual
    report = Reconciliation(since=start)
    if start is None:
        return report
    run = _Run(report, dry_run=dry_run)
    movements = stripe_api.walk_balance_transactions(since=start)
    for batch in _in_batches(run.read_movements(movements)):
        run.compare(batch)
    for kind in Kind:
        run.find_unmatched_rows(kind, since=start)
    run.correct_older_rows(since=start)
    if report.is_equal and not dry_run and usual is not None and start <= usual:
        move_cursor(StripeCursor.Of.BALANCE, read_until=report.read_until)
    return report


def find_start(of: StripeCursor.Of, *, overlap: timedelta) -> datetime | None:
    """Return where to start reading one of Stripe's lists; None if nothing was ever sold there."""
    cursor = StripeCursor.objects.filter(of=of).first()
    if cursor is not None:
        return cursor.read_until - overlap
    times = (
        Checkout.objects.aggregate(first=Min("created_at"))["first"],
        Payment.objects.exclude(intent_id=None).aggregate(first=Min("paid_at"))["first"],
    )
    first = min((time for time in times if time is not None), default=None)
    return first - _CLOCKS_DIFFER if first is not None else None


def move_cursor(of: StripeCursor.Of, *, read_until: datetime | None) -> None:
    """Save how far a list was read; never moves back, nor at all if the list was empty."""
    if read_until is None:
        return
    StripeCursor.objects.get_or_create(of=of, defaults={"read_until": read_until})
    StripeCursor.objects.filter(of=of, read_until__lt=read_until).update(
        read_until=read_until, moved_at=timezone.now()
    )


def _in_batches(movements: Iterator[Movement]) -> Iterator[list[Movement]]:
    while batch := list(islice(movements, BATCH)):
        yield batch


class _Seen:
    """The rows that Stripe's list had, one bit for each, so that long lists fit in memory."""

    def __init__(self) -> None:
        self._bits: dict[Kind, bytearray] = {kind: bytearray() for kind in Kind}

    def note(self, kind: Kind, pk: int) -> None:
        bits, place = self._bits[kind], pk >> 3
        if place >= len(bits):
            bits.extend(bytes(place + 1024 - len(bits)))
        bits[place] |= 1 << (pk & 7)

    def has(self, kind: Kind, pk: int) -> bool:
        bits, place = self._bits[kind], pk >> 3
        return place < len(bits) and bool(bits[place] >> (pk & 7) & 1)


class _Run:
    """One run over Stripe's list, with the rows that were seen and the report."""

    def __init__(self, report: Reconciliation, *, dry_run: bool) -> None:
        self._report, self._dry_run, self._seen = report, dry_run, _Seen()

    def read_movements(
        self, transactions: Iterable[stripe_api.BalanceTransaction]
    ) -> Iterator[Movement]:
        """Yield the movements that can be ours; payouts, Stripe's own fees etc. are summed up."""
        for transaction in transactions:
            created_at = transaction.created_at
            # The newest comes first, unless two have the same second.
            self._report.read_until = max(self._report.read_until or created_at, created_at)
            movement = read_movement(transaction)
            if movement is not None:
                yield movement
            else:
                self._report.others.add(
                    transaction.type,
                    minor=transaction.amount_minor,
                    currency=transaction.currency,
                    at=created_at,
                )

    def compare(self, batch: list[Movement]) -> None:
        """Compare movements with our rows, settle those that differ, and sum up both sides."""
        rows = _find_rows(batch)
        for movement in batch:
            row = rows.get(movement.source_id)
            if describe_difference(movement, row):
                movement, row = self._import(movement, row)  # noqa: PLW2901
                if not movement.is_ours:
                    continue
            self._report.enter(movement, row)
            if row is not None:
                self._seen.note(movement.kind, row.pk)

    def _import(self, movement: Movement, known: Row | None) -> tuple[Movement, Row | None]:
        """Settle a movement that is missing here or differs; returns it and our row afterwards."""
        is_ours, problem, row = True, "", known
        if not self._dry_run:
            # Another movement of the same sale may have imported it a moment ago.
            row = _find_rows([movement]).get(movement.source_id)
        if difference := describe_difference(movement, row):
            is_ours, problem = self._settle(movement.source_type, movement.source_id)
            if not self._dry_run:
                movement, row = _read_again(movement)
                difference = describe_difference(movement, row)
        why = problem
        if not difference:
            group = self._report.corrected if known is not None else self._report.imported
            why = describe_difference(movement, known) if known is not None else ""
        elif row is not None:
            group, why = self._report.different, ", ".join(filter(None, [difference, problem]))
        elif is_ours:
            group = self._report.missing_here
        else:
            group, movement = self._report.not_ours, movement.as_not_ours()
        group.add_movement(movement, why=why)
        return movement, row

    def _settle(self, object_type: str, object_id: str) -> tuple[bool, str]:
        """Settle an object; returns whether it is ours, and the problem without personal data.

        Money for a Checkout that is lost is ours, too.
        """
        act = find_checkout if self._dry_run else settle_object
        try:
            found = act(object_type, object_id)
            is_ours = found.reason in {None, StripeEvent.Reason.LOST_CHECKOUT}
            return is_ours, str(found.reason.label) if found.reason else ""
        except (StripeUnavailable, StripeFailed):
            raise
        except StripeRefused as error:
            return True, f"Stripe refused: {error.code or error.status}"
        except Exception as error:  # one sale must not stop the others
            return True, type(error).__name__

    def find_unmatched_rows(self, kind: Kind, *, since: datetime) -> None:
        """Report our rows since then that Stripe's list didn't have."""
        last = 0
        query = _select_ours(kind, since=since)
        while rows := list(query.filter(pk__gt=last).order_by("pk")[:BATCH]):
            last = rows[-1].pk
            for row in rows:
                if not self._seen.has(kind, row.pk):
                    self._ask_stripe(kind, row)

    def _ask_stripe(self, kind: Kind, row: Row) -> None:
        """Ask Stripe for one row: it may have been written while the list was read."""
        found = [movement for movement in _ask_for(_source_of(row)) if movement.kind == kind]
        if found:
            now = _find_rows(found).get(found[0].source_id)
            if now is not None and now.pk == row.pk:
                self.compare(found)
                return
        self._report.enter_alone(kind, row)

    def correct_older_rows(self, *, since: datetime) -> None:
        """Compare older rows without amounts moved: those were not recorded at first."""
        for row in _select_without_amounts(since=since):
            source_id = _source_of(row)
            if found := [movement for movement in _ask_for(source_id) if movement.at < since]:
                self.compare(found)
            elif not self._dry_run:
                self._settle("refund" if isinstance(row, Refund) else "dispute", source_id)


def _find_rows(movements: list[Movement]) -> dict[str, Row]:
    """Return our rows by Stripe's ids; of two payments with the same charge, the older."""
    ids: dict[str, list[str]] = {"charge": [], "refund": [], "dispute": []}
    for movement in movements:
        ids[movement.source_type].append(movement.source_id)
    found: dict[str, Row] = {}
    if ids["charge"]:
        payments = Payment.objects.filter(charge_id__in=ids["charge"]).exclude(intent_id=None)
        found |= {payment.charge_id: payment for payment in payments.order_by("-pk")}
    if ids["refund"]:
        refunds = Refund.objects.select_related("payment").filter(refund_id__in=ids["refund"])
        found |= {refund.refund_id: refund for refund in refunds}
    if ids["dispute"]:
        disputes = Dispute.objects.select_related("payment").filter(dispute_id__in=ids["dispute"])
        found |= {dispute.dispute_id: dispute for dispute in disputes}
    return found


def _read_again(movement: Movement) -> tuple[Movement, Row | None]:
    """Return the movement as Stripe has it now: the page it came from may be older than our row."""
    row = _find_rows([movement]).get(movement.source_id)
    if row is not None and describe_difference(movement, row):
        for current in _ask_for(movement.source_id):
            if current.transaction_id == movement.transaction_id:
                return current, row
    return movement, row


def _ask_for(source_id: str) -> list[Movement]:
    """Return the movements of one charge, refund or dispute; none if Stripe doesn't know it."""
    if not source_id:
        return []
    try:
        listed = list(stripe_api.walk_balance_transactions(source_id=source_id))
    except StripeRefused:
        return []
    return [movement for item in listed if (movement := read_movement(item)) is not None]


def _source_of(row: Row) -> str:
    match row:
        case Payment():
            return row.charge_id
        case Refund():
            return row.refund_id
        case Dispute():
            return row.dispute_id


def _select_without_amounts(*, since: datetime) -> list[Refund | Dispute]:
    refunds = Refund.objects.filter(taken_minor=None, refunded_at__lt=since)
    disputes = Dispute.objects.filter(taken_minor=None).filter(
        Q(withdrawn_at__lt=since) | Q(withdrawn_at=None, opened_at__lt=since)
    )
    return [*refunds.order_by("pk"), *disputes.order_by("pk")]


def _select_ours(kind: Kind, *, since: datetime) -> QuerySet[Any]:
    """Select our rows that say that money moved in this way since then."""
    match kind:
        case Kind.REFUND:
            without_amounts = Q(taken_minor=None, status=Refund.Status.SUCCEEDED)
            return Refund.objects.select_related("payment").filter(
                without_amounts | Q(taken_minor__gt=0), refunded_at__gte=since
            )
        case Kind.REFUND_FAILURE:
            return Refund.objects.select_related("payment").filter(
                returned_minor__gt=0, refunded_at__gte=since
            )
        case Kind.DISPUTE:
            return Dispute.objects.select_related("payment").filter(withdrawn_at__gte=since)
        case Kind.DISPUTE_REVERSAL:
            return Dispute.objects.select_related("payment").filter(reinstated_at__gte=since)
        case _:
            return Payment.objects.filter(
                status=Payment.Status.SUCCEEDED, paid_at__gte=since
            ).exclude(intent_id=None)
