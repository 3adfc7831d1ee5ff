import re
from decimal import Decimal
from pathlib import Path

import pytest
from babel.numbers import format_currency
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from campaigns.admin.site import staff_money
from campaigns.money import (
    CURRENCIES,
    THREE_DECIMAL,
    ZERO_DECIMAL,
    AmbiguousAmount,
    TooManyDecimals,
    UnreadableAmount,
    charge_step,
    decimal_places,
    format_money,
    largest_charge,
    name_currency,
    read_amount,
    smallest_charge,
    strip_currency,
    to_major,
    write_amount,
)

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
SAMPLED = st.sampled_from(sorted({"eur", "uah", "usd"} | ZERO_DECIMAL | THREE_DECIMAL))
AMOUNTS = st.integers(-(2**62), 2**62)


@pytest.mark.parametrize(
    ("minor", "currency", "english", "ukrainian"),
    [
        (6000, "eur", "€60", "60 €"),
        (6050, "eur", "€60.50", "60,50 €"),
        (1, "eur", "€0.01", "0,01 €"),
        (0, "eur", "€0", "0 €"),
        (123456700, "eur", "€1,234,567", "1 234 567 €"),
        (150000, "uah", "UAH 1,500", "1 500 ₴"),
        (123450, "usd", "$1,234.50", "1 234,50 $"),
        (-100, "uah", "-UAH 1", "-1 ₴"),
        # Stripe's special cases: the currency has no smaller coin, but Stripe uses hundredths.
        (500, "isk", "ISK 5", "5 ISK"),
        (500, "ugx", "UGX 5", "5 UGX"),
        (550, "huf", "HUF 5.50", "5,50 HUF"),
        (550, "twd", "NT$5.50", "5,50 NT$"),
        (6000, "jpy", "¥6,000", "6 000 ¥"),
        (1, "jpy", "¥1", "1 ¥"),
        (60500, "kwd", "KWD 60.500", "60,500 KWD"),
        (60000, "kwd", "KWD 60", "60 KWD"),
        (-6050, "eur", "-€60.50", "-60,50 €"),
    ],
)
def test_amounts_are_written_as_in_the_language(
    minor: int, currency: str, english: str, ukrainian: str
) -> None:
    assert plain(format_money(minor, currency)) == english
    assert plain(format_money(minor, currency, language="uk")) == ukrainian


def plain(text: str) -> str:
    """Return the text with ordinary spaces: the kind of no-break space doesn't matter here."""
    return text.replace("\xa0", " ").replace("\u202f", " ")


@pytest.mark.parametrize("language", ["en", "uk"])
def test_an_amount_never_breaks_across_lines(language: str) -> None:
    assert " " not in format_money(123456700, "eur", language=language)


@given(minor=AMOUNTS, currency=SAMPLED)
def test_major_units_convert_back_to_the_same_minor_units(minor: int, currency: str) -> None:
    major = to_major(minor, currency)
    assert isinstance(major, Decimal)
    assert int(major.scaleb(decimal_places(currency))) == minor


@given(minor=AMOUNTS, currency=SAMPLED)
def test_a_written_amount_contains_every_digit(minor: int, currency: str) -> None:
    written = format_money(minor, currency)
    number = "".join(sign for sign in written if sign.isdigit() or sign in ".-")
    assert Decimal(number) == to_major(minor, currency)


@pytest.mark.parametrize(
    ("currency", "places"),
    [
        *[("eur", 2), ("jpy", 0), ("kwd", 3), ("uah", 2)],
        *[("isk", 2), ("huf", 2), ("twd", 2), ("ugx", 2)],  # zero in Babel's data, or in payouts
    ],
)
def test_the_minor_unit_is_that_of_stripe(currency: str, places: int) -> None:
    assert decimal_places(currency) == places


@pytest.mark.parametrize("language", ["en", "uk"])
@pytest.mark.parametrize("currency", ["eur", "usd", "gbp", "jpy", "krw", "uah"])
def test_numbers_equal_those_of_babel_where_its_decimals_are_stripes(
    currency: str, language: str
) -> None:
    """Compare digits only: Babel may write a code where we write the currency's sign."""
    minor = 12345678
    by_babel = format_currency(to_major(minor, currency), currency.upper(), locale=language)
    digits = [
        re.sub(r"[^\d.,\s]", "", plain(text)).strip()
        for text in (by_babel, format_money(minor, currency, language=language))
    ]
    assert digits[0] == digits[1]


