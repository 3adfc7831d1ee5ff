"""Plans and prices."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from campaigns.models import Plan
from tests.support.factories import make_plan, make_price
from tests.support.staff import admin_url, fill_in, read_messages, read_page

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
        ({"currency": "€"}, "three-letter code of the currency"),
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
def test_a_new_price_without_stripe_shows_a_warning(client: Client) -> None:
    plan = make_plan()
    make_price("year", plan=plan, stripe_price_id="")
    url = admin_url(Plan, "change", plan.pk)
    response = client.post(url, fill_in(client, url), follow=True)
    assert "1 price isn’t at Stripe yet" in read_messages(response)
