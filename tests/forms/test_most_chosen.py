"""The price that is chosen most often: preselected and said only if the sales support it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from campaigns import catalogue
from campaigns.models import Campaign, Checkout, Gift, Membership, Price, Terms
from tests.support.factories import (
    at,
    make_campaign,
    make_checkout,
    make_gift,
    make_member,
    make_plan,
    make_price,
)
from tests.support.pages import GIFT, GIFTS, JOIN, main_of, read_form

pytestmark = [pytest.mark.django_db, pytest.mark.once]

ENOUGH = catalogue.CHOSEN_FROM


@pytest.fixture(autouse=True)
def forget_sales() -> Iterator[None]:
    """Forget the sales of other tests, and those of this one: the next test uses the same ids."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


def sell(sold: Price, number: int = ENOUGH, **changes: Any) -> None:
    """Let that many members have the price."""
    values: dict[str, Any] = {"price": sold, "plan": sold.plan}
    values |= {"source": Membership.Source.SUBSCRIPTION, "started_at": at("2026-11-10 12:00")}
    Membership.objects.bulk_create(
        Membership(member=make_member(), **values | changes) for _ in range(number)
    )


def find(*prices: Price) -> Price | Terms | None:
    cache.clear()
    return catalogue.find_most_chosen(prices)


# The price


def test_a_price_that_enough_members_have_is_found() -> None:
    month, year = make_price("month"), make_price("year")
    sell(month, ENOUGH - 1)
    assert find(month, year) is None
    sell(month, 1)
    assert find(month, year) == month
    sell(year, ENOUGH + 1)
    assert find(month, year) == year


def test_two_prices_chosen_equally_often_say_nothing() -> None:
    month, year = make_price("month"), make_price("year")
    sell(month)
    sell(year)
    assert find(month, year) is None


def test_only_active_memberships_count() -> None:
    month, year = make_price("month"), make_price("year")
    for status in set(Membership.Status) - {Membership.Status.ACTIVE}:
        ended_at = at("2026-11-12 12:00") if status == Membership.Status.ENDED else None
        sell(month, status=status, ended_at=ended_at)
    assert find(month, year) is None


def test_only_prices_that_are_offered_count() -> None:
    month, year, former = make_price("month"), make_price("year"), make_price(amount_minor=4000)
    sell(former, ENOUGH + 1)
    assert find(month, year) is None
    sell(year)
    assert find(month, year) == year


def test_the_only_price_is_no_choice() -> None:
    year = make_price("year")
    sell(year)
    assert find(year) is None


def test_a_price_of_another_plan_can_be_the_most_chosen() -> None:
    year, patron = make_price("year"), make_price("year", plan=make_plan("patron"))
    sell(patron)
    assert find(year, patron) == patron


def test_a_membership_paid_once_counts_for_the_price_it_was_bought_at(birthday: Campaign) -> None:
    year, once = make_price("year"), make_price("once")
    for _ in range(ENOUGH):
        checkout = make_checkout(birthday, price=once, status="paid")
        bought = {"price": None, "source": Membership.Source.ONCE, "months": 12}
        sell(once, 1, checkout=checkout, **bought)
    assert find(year, once) == once


# Open prices


def make_open_price(**changes: Any) -> Price:
    limits = {"suggested_minor": [300, 1000], "minimum_minor": 300}
    return make_price("month", is_open=True, **limits | changes)


def test_an_amount_of_an_open_price_is_found() -> None:
    month, year = make_open_price(), make_price("year")
    sell(month, amount_minor=1000)
    sell(month, 10, amount_minor=555)
    sell(month, 20, amount_minor=600)
    assert find(month, year) == Terms(month, 1000)
    assert find(month) == Terms(month, 1000)


def test_many_different_amounts_say_nothing() -> None:
    month, year = make_open_price(), make_price("year")
    sell(month, amount_minor=1000)
    for amount_minor in range(601, 601 + ENOUGH + 1):
        sell(month, 1, amount_minor=amount_minor)
    assert find(month, year) is None


