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
    THREE_DECIMAL,
    ZERO_DECIMAL,
    decimal_places,
    format_money,
    to_major,
)

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
CURRENCIES = st.sampled_from(sorted({"eur", "uah", "usd"} | ZERO_DECIMAL | THREE_DECIMAL))
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
        # Stripe's special cases: no smaller coin, and yet told to Stripe as if there were one.
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
def test_an_amount_is_written_as_a_reader_writes_it(
    minor: int, currency: str, english: str, ukrainian: str
) -> None:
    assert plain(format_money(minor, currency)) == english
    assert plain(format_money(minor, currency, language="uk")) == ukrainian


def plain(text: str) -> str:
    """With common spaces: which of the spaces that do not break is used is no matter here."""
    return text.replace("\xa0", " ").replace("\u202f", " ")


@pytest.mark.parametrize("language", ["en", "uk"])
def test_an_amount_never_breaks_over_two_lines(language: str) -> None:
    assert " " not in format_money(123456700, "eur", language=language)


@given(minor=AMOUNTS, currency=CURRENCIES)
def test_major_units_lead_back_to_the_same_minor_ones(minor: int, currency: str) -> None:
    major = to_major(minor, currency)
    assert isinstance(major, Decimal)
    assert int(major.scaleb(decimal_places(currency))) == minor


@given(minor=AMOUNTS, currency=CURRENCIES)
def test_what_is_written_can_be_read_back_to_the_last_digit(minor: int, currency: str) -> None:
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
def test_the_minor_unit_is_stripes(currency: str, places: int) -> None:
    assert decimal_places(currency) == places


@pytest.mark.parametrize("language", ["en", "uk"])
@pytest.mark.parametrize("currency", ["eur", "usd", "gbp", "jpy", "krw", "uah"])
def test_where_babel_knows_stripes_decimals_the_number_is_babels(
    currency: str, language: str
) -> None:
    """Its sign may be a code where ours is the currency's own."""
    minor = 12345678
    theirs = format_currency(to_major(minor, currency), currency.upper(), locale=language)
    digits = [
        re.sub(r"[^\d.,\s]", "", plain(text)).strip()
        for text in (theirs, format_money(minor, currency, language=language))
    ]
    assert digits[0] == digits[1]


def test_staff_read_money_in_their_language() -> None:
    with override("uk"):
        assert plain(staff_money(123450, "eur")) == "1 234,50 €"
    with override("en"):
        assert staff_money(123450, "eur") == "€1,234.50"


def test_no_page_of_staff_writes_money_in_a_language_of_its_own() -> None:
    """`staff_money` alone asks for the language of whoever looks."""
    pages = [path for path in (ROOT / "campaigns" / "admin").glob("*.py") if path.name != "site.py"]
    assert pages
    assert [path.name for path in pages if "format_money" in path.read_text()] == []
