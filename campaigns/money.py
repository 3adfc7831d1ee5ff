"""Money is an integer number of minor units and a currency; two currencies are never added."""

from decimal import Decimal

from babel.numbers import format_decimal, get_currency_symbol

# Stripe's own lists of currencies whose smallest unit is not a hundredth; everything else is.
# https://docs.stripe.com/currencies#zero-decimal
ZERO_DECIMAL = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split()  # noqa: SIM905
)
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})


def decimal_places(currency: str) -> int:
    """How many decimal places Stripe's minor unit of this currency stands for."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def to_major(minor: int, currency: str) -> Decimal:
    """The exact amount in major units: 6050 eur is Decimal("60.50")."""
    return Decimal(minor).scaleb(-decimal_places(currency))


def format_money(minor: int, currency: str, *, language: str = "en") -> str:
    """The amount as a reader of that language writes it; whole amounts carry no decimals."""
    amount = abs(to_major(minor, currency))
    places = 0 if amount == amount.to_integral_value() else decimal_places(currency)
    number = format_decimal(amount, "#,##0" + ("." + "0" * places if places else ""), language)
    # The sign of the currency itself: many languages' own data have the code instead.
    sign = get_currency_symbol(currency.upper(), "en")
    minus = "-" if minor < 0 else ""
    if language == "uk":
        return f"{minus}{number}\N{NO-BREAK SPACE}{sign}"
    return (
        f"{minus}{sign}\N{NO-BREAK SPACE}{number}" if sign.isalpha() else f"{minus}{sign}{number}"
    )
