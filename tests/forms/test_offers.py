"""The choice of an amount at an open price: what is offered, understood and refused."""

from typing import Any

import pytest
from django.core.cache import cache

from campaigns import catalogue
from campaigns.forms import JoinForm, new_token
from campaigns.forms.offers import name_amount
from campaigns.models import Campaign, Membership, Price
from tests.support.factories import at, make_campaign, make_member, make_price

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def make_open_price(kind: str = "month", **changes: Any) -> Price:
    limits = {"suggested_minor": [300, 1000], "minimum_minor": 300, "maximum_minor": 50_000}
    return make_price(kind, is_open=True, **limits | changes)


def typed(
    offered: Price, *, choice: str = "other", amount: str = "", **more: Any
) -> dict[str, Any]:
    return {
        "token": new_token(),
        "price": f"{offered.pk}-{choice}",
        name_amount(offered): amount,
        "name": "Ada Reader",
        "email": "ada@example.org",
    } | more


def send(offered: Price, **how: Any) -> JoinForm:
    campaign = Campaign(slug="birthday", currency=offered.currency)
    return JoinForm(typed(offered, **how), campaign=campaign)


def test_an_open_price_offers_its_amounts_and_another_one() -> None:
    open_price, fixed = make_open_price(), make_price("year")
    form = JoinForm(campaign=make_campaign())
    offers = [(offer.price, offer.amount_minor) for offer in form.offer_field.offers]
    assert offers == [
        (fixed, 6000),
        *[(open_price, minor) for minor in (300, 600, 1000)],
        (open_price, None),
    ]
    assert form["price"].value() is None


def test_the_own_amount_of_the_only_price_is_chosen_first() -> None:
    price = make_open_price()
    form = JoinForm(campaign=make_campaign())
    assert form["price"].value() == f"{price.pk}-600"


def test_a_suggested_amount_is_understood() -> None:
    price = make_open_price()
    form = send(price, choice="1000")
    assert form.is_valid(), form.errors
    assert (form.cleaned_data["price"], form.cleaned_data["amount_minor"]) == (price, 1000)
    assert form.terms.amount_minor == 1000


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [
        ("eur", "5,50", 550),
        ("eur", "5.50", 550),
        ("eur", " 12 ", 1200),
        ("eur", "3", 300),
        ("eur", "500", 50_000),
        ("eur", "€5.50", 550),
        ("eur", "5,50 EUR", 550),
        ("eur", "１２", 1200),
        ("jpy", "500", 500),
        ("kwd", "5,500", 5500),
        ("kwd", "5.55", 5550),
    ],
)
def test_an_amount_is_understood_as_it_is_typed(currency: str, amount: str, minor: int) -> None:
    price = make_open_price(currency=currency, maximum_minor=None)
    form = send(price, amount=amount)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["amount_minor"] == minor


@pytest.mark.parametrize(
    ("currency", "amount", "words"),
    [
        ("eur", "", "Enter an amount."),
        ("eur", "0", "Enter at least €3."),
        ("eur", "2.99", "Enter at least €3."),
        ("eur", "-5", "Enter an amount like 60 or 60.50."),
        ("eur", "500.01", "Enter at most €500."),
        ("eur", "1000000000", "Enter at most €500."),
        ("eur", "1e9", "Enter an amount like 60 or 60.50."),
        ("eur", "5.505", "Leave out the thousands separator"),
        ("eur", "five", "Enter an amount like 60 or 60.50."),
        ("eur", "9" * 30, "Enter an amount like 60 or 60.50."),
        ("eur", "$5", "Enter an amount like 60 or 60.50."),
        ("eur", "€", "Enter an amount like 60 or 60.50."),
        ("jpy", "five", "Enter a whole number."),
        ("jpy", "500.5", "Too many decimal places for this currency."),
        ("kwd", "5.555", "Enter a multiple of KWD\N{NO-BREAK SPACE}0.010."),
    ],
)
def test_an_error_is_shown_beside_the_amount(currency: str, amount: str, words: str) -> None:
    price = make_open_price(currency=currency)
    form = send(price, amount=amount)
    assert list(form.errors) == [name_amount(price)]
    assert words in form.errors[name_amount(price)][0]
    assert form[name_amount(price)].value() == amount
    assert form["price"].value() == f"{price.pk}-other"


@pytest.mark.parametrize(
    ("currency", "too_little", "too_much"),
    [("eur", "0.49", "1000000"), ("jpy", "49", "100000000"), ("kwd", "0.001", "100000")],
)
def test_without_limits_those_of_stripe_apply(
    currency: str, too_little: str, too_much: str
) -> None:
    price = make_open_price(currency=currency, minimum_minor=None, maximum_minor=None)
    assert "Enter at least" in str(send(price, amount=too_little).errors)
    assert "Enter at most" in str(send(price, amount=too_much).errors)


def test_an_amount_beside_another_choice_is_ignored() -> None:
    price = make_open_price()
    form = send(price, choice="600", amount="nonsense")
    assert form.is_valid(), form.errors
    assert form.cleaned_data["amount_minor"] == 600


@pytest.mark.parametrize("choice", ["1", "599", "-600", "600.0", "", "other-600"])
def test_an_amount_that_is_not_offered_cannot_be_sent_as_a_choice(choice: str) -> None:
    form = send(make_open_price(), choice=choice)
    assert "This price is no longer available" in str(form.errors["price"])


def test_a_fixed_price_takes_no_other_amount() -> None:
    price = make_price("year")
    assert "price" in send(price, choice="1").errors
    form = send(price, **{"price": str(price.pk), name_amount(price): "1"})
    assert form.is_valid()
    assert form.terms.amount_minor == 6000


# The average


def pay(price: Price, amount_minor: int, **changes: Any) -> None:
    member = make_member()
    values = {"price": price, "plan": price.plan, "amount_minor": amount_minor}
    Membership.objects.create(
        member=member,
        source=Membership.Source.SUBSCRIPTION,
        started_at=at("2026-11-10 12:00"),
        **values | changes,
    )


@pytest.fixture(autouse=True)
def forget_averages() -> None:
    cache.clear()


def read_average(price: Price) -> int | None:
    cache.clear()
    return catalogue.find_averages([price]).get(price.pk)


def test_the_average_is_shown_once_thirty_members_pay(birthday: Campaign) -> None:
    price = make_open_price(shows_average=True)
    for _ in range(29):
        pay(price, 500)
    assert read_average(price) is None
    pay(price, 1000, status="ended", ended_at=at("2026-11-12 12:00"))
    assert read_average(price) is None
    pay(price, 1100)
    assert read_average(price) == 520


def test_the_average_is_hidden_unless_staff_show_it(birthday: Campaign) -> None:
    price = make_open_price()
    for _ in range(30):
        pay(price, 500)
    assert read_average(price) is None


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()
