"""Balance transactions: every movement of money, in the API's documents and in the sandbox's own
books.
"""

from newsroom.sandbox import books, clock, documents
from newsroom.sandbox.documents import Document
from newsroom.sandbox.models import BookEntry, StripeObject

# Made up, and kept simple on purpose: real fees depend on card, country and contract.
CHARGE_FEE_PER_MILLE = 15
CHARGE_FEE_FIXED_MINOR = 25
DISPUTE_FEE_MINOR = 1500
DAYS_UNTIL_AVAILABLE = 2

_Kind = BookEntry.Kind
# kind -> (the API's type, its reporting category, which way the amount goes)
_SHAPES = {
    _Kind.CHARGE: ("charge", "charge", 1),
    _Kind.REFUND: ("refund", "refund", -1),
    _Kind.REFUND_FAILURE: ("refund_failure", "refund_failure", 1),
    _Kind.DISPUTE: ("adjustment", "dispute", -1),
    _Kind.DISPUTE_REVERSAL: ("adjustment", "dispute_reversal", 1),
}


def charge_fee(amount_minor: int) -> int:
    """1.5 % rounded half up, and 25 minor units."""
    return (amount_minor * CHARGE_FEE_PER_MILLE + 500) // 1000 + CHARGE_FEE_FIXED_MINOR


def move(
    kind: BookEntry.Kind,
    *,
    amount_minor: int,
    currency: str,
    source: str,
    fee_minor: int = 0,
    description: str | None = None,
) -> StripeObject:
    """`amount_minor` is above zero; the kind says which way it goes."""
    type_, category, sign = _SHAPES[kind]
    amount = sign * amount_minor
    now = clock.now()
    fees: list[Document] = []
    if fee_minor:
        words = "Dispute fee" if kind == _Kind.DISPUTE else "Stripe processing fees"
        fees.append(
            {
                "amount": fee_minor,
                "application": None,
                "currency": currency,
                "description": words,
                "type": "stripe_fee",
            }
        )
    row = documents.create(
        {
            "id": documents.make_id("balance_transaction"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": now + DAYS_UNTIL_AVAILABLE * 86400,
            "balance_type": "payments",
            "created": now,
            "currency": currency,
            "description": description,
            "exchange_rate": None,
            "fee": fee_minor,
            "fee_details": fees,
            "net": amount - fee_minor,
            "reporting_category": category,
            "source": source,
            "status": "pending",
            "type": type_,
        }
    )
    books.record(
        kind,
        currency=currency,
        amount_minor=amount_minor,
        fee_minor=fee_minor,
        source=source,
        txn=row.stripe_id,
    )
    return row