def test_an_amount_that_is_no_longer_suggested_is_another_one() -> None:
    month, year = make_open_price(), make_price("year")
    sell(month, amount_minor=1000)
    month.suggested_minor = [300]
    assert find(month, year) is None


# Gifts


def give(birthday: Campaign, price: Price, **changes: Any) -> None:
    gift = make_gift(make_member(), birthday, "2026-11-10 12:00")
    Gift.objects.filter(pk=gift.pk).update(price=price, **changes)


def test_the_gift_that_is_bought_most_is_found(birthday: Campaign) -> None:
    short, long = make_price("gift", months=3, amount_minor=1800), make_price("gift")
    for _ in range(ENOUGH):
        give(birthday, short)
    assert find(short, long) == short
    for _ in range(ENOUGH + 1):
        give(birthday, long, status=Gift.Status.REVOKED, revoked_at=at("2026-11-11 12:00"))
    assert find(short, long) == short


# The cache


def test_the_sales_are_counted_again_after_a_while() -> None:
    month, year = make_price("month"), make_price("year")
    assert catalogue.find_most_chosen([month, year]) is None
    sell(year)
    assert catalogue.find_most_chosen([month, year]) is None
    cache.clear()
    assert catalogue.find_most_chosen([month, year]) == year


# The forms


def count_labels(page: Any) -> int:
    return main_of(page).count("Chosen most often")


def test_the_join_form_preselects_it_and_says_so(client: Client, birthday: Campaign) -> None:
    make_price("month")
    year = make_price("year")
    page = client.get(JOIN)
    assert "price" not in read_form(page).fields
    assert count_labels(page) == 0
    cache.clear()
    sell(year)
    page = client.get(JOIN)
    assert read_form(page).fields["price"] == str(year.pk)
    assert count_labels(page) == 1


def test_an_amount_is_preselected(client: Client, birthday: Campaign) -> None:
    month = make_open_price()
    assert read_form(client.get(JOIN)).fields["price"] == f"{month.pk}-600"  # staff's own
    cache.clear()
    sell(month, amount_minor=1000)
    page = client.get(JOIN)
    assert read_form(page).fields["price"] == f"{month.pk}-1000"
    assert count_labels(page) == 1


def test_an_earlier_choice_wins(client: Client, birthday: Campaign) -> None:
    month, year = make_price("month"), make_price("year")
    sell(year)
    earlier = make_checkout(birthday, price=month)
    page = client.get(f"{JOIN}?again={earlier.pk}")
    assert read_form(page).fields["price"] == str(month.pk)
    assert count_labels(page) == 1
    Price.objects.filter(pk=month.pk).update(is_active=False)
    make_price("once")
    page = client.get(f"{JOIN}?again={earlier.pk}")
    assert "price" not in read_form(page).fields  # nobody chose another one for the reader


def test_a_form_with_errors_keeps_the_choice(client: Client, birthday: Campaign) -> None:
    month, year = make_price("month"), make_price("year")
    sell(year)
    page = client.post(JOIN, {"price": str(month.pk)})
    assert page.status_code == 422
    assert read_form(page).fields["price"] == str(month.pk)
    assert count_labels(page) == 1
    assert "price" not in read_form(client.post(JOIN, {"name": "Ada"})).fields


@pytest.mark.parametrize("path", [GIFT, GIFTS])
def test_the_gift_forms_preselect_it(client: Client, birthday: Campaign, path: str) -> None:
    short, long = make_price("gift", months=3, amount_minor=1800), make_price("gift")
    assert "price" not in read_form(client.get(path)).fields
    cache.clear()
    for _ in range(ENOUGH):
        give(birthday, short)
    page = client.get(path)
    assert read_form(page).fields["price"] == str(short.pk)
    assert count_labels(page) == 1
    earlier = make_checkout(
        birthday, kind=Checkout.Kind.GIFT, price=long, typed={"gifts": [{"recipient_name": "Ben"}]}
    )
    again = client.get(f"{path}?again={earlier.pk}")
    assert read_form(again).fields["price"] == str(long.pk)
