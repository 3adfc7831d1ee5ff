from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.money import (
    THREE_DECIMAL,
    ZERO_DECIMAL,
    decimal_places,
    format_money,
    to_major,
)

pytestmark = pytest.mark.once

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
        (150000, "uah", "UAH 1,500", "1 500 UAH"),
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


@pytest.mark.parametrize(("currency", "places"), [("eur", 2), ("jpy", 0), ("kwd", 3), ("uah", 2)])
def test_the_minor_unit_is_stripes(currency: str, places: int) -> None:
    assert decimal_places(currency) == places
