"""Money is an integer number of minor units and a currency; two currencies are never added."""

from decimal import Decimal
from functools import cache

from babel import Locale
from babel.numbers import format_decimal, get_currency_symbol

# Stripe's own lists of currencies whose smallest unit is not a hundredth; everything else is,
# also ISK and UGX, which have no smaller coin but are told to Stripe as if they had.
# https://docs.stripe.com/currencies#zero-decimal
# https://docs.stripe.com/currencies#special-cases
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
    """The amount as a reader of that language writes it; whole amounts carry no decimals.

    Where the sign stands, and how digits are grouped, is the language's own. `format_currency`
    would know the decimals of cash alone, which are not Stripe's (ISK), and does not part a code
    from its number (UAH1,500).
    """
    amount = to_major(minor, currency)
    places = 0 if amount == amount.to_integral_value() else decimal_places(currency)
    pattern = _pattern(currency, language)
    return str(format_decimal(amount, pattern.replace("0.00", f"{0:.{places}f}"), language))


@cache
def _pattern(currency: str, language: str) -> str:
    """The language's own pattern of an amount with this currency's sign in it."""
    pattern = Locale.parse(language, sep="-").currency_formats["standard"].pattern
    # Its sign as a code is used only where the currency has none: € in Ukrainian, too.
    code = currency.upper()
    sign = get_currency_symbol(code, language)
    sign = get_currency_symbol(code, "en") if sign == code else sign
    apart = "\N{NO-BREAK SPACE}" if pattern.startswith("¤") and sign[-1].isalpha() else ""
    return str(pattern.replace("¤", f"'{sign}{apart}'"))
