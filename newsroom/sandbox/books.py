"""The sandbox's own ledger, kept apart from the API's documents so that tests can compare both."""

from typing import Any

from django.db.models import Count, Sum

from newsroom.sandbox import clock
from newsroom.sandbox.models import BookEntry

Kind = BookEntry.Kind


def record_entry(
    kind: BookEntry.Kind, *, currency: str, amount_minor: int, fee_minor: int, source: str, txn: str
) -> None:
    """Add an entry. `amount_minor` is always positive; `kind` decides the sign."""
    BookEntry.objects.create(
        kind=kind,
        at=clock.now(),
        currency=currency,
        amount_minor=amount_minor,
        fee_minor=fee_minor,
        source=source,
        balance_transaction=txn,
    )


def sum_by_currency() -> dict[str, Any]:
    """Return totals and counts for each currency, in minor units."""
    totals = BookEntry.objects.values("currency", "kind").annotate(
        amount=Sum("amount_minor"), fees=Sum("fee_minor"), rows=Count("pk")
    )
    books: dict[str, Any] = {}
    for total in totals:
        book = books.setdefault(
            total["currency"],
            {
                "gross_minor": 0,
                "fees_minor": 0,
                "refunded_minor": 0,
                "disputed_minor": 0,
                "net_minor": 0,
                "counts": dict.fromkeys(Kind.values, 0),
            },
        )
        column, sign = {
            Kind.CHARGE.value: ("gross_minor", 1),
            Kind.REFUND.value: ("refunded_minor", 1),
            Kind.REFUND_FAILURE.value: ("refunded_minor", -1),
            Kind.DISPUTE.value: ("disputed_minor", 1),
            Kind.DISPUTE_REVERSAL.value: ("disputed_minor", -1),
        }[total["kind"]]
        book[column] += sign * total["amount"]
        book["fees_minor"] += total["fees"]
        book["counts"][total["kind"]] = total["rows"]
    for book in books.values():
        book["net_minor"] = (
            book["gross_minor"]
            - book["fees_minor"]
            - book["refunded_minor"]
            - book["disputed_minor"]
        )
    return books


def list_rows() -> list[dict[str, Any]]:
    rows = BookEntry.objects.order_by("pk").values(
        "kind", "at", "currency", "amount_minor", "fee_minor", "source", "balance_transaction"
    )
    return [dict(row) for row in rows]
