"""Our figures held against Stripe's: every movement of its balance, and every row of ours.

A movement that is missing here, or that differs, is settled over the same road as a webhook, and
looked at again. What then still differs is drift, and named. Rows of ours that Stripe's list does
not have are drift, too; payments taken offline are ours alone. All times are Stripe's.
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

BATCH = 500  # movements held against our rows by one statement a table
# So far back a list is read again: a refund by way of the bank takes days to end.
OVERLAP = timedelta(days=7)
_CLOCKS_DIFFER = timedelta(days=1)  # where no cursor stands, the first time is by our clock


def reconcile(*, since: datetime | None = None, dry_run: bool = False) -> Reconciliation:
    """Hold all movements since the cursor (or `since`) against our rows, and settle what differs.

    The cursor moves once everything is equal, unless `since` left out what it has not passed yet.
    `dry_run` writes nothing. Raises StripeUnavailable or StripeFailed: what was settled until then
    stays, and the cursor stands where it stood.
    """
    usual = find_start(StripeCursor.Of.BALANCE, overlap=OVERLAP)
    start = since or usual
    report = Reconciliation(since=start)
    if start is None:
        return report
    run = _Run(report, dry_run=dry_run)
    movements = stripe_api.walk_balance_transactions(since=start)
    for batch in _in_batches(run.read_movements(movements)):
        run.hold(batch)
    for kind in Kind:
        run.find_our_rows(kind, since=start)
    run.mend_older(since=start)
    if report.is_equal and not dry_run and usual is not None and start <= usual:
        move_cursor(StripeCursor.Of.BALANCE, read_until=report.read_until)
    return report


def find_start(of: StripeCursor.Of, *, overlap: timedelta) -> datetime | None:
    """From when on to read a list of Stripe's; None if nothing was ever sold through Stripe."""
    cursor = StripeCursor.objects.filter(of=of).first()
    if cursor is not None:
        return cursor.read_until - overlap
    times = (
        Checkout.objects.aggregate(first=Min("created_at"))["first"],
        Payment.objects.exclude(intent_id=None).aggregate(first=Min("paid_at"))["first"],
    )
    first = min((each for each in times if each is not None), default=None)
    return first - _CLOCKS_DIFFER if first is not None else None


