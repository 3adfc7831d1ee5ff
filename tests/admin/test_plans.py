"""Plans and prices."""

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client

from campaigns import catalogue, stripe_api
from campaigns.models import Campaign, Plan, Price
from newsroom.sandbox.control import SandboxControl
from tests.support.factories import make_plan, make_price
from tests.support.staff import (
    admin_url,
    fill_in,
    grant_permissions,
    read_messages,
    read_page,
    run_action,
)

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("editor")
def test_a_price_at_stripe_keeps_its_amount(client: Client) -> None:
    plan = make_plan()
    told_stripe = make_price("year", stripe_price_id="price_1")
    url = admin_url(Plan, "change", plan.pk)
    fields = fill_in(client, url)
    fields |= {"prices-0-amount_minor": "1", "prices-0-kind": "month", "prices-0-currency": "usd"}
    del fields["prices-0-is_active"]
    assert client.post(url, fields).status_code == 302
    told_stripe.refresh_from_db()
    assert (told_stripe.amount_minor, told_stripe.kind, told_stripe.currency) == (
        6000,
        "year",
        "eur",
    )
    assert not told_stripe.is_active


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"amount_minor": "0"}, "The price must be above zero."),
        ({"months": "12"}, "Leave this empty: a subscription renews"),
        ({"kind": "gift"}, "Enter the number of months"),
        ({"currency": "xxx"}, "Choose a currency that Stripe knows"),
        ({"amount_minor": "0.49"}, "Stripe’s smallest charge is €0.50."),
        ({"amount_minor": "1000000"}, "Stripe’s largest charge is €999,999.99."),
        ({"amount_minor": "1,000"}, "Leave out the thousands separator"),
        ({"amount_minor": "60.505"}, "Leave out the thousands separator"),
        ({"amount_minor": "60.5", "currency": "jpy"}, "Too many decimal places"),
        ({"amount_minor": "49", "currency": "jpy"}, "Stripe’s smallest charge is ¥50."),
        ({"amount_minor": "6.555", "currency": "kwd"}, "only multiples of KWD 0.010"),
    ],
)
def test_errors_of_a_price_are_shown_beside_the_field(
    client: Client, typed: dict[str, str], words: str
) -> None:
    plan = make_plan()
    make_price("year", plan=plan, stripe_price_id="")
    url = admin_url(Plan, "change", plan.pk)
    changed = {f"prices-0-{name}": value for name, value in typed.items()}
    response = client.post(url, fill_in(client, url) | changed)
    assert response.status_code == 200
    assert words in read_page(response)


@pytest.mark.both_databases
def test_a_gift_price_needs_months() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make_price("gift", months=None)


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    ("typed", "currency", "minor", "shown"),
    [
        ("60", "eur", 6000, "60.00"),
        ("60.00", "eur", 6000, "60.00"),
        ("5,50", "eur", 550, "5.50"),
        ("1 234,5", "eur", 123450, "1234.50"),
        ("1,234.50", "usd", 123450, "1234.50"),
        ("6000", "jpy", 6000, "6000"),
        ("60.5", "kwd", 60500, "60.500"),
    ],
)
def test_a_price_is_typed_and_shown_as_money(
    client: Client, typed: str, currency: str, minor: int, shown: str
) -> None:
    plan = make_plan()
    price = make_price("year", plan=plan, stripe_price_id="")
    url = admin_url(Plan, "change", plan.pk)
    fields = {"prices-0-amount_minor": typed, "prices-0-currency": currency}
    assert client.post(url, fill_in(client, url, **fields)).status_code == 302
    price.refresh_from_db()
    assert (price.amount_minor, price.currency) == (minor, currency)
    assert fill_in(client, url)["prices-0-amount_minor"] == shown


@pytest.mark.usefixtures("editor")
def test_rows_of_prices_stay_where_they_were_typed(client: Client) -> None:
    plan = make_plan()
    prices = [make_price("year", plan=plan, amount_minor=minor) for minor in (600, 9000, 3000)]
    fields = fill_in(client, admin_url(Plan, "change", plan.pk))
    assert [fields[f"prices-{at}-id"] for at in range(3)] == [str(price.pk) for price in prices]


@pytest.mark.usefixtures("editor")
def test_a_saved_price_is_sent_to_stripe(client: Client, campaign: Campaign) -> None:
    url = admin_url(Plan, "change", Plan.objects.get().pk)
    new = make_price("year", amount_minor=9000, stripe_price_id="")
    response = client.post(url, fill_in(client, url), follow=True)
    assert "Member: €90 every year: sent to Stripe." in read_messages(response)
    new.refresh_from_db()
    at_stripe = stripe_api.client().v1.prices.retrieve(new.stripe_price_id)
    assert (at_stripe.unit_amount, at_stripe.currency) == (9000, "eur")
    assert "sent to Stripe" not in read_messages(
        client.post(url, fill_in(client, url), follow=True)
    )


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    ("status", "words"),
    [(400, "Stripe refused this price. Reason: "), (500, "Stripe doesn’t answer. The price is")],
)
def test_a_price_that_could_not_be_sent_is_saved_and_says_so(
    client: Client, campaign: Campaign, sandbox: SandboxControl, status: int, words: str
) -> None:
    url = admin_url(Plan, "change", Plan.objects.get().pk)
    new = make_price("year", amount_minor=9000, stripe_price_id="")
    sandbox.add_fault("api", match="POST /v1/prices", kind="error", status=status, times=-1)
    response = client.post(url, fill_in(client, url), follow=True)
    assert f"Member: €90 every year: {words}" in read_messages(response).replace(
        "not sent, because ", ""
    )
    assert new not in Price.objects.on_sale()


