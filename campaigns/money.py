"""Money: an integer number of minor units and a currency. Two currencies are never added."""

import re
import unicodedata
from decimal import Decimal
from functools import cache

from babel.numbers import format_decimal, get_currency_name, get_currency_symbol

from campaigns.languages import find_locale

# Stripe's lists of currencies whose smallest unit is not a hundredth. All others use hundredths,
# even ISK and UGX, which have no smaller coin.
# https://docs.stripe.com/currencies#zero-decimal
# https://docs.stripe.com/currencies#special-cases
ZERO_DECIMAL = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split()  # noqa: SIM905
)
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
# The currencies in which Stripe takes payments.
# https://docs.stripe.com/currencies#presentment-currencies
CURRENCIES = (
    ZERO_DECIMAL
    | THREE_DECIMAL
    | frozenset(
        "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd "  # noqa: SIM905
        "cad cdf chf cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd "
        "hkd hnl htg huf idr ils inr isk jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd "
        "mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar "
        "ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah "
        "ugx usd uyu uzs wst xcd xcg yer zar zmw".split()
    )
)
# Stripe's smallest charge, in minor units. Stripe converts a currency that isn't listed to the
# payout's currency first, so its smallest charge is known only there.
# https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
_SMALLEST = {
    "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250,
    "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200,
    "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
}  # fmt: skip
# Stripe's largest charge has this many digits of the minor unit. From the same page.
_DIGITS = {"cop": 10, "huf": 10, "idr": 12, "inr": 9}
_USUAL_DIGITS = 8
# Stripe takes only multiples of this many minor units.
# https://docs.stripe.com/currencies#special-cases
_STEPS = dict.fromkeys(THREE_DECIMAL, 10) | {"isk": 100, "ugx": 100}

_GROUP = "[ \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}'\N{RIGHT SINGLE QUOTATION MARK}]"
_AMOUNTS = [
    # 60, 60.50, 5,50, 1 234,50; and with both signs: 1,234.50 and 1.234,50
    re.compile(rf"(?P<whole>[0-9]+|[0-9]{{1,3}}(?:{_GROUP}[0-9]{{3}})+)(?:[.,](?P<part>[0-9]*))?"),
    re.compile(r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+)\.(?P<part>[0-9]+)"),
    re.compile(r"(?P<whole>[0-9]{1,3}(?:\.[0-9]{3})+),(?P<part>[0-9]+)"),
]
_LONGEST = 24  # characters
# Signs that people write and that Babel has in no language of ours.
_WRITTEN = {"uah": ("грн.", "грн"), "pln": ("zł",), "czk": ("Kč",)}


class UnreadableAmount(ValueError):
    """The text is no amount."""


class AmbiguousAmount(UnreadableAmount):
    """The text could mean two amounts: 1,000 is a thousand or one."""


class TooManyDecimals(ValueError):
    """The amount is smaller than the currency's minor unit."""


def decimal_places(currency: str) -> int:
    """Return the number of decimal places of Stripe's minor unit of this currency."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def to_major(minor: int, currency: str) -> Decimal:
    """Return the exact amount in major units: 6050 eur is Decimal("60.50")."""
    return Decimal(minor).scaleb(-decimal_places(currency))


def read_amount(text: str, places: int) -> int:
    """Return a typed amount in minor units of `places` decimal places: "60.50" is 6050.

    Full-width digits, which keyboards for Chinese and Japanese type, mean the ordinary ones.
    Raises UnreadableAmount, AmbiguousAmount and TooManyDecimals.
    """
    text = _narrow(text).strip()
    matches = [pattern.fullmatch(text) for pattern in _AMOUNTS if len(text) <= _LONGEST]
    found = next(filter(None, matches), None)
    if found is None:
        raise UnreadableAmount
    part = found["part"] or ""
    if len(part) == 3 and places != 3:
        raise AmbiguousAmount
    if len(part.rstrip("0")) > places:
        raise TooManyDecimals
    return int(re.sub("[^0-9]", "", found["whole"]) + part[:places].ljust(places, "0"))


def strip_currency(text: str, currency: str, *, language: str = "en") -> str:
    """Return a typed amount without this currency's own code or sign: "€ 60" is "60"."""
    text = text.strip()
    for sign in _list_signs(currency, language):
        if text.casefold().startswith(sign):
            return text[len(sign) :].strip()
        if text.casefold().endswith(sign):
            return text[: -len(sign)].strip()
    return text


def write_amount(minor: int, places: int) -> str:
    """Return the amount as `read_amount` reads it: 6050 with two places is "60.50"."""
    return f"{Decimal(minor).scaleb(-places):.{places}f}"


def smallest_charge(currency: str) -> int:
    """Return Stripe's smallest charge in minor units."""
    return _SMALLEST.get(currency, charge_step(currency))


def largest_charge(currency: str) -> int:
    """Return Stripe's largest charge in minor units."""
    largest: int = 10 ** _DIGITS.get(currency, _USUAL_DIGITS) - 1
    return largest - largest % charge_step(currency)


def charge_step(currency: str) -> int:
    """Return the minor units of which Stripe takes only multiples; 1 in most currencies."""
    return _STEPS.get(currency, 1)


def name_currency(currency: str, *, language: str = "en") -> str:
    """Return the code and the name of a currency in that language: "EUR – Euro"."""
    code = currency.upper()
    name = get_currency_name(code, locale=find_locale(language))
    return code if name == code else f"{code} – {name}"


def format_money(minor: int, currency: str, *, language: str = "en") -> str:
    """Return the amount as it is written in that language; whole amounts have no decimals.

    The language decides where the currency sign goes and how digits are grouped. Babel's
    `format_currency` doesn't fit: it uses the decimals of cash, which differ from Stripe's (ISK),
    and puts no space between a code and its number (UAH1,500).
    """
    amount = to_major(minor, currency)
    places = 0 if amount == amount.to_integral_value() else decimal_places(currency)
    pattern = _pattern(currency, language)
    return str(
        format_decimal(amount, pattern.replace("0.00", f"{0:.{places}f}"), find_locale(language))
    )


@cache
def _pattern(currency: str, language: str) -> str:
    """Return the language's pattern for amounts, with this currency's sign in it."""
    locale = find_locale(language)
    pattern = locale.currency_formats["standard"].pattern
    # Use the code only for currencies without a sign; use € in Ukrainian, too.
    code = currency.upper()
    sign = get_currency_symbol(code, locale)
    sign = get_currency_symbol(code, "en") if sign == code else sign
    space = "\N{NO-BREAK SPACE}" if pattern.startswith("¤") and sign[-1].isalpha() else ""
    return str(pattern.replace("¤", f"'{sign}{space}'"))


@cache
def _list_signs(currency: str, language: str) -> list[str]:
    """Return the currency's code and its signs in this language and in English, longest first."""
    code = currency.upper()
    signs = {get_currency_symbol(code, find_locale(each)) for each in (language, "en")}
    known = {sign.casefold() for sign in signs | {code, *_WRITTEN.get(currency, ())}}
    return sorted(known, key=len, reverse=True)


def _narrow(text: str) -> str:
    """Return the text with ordinary characters instead of full-width ones."""
    return "".join(
        unicodedata.normalize("NFKC", letter) if "\uff01" <= letter <= "\uff5e" else letter
        for letter in text
    )