def test_staff_read_money_in_their_language() -> None:
    with override("uk"):
        assert plain(staff_money(123450, "eur")) == "1 234,50 €"
    with override("en"):
        assert staff_money(123450, "eur") == "€1,234.50"


def test_admin_pages_write_money_only_with_staff_money() -> None:
    """Only `staff_money` uses the language of the member of staff."""
    pages = [path for path in (ROOT / "campaigns" / "admin").glob("*.py") if path.name != "site.py"]
    assert pages
    assert [path.name for path in pages if "format_money" in path.read_text()] == []


# Typed amounts


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("60", "eur", 6000),
        (" 60.00 ", "eur", 6000),
        ("5,50", "eur", 550),
        ("5.5", "eur", 550),
        ("60.", "eur", 6000),
        ("1 234,50", "eur", 123450),
        ("1\xa0234.50", "eur", 123450),
        ("1\u202f234", "eur", 123400),
        ("1’234.50", "chf", 123450),
        ("1,234.50", "usd", 123450),
        ("1.234.567,5", "eur", 123456750),
        ("6000", "jpy", 6000),
        ("6000.00", "jpy", 6000),
        ("1.234", "kwd", 1234),
        ("60,5", "kwd", 60500),
        ("１２．５０", "eur", 1250),
    ],
)
def test_typed_amounts_are_read_by_the_currencys_decimal_places(
    typed: str, currency: str, minor: int
) -> None:
    assert read_amount(typed, decimal_places(currency)) == minor


@pytest.mark.parametrize(
    ("typed", "currency", "error"),
    [
        ("1,000", "eur", AmbiguousAmount),
        ("1.000", "eur", AmbiguousAmount),
        ("1,000", "jpy", AmbiguousAmount),
        ("60.505", "eur", AmbiguousAmount),
        ("60.5055", "eur", TooManyDecimals),
        ("60.5", "jpy", TooManyDecimals),
        ("60.5555", "kwd", TooManyDecimals),
        *((text, "eur", UnreadableAmount) for text in ("", "-5", "€60", "1e3", "NaN", "٦٠")),
        *((text, "eur", UnreadableAmount) for text in ("1 23", "1,23,4.5", "1.234.5", "9" * 25)),
    ],
)
def test_amounts_that_could_mean_something_else_are_refused(
    typed: str, currency: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        read_amount(typed, decimal_places(currency))


@pytest.mark.parametrize(
    ("typed", "currency", "language"),
    [
        *((text, "eur", "en") for text in ("€60", "60 €", "EUR 60", "60eur", "60\xa0€")),
        *((text, "uah", "uk") for text in ("60 грн", "60 грн.", "₴60", "60 UAH")),
        ("¥60", "jpy", "en"),
        ("60 zł", "pln", "en"),
    ],
)
def test_the_currencys_own_sign_may_be_typed(typed: str, currency: str, language: str) -> None:
    assert strip_currency(typed, currency, language=language) == "60"


@pytest.mark.parametrize("typed", ["$60", "60 USD", "₴60", "€60€", "60 e", "- €60", "€"])
def test_the_sign_of_another_currency_is_no_amount(typed: str) -> None:
    with pytest.raises(UnreadableAmount):
        read_amount(strip_currency(typed, "eur"), 2)


@given(st.integers(0, 10**15), st.integers(0, 3))
def test_a_written_amount_is_read_as_the_same_amount(minor: int, places: int) -> None:
    assert read_amount(write_amount(minor, places), places) == minor


@pytest.mark.parametrize("currency", sorted(CURRENCIES))
def test_every_currency_has_a_name_and_charges_within_its_limits(currency: str) -> None:
    assert name_currency(currency).startswith(currency.upper())
    smallest, largest = smallest_charge(currency), largest_charge(currency)
    assert 0 < smallest < largest
    assert smallest % charge_step(currency) == largest % charge_step(currency) == 0