def move_cursor(of: StripeCursor.Of, *, read_until: datetime | None) -> None:
    """Note how far a list was read; never back, and not at all if nothing was in it."""
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
    """Which rows Stripe's list had, in one bit each: a list of any length fits."""

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
    """One reading of Stripe's list, with what was seen and what is to be told of it."""

    def __init__(self, report: Reconciliation, *, dry_run: bool) -> None:
        self._report, self._dry_run, self._seen = report, dry_run, _Seen()

    def read_movements(self, transactions: Iterable[dict[str, Any]]) -> Iterator[Movement]:
        """Those that can be ours; payouts, Stripe's own fees and the like are only summed up."""
        for transaction in transactions:
            created = stripe_api.moment(transaction["created"])
            # The newest comes first, unless two are of one second.
            self._report.read_until = max(self._report.read_until or created, created)
            movement = read_movement(transaction)
            if movement is not None:
                yield movement
            else:
                self._report.others.add(
                    transaction["type"],
                    minor=transaction["amount"],
                    currency=transaction["currency"],
                    at=created,
                )

    def hold(self, batch: list[Movement]) -> None:
        """Hold movements against our rows, settle those that differ, and sum up both sides."""
        rows = _find_rows(batch)
        for movement in batch:
            row = rows.get(movement.source_id)
            if describe_difference(movement, row):
                movement, row = self._bring_in(movement, row)  # noqa: PLW2901
                if movement.is_foreign:
                    continue
            self._report.enter(movement, row)
            if row is not None:
                self._seen.note(movement.kind, row.pk)

    def _bring_in(self, movement: Movement, known: Row | None) -> tuple[Movement, Row | None]:
        """Settle what is missing here or differs; the movement and our row as they then stand."""
        is_ours, problem, row = True, "", known
        if not self._dry_run:
            # Another movement of the same sale may have brought it in a moment ago.
            row = _find_rows([movement]).get(movement.source_id)
        if difference := describe_difference(movement, row):
            is_ours, problem = self._settle(movement.source["object"], movement.source_id)
            if not self._dry_run:
                movement, row = _read_again(movement)
                difference = describe_difference(movement, row)
        why = problem
        if not difference:
            group = self._report.mended if known is not None else self._report.brought_in
            why = describe_difference(movement, known) if known is not None else ""
        elif row is not None:
            group, why = self._report.different, ", ".join(filter(None, [difference, problem]))
        elif is_ours:
            group = self._report.missing_here
        else:
            group, movement = self._report.foreign, movement.as_foreign()
        group.add_movement(movement, why=why)
        return movement, row

    def _settle(self, object_type: str, object_id: str) -> tuple[bool, str]:
        """Whether a Checkout of ours is behind it, and what went wrong, without a person's data.

        Money for a Checkout that is lost is ours, too.
        """
        act = find_checkout if self._dry_run else settle_object
        try:
            found = act(object_type, object_id)
            is_ours = found.reason in {None, StripeEvent.Reason.NAMES_A_LOST_ONE}
            return is_ours, str(found.reason.label) if found.reason else ""
        except (StripeUnavailable, StripeFailed):
            raise
        except StripeRefused as error:
            return True, f"Stripe refused: {error.code or error.status}"
        except Exception as error:  # whatever it is, one sale holds up no other
            return True, type(error).__name__

    def find_our_rows(self, kind: Kind, *, since: datetime) -> None:
        """Name the rows of ours of that time that Stripe's list did not have."""
        last = 0
        query = _select_ours(kind, since=since)
        while rows := list(query.filter(pk__gt=last).order_by("pk")[:BATCH]):
            last = rows[-1].pk
            for row in rows:
                if not self._seen.has(kind, row.pk):
                    self._look_there(kind, row)

    def _look_there(self, kind: Kind, row: Row) -> None:
        """It may have come while the list was read: Stripe is asked for this one."""
        found = [each for each in _ask_for(_source_of(row)) if each.kind == kind]
        if found:
            now = _find_rows(found).get(found[0].source_id)
            if now is not None and now.pk == row.pk:
                self.hold(found)
                return
        self._report.enter_alone(kind, row)

    def mend_older(self, *, since: datetime) -> None:
        """Hold the older rows that do not say what they moved: it was not kept before."""
        for row in _select_untold(since=since):
            source_id = _source_of(row)
            if found := [each for each in _ask_for(source_id) if each.at < since]:
                self.hold(found)
            elif not self._dry_run:
                self._settle("refund" if isinstance(row, Refund) else "dispute", source_id)


def _find_rows(movements: list[Movement]) -> dict[str, Row]:
    """Our rows by Stripe's ids; one statement a table. Of two with one id the older is taken."""
    ids: dict[str, list[str]] = {"charge": [], "refund": [], "dispute": []}
    for movement in movements:
        ids[movement.source["object"]].append(movement.source_id)
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
    """The same movement as Stripe tells it now, for the page with it may be older than our row."""
    row = _find_rows([movement]).get(movement.source_id)
    if row is not None and describe_difference(movement, row):
        for each in _ask_for(movement.source_id):
            if each.transaction_id == movement.transaction_id:
                return each, row
    return movement, row


def _ask_for(source_id: str) -> list[Movement]:
    """The movements of one charge, refund or dispute; none if Stripe does not know it."""
    if not source_id:
        return []
    try:
        listed = list(stripe_api.walk_balance_transactions(source_id=source_id))
    except StripeRefused:
        return []
    return [movement for each in listed if (movement := read_movement(each)) is not None]


def _source_of(row: Row) -> str:
    match row:
        case Payment():
            return row.charge_id
        case Refund():
            return row.refund_id
        case Dispute():
            return row.dispute_id


def _select_untold(*, since: datetime) -> list[Refund | Dispute]:
    refunds = Refund.objects.filter(taken_minor=None, refunded_at__lt=since)
    disputes = Dispute.objects.filter(taken_minor=None).filter(
        Q(withdrawn_at__lt=since) | Q(withdrawn_at=None, opened_at__lt=since)
    )
    return [*refunds.order_by("pk"), *disputes.order_by("pk")]


def _select_ours(kind: Kind, *, since: datetime) -> QuerySet[Any]:
    """The rows that say that money moved in this way since then."""
    match kind:
        case Kind.REFUND:
            untold = Q(taken_minor=None, status=Refund.Status.SUCCEEDED)
            return Refund.objects.select_related("payment").filter(
                untold | Q(taken_minor__gt=0), refunded_at__gte=since
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
