"""Balance transactions: every movement of money, for the API and for the sandbox's own books.

A currency with an exchange rate (see `set_exchange_rates`) is paid out in another currency, as
Stripe does when the account has no bank account in the reader's currency. Each movement is
converted at the rate of its own day, so a refund may cost more or less than its charge brought in.
https://docs.stripe.com/currencies/conversions
"""

from decimal import ROUND_HALF_UP, Decimal

from newsroom.sandbox import books, clock, documents
from newsroom.sandbox.documents import Document
from newsroom.sandbox.models import BookEntry, StripeObject
from newsroom.sandbox.templatetags.amounts import decimal_places

# Invented and simple on purpose: real fees depend on card, country and contract.
CHARGE_FEE_PER_MILLE = 15
CHARGE_FEE_FIXED_MINOR = 25
DISPUTE_FEE_MINOR = 1500
DAYS_UNTIL_AVAILABLE = 2

_Kind = BookEntry.Kind
# kind -> (the API's type, its reporting category, the sign of the amount)
_ENTRY_TYPES = {
    _Kind.CHARGE: ("charge", "charge", 1),
    _Kind.REFUND: ("refund", "refund", -1),
    _Kind.REFUND_FAILURE: ("refund_failure", "refund_failure", 1),
    _Kind.DISPUTE: ("adjustment", "dispute", -1),
    _Kind.DISPUTE_REVERSAL: ("adjustment", "dispute_reversal", 1),
}


def set_exchange_rates(rates: dict[str, str]) -> None:
    """Set the rates for payouts from now on: {"uah": "eur 0.0209"} pays hryvnias out in euros."""
    for rate in rates.values():
        _, number = rate.split()
        if Decimal(number) <= 0:
            raise ValueError("An exchange rate must be above zero.")
    state = clock.load_state()
    state.rates = rates
    state.save()


def _convert(amount_minor: int, currency: str) -> tuple[int, str, Decimal | None]:
    """Return the amount and currency that the balance shows, and the exchange rate, if any."""
    rate = clock.load_state().rates.get(currency)
    if rate is None:
        return amount_minor, currency, None
    settled_currency, number = rate.split()
    shift = decimal_places(settled_currency) - decimal_places(currency)
    converted = (amount_minor * Decimal(number)).scaleb(shift)
    rounded = converted.quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return int(rounded), settled_currency, Decimal(number)


def calculate_charge_fee(amount_minor: int) -> int:
    """Return 1.5 % of the amount, rounded half up, plus 25 minor units."""
    return (amount_minor * CHARGE_FEE_PER_MILLE + 500) // 1000 + CHARGE_FEE_FIXED_MINOR


def move_money(
    kind: BookEntry.Kind,
    *,
    amount_minor: int,
    currency: str,
    source: str,
    description: str | None = None,
) -> StripeObject:
    """Create a balance transaction and its book entry.

    `amount_minor` is positive and in the reader's currency; `kind` decides the sign.
    """
    type_, category, sign = _ENTRY_TYPES[kind]
    amount_minor, currency, rate = _convert(amount_minor, currency)
    amount = sign * amount_minor
    fee_minor = {
        _Kind.CHARGE: calculate_charge_fee(amount_minor),
        _Kind.DISPUTE: DISPUTE_FEE_MINOR,
    }.get(kind, 0)
    now = clock.now()
    fees: list[Document] = []
    if fee_minor:
        fee_name = "Dispute fee" if kind == _Kind.DISPUTE else "Stripe processing fees"
        fees.append(
            {
                "amount": fee_minor,
                "application": None,
                "currency": currency,
                "description": fee_name,
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
            "exchange_rate": None if rate is None else float(rate),
            "fee": fee_minor,
            "fee_details": fees,
            "net": amount - fee_minor,
            "reporting_category": category,
            "source": source,
            "status": "pending",
            "type": type_,
        }
    )
    books.record_entry(
        kind,
        currency=currency,
        amount_minor=amount_minor,
        fee_minor=fee_minor,
        source=source,
        txn=row.stripe_id,
    )
    return row
