"""What a year saves compared with twelve months, in each kind of currency."""

from typing import Any

import pytest
from django.test import Client

from campaigns.forms import JoinForm
from campaigns.models import Campaign
from tests.support.factories import make_campaign, make_plan, make_price
from tests.support.pages import JOIN, main_of

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def offer(month: int, year: int, currency: str = "eur", **changes: Any) -> None:
    make_price("month", amount_minor=month, currency=currency, **changes)
    make_price("year", amount_minor=year, currency=currency)


def find_savings(currency: str = "eur") -> list[int]:
    form = JoinForm(campaign=Campaign(slug="birthday", currency=currency))
    return [offer.saving.amount_minor for offer in form.offer_field.offers if offer.saving]


@pytest.mark.parametrize(
    ("month", "year", "savings"),
    [(600, 6000, [1200]), (600, 7199, [1]), (600, 7200, []), (600, 7201, [])],
)
def test_a_year_is_compared_with_twelve_months(month: int, year: int, savings: list[int]) -> None:
    offer(month, year)
    assert find_savings() == savings


@pytest.mark.parametrize(
    ("currency", "month", "year", "words"),
    [
        ("eur", 600, 6000, "Saves €12 compared with twelve months"),
        ("eur", 599, 5990, "Saves €11.98 compared with twelve months"),
        ("jpy", 600, 6000, "Saves ¥1,200 compared with twelve months"),
        ("kwd", 1500, 15_000, "Saves KWD 3 compared with twelve months"),
        ("kwd", 1490, 15_000, "Saves KWD 2.880 compared with twelve months"),
    ],
)
def test_the_form_says_it_in_the_currency(
    client: Client, currency: str, month: int, year: int, words: str
) -> None:
    make_campaign(currency=currency)
    offer(month, year, currency)
    page = main_of(client.get(JOIN))
    assert page.count("Saves") == page.count(words) == 1


def test_prices_of_other_plans_and_currencies_are_not_compared() -> None:
    make_price("month", plan=make_plan("patron"), amount_minor=2000)
    make_price("month", currency="usd", amount_minor=2000)
    make_price("year")
    assert find_savings() == []


def test_the_cheapest_of_several_monthly_prices_is_compared() -> None:
    make_price("month", amount_minor=900)
    offer(600, 6000)
    assert find_savings() == [1200]


def test_other_kinds_save_nothing() -> None:
    make_price("month")
    make_price("once")
    assert find_savings() == []


# Open amounts


def test_an_amount_that_readers_choose_a_month_is_named(client: Client) -> None:
    make_campaign()
    offer(600, 6000, is_open=True, suggested_minor=[300, 1000], minimum_minor=300)
    words = "Saves €12 compared with twelve months at €6"
    page = main_of(client.get(JOIN))
    assert page.count("Saves") == page.count(words) == 1


def test_a_yearly_amount_that_readers_choose_saves_nothing() -> None:
    make_price("month")
    make_price("year", is_open=True, suggested_minor=[3000])
    assert find_savings() == []


def test_two_plans_have_their_own_savings() -> None:
    offer(600, 6000)
    patron = make_plan("patron")
    make_price("month", plan=patron, amount_minor=2000)
    make_price("year", plan=patron, amount_minor=20_000)
    assert sorted(find_savings()) == [1200, 4000]
