"""Money: an integer number of minor units and a currency. Two currencies are never added."""

from decimal import Decimal
from functools import cache

from babel import Locale
from babel.numbers import format_decimal, get_currency_symbol

# Stripe's lists of currencies whose smallest unit is not a hundredth. All others use hundredths,
# even ISK and UGX, which have no smaller coin.
# https://docs.stripe.com/currencies#zero-decimal
# https://docs.stripe.com/currencies#special-cases
ZERO_DECIMAL = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split()  # noqa: SIM905
)
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})


def decimal_places(currency: str) -> int:
    """Return the number of decimal places of Stripe's minor unit of this currency."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def to_major(minor: int, currency: str) -> Decimal:
    """Return the exact amount in major units: 6050 eur is Decimal("60.50")."""
    return Decimal(minor).scaleb(-decimal_places(currency))


def format_money(minor: int, currency: str, *, language: str = "en") -> str:
    """Return the amount as it is written in that language; whole amounts have no decimals.

    The language decides where the currency sign goes and how digits are grouped. Babel's
    `format_currency` doesn't fit: it uses the decimals of cash, which differ from Stripe's (ISK),
    and puts no space between a code and its number (UAH1,500).
    """
    amount = to_major(minor, currency)
    places = 0 if amount == amount.to_integral_value() else decimal_places(currency)
    pattern = _pattern(currency, language)
    return str(format_decimal(amount, pattern.replace("0.00", f"{0:.{places}f}"), language))


@cache
def _pattern(currency: str, language: str) -> str:
    """Return the language's pattern for amounts, with this currency's sign in it."""
    pattern = Locale.parse(language, sep="-").currency_formats["standard"].pattern
    # Use the code only for currencies without a sign; use € in Ukrainian, too.
    code = currency.upper()
    sign = get_currency_symbol(code, language)
    sign = get_currency_symbol(code, "en") if sign == code else sign
    space = "\N{NO-BREAK SPACE}" if pattern.startswith("¤") and sign[-1].isalpha() else ""
    return str(pattern.replace("¤", f"'{sign}{space}'"))