@pytest.mark.usefixtures("editor")
def test_staff_offer_a_refused_price_again(client: Client, campaign: Campaign) -> None:
    price = Price.objects.get(kind="year")
    v1 = stripe_api.client().v1
    v1.prices.update(price.stripe_price_id, {"active": False})
    catalogue.withdraw_price(price, stripe_api.StripeRefused("The price specified is inactive."))
    url = admin_url(Plan, "changelist")
    assert "member" in read_page(client.get(f"{url}?needs=refused-price"))
    page = read_page(client.get(admin_url(Plan, "change", price.plan_id)))
    assert "Reason: The price specified is inactive." in page
    response = run_action(client, Plan, "send_to_stripe", price.plan_id)
    assert "Member: €60 every year: sent to Stripe." in read_messages(response)
    assert price in Price.objects.on_sale()
    assert v1.prices.retrieve(price.stripe_price_id).active


# Prices whose amount readers choose


def open_up(client: Client, **typed: str) -> dict[str, str]:
    """Return the fields of the plan's page with an open price of €6 a month."""
    url = admin_url(Plan, "change", make_plan().pk)
    changed = {f"prices-0-{name}": value for name, value in typed.items()}
    return fill_in(client, url) | {"prices-0-is_open": "on"} | changed


@pytest.mark.usefixtures("editor")
def test_amounts_of_an_open_price_are_typed_as_money(client: Client) -> None:
    price = make_price("month", stripe_price_id="")
    suggested = "3\n 10,50 \n\n20.00"
    fields = open_up(
        client, suggested_minor=suggested, minimum_minor="3", maximum_minor="500,00"
    ) | {"prices-0-shows_average": "on"}
    url = admin_url(Plan, "change", make_plan().pk)
    assert client.post(url, fields).status_code == 302
    price.refresh_from_db()
    assert price.is_open
    assert price.shows_average
    assert price.amounts == [300, 600, 1050, 2000]
    assert (price.minimum_minor, price.maximum_minor) == (300, 50_000)
    shown = fill_in(client, url)
    assert shown["prices-0-suggested_minor"].split() == ["3.00", "10.50", "20.00"]


@pytest.mark.thorough
@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"minimum_minor": "7"}, "must be between the smallest and the largest"),
        ({"maximum_minor": "5"}, "must be between the smallest and the largest"),
        ({"suggested_minor": "1", "minimum_minor": "3"}, "must be between the smallest"),
        ({"minimum_minor": "6", "maximum_minor": "5"}, "This is less than the smallest amount."),
        ({"suggested_minor": "1\n2\n3\n4\n5\n7\n8"}, "Suggest at most 6 amounts."),
        ({"suggested_minor": "ten"}, "Enter an amount like 60 or 60.50."),
        ({"suggested_minor": "0.10"}, "Stripe’s smallest charge is €0.50."),
        ({"kind": "gift", "months": "12"}, "The price of a gift is fixed."),
        ({"is_open": "", "minimum_minor": "3"}, "let readers choose the amount"),
        ({"is_open": "", "suggested_minor": "3"}, "let readers choose the amount"),
    ],
)
def test_errors_of_an_open_price_are_shown_beside_the_field(
    client: Client, typed: dict[str, str], words: str
) -> None:
    price = make_price("month", stripe_price_id="")
    fields = {name: value for name, value in open_up(client, **typed).items() if value}
    response = client.post(admin_url(Plan, "change", make_plan().pk), fields)
    assert response.status_code == 200
    assert words in read_page(response)
    price.refresh_from_db()
    assert not price.is_open


def test_the_database_keeps_gifts_at_a_fixed_price() -> None:
    price = make_price("gift")
    with pytest.raises(IntegrityError), transaction.atomic():
        Price.objects.filter(pk=price.pk).update(is_open=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        Price.objects.filter(pk=price.pk).update(minimum_minor=9000)


def test_staff_who_may_not_change_prices_read_them_as_money(client: Client, trainee: User) -> None:
    make_price("month", amount_minor=612345, is_open=True, minimum_minor=312345)
    Price.objects.update(suggested_minor=[412345, 512345], maximum_minor=712345)
    grant_permissions(trainee, "view_plan", "view_price")
    page = read_page(client.get(admin_url(Plan, "change", Plan.objects.get().pk)))
    assert "2345" not in page.replace(",123.45", "")
    for amount in ("€3,123.45", "€4,123.45, €5,123.45", "€6,123.45", "€7,123.45"):
        assert amount in page
    assert ">eur<" not in page
