"""Prices that Stripe refuses: readers keep their form, staff see the price, and it can be fixed."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns import catalogue, stripe_api
from campaigns.models import Campaign, Membership, Price
from campaigns.models.plan import KEY_PAUSE
from campaigns.stripe_api.connection import client as stripe_client
from newsroom.sandbox.control import SandboxControl
from tests.support.commands import run_command
from tests.support.factories import make_price
from tests.support.pages import (
    GIFT,
    GIFTS,
    JOIN,
    error_beside,
    gift_fields,
    gift_list_fields,
    join_fields,
    main_of,
    read_form,
    start_order,
)
from tests.support.sales import subscribe
from tests.support.sign_in import ACCOUNT, sign_in
from tests.support.staff import read_page

pytestmark = pytest.mark.once

CANT_BE_BOUGHT = "This price isn’t available right now. Nothing was charged."


def get_price(kind: str) -> Price:
    return Price.objects.get(kind=kind)


def archive(price: Price) -> None:
    """Archive the price at Stripe, as somebody does in Stripe's dashboard."""
    stripe_client().v1.prices.update(price.stripe_price_id, {"active": False})


def list_prices() -> list[dict[str, Any]]:
    page = stripe_client().v1.prices.list({"limit": 100})
    return [price.to_dict() for price in page.auto_paging_iter()]


def name_concerns(client: Client) -> str:
    """Return the first page of the admin, as a superuser sees it."""
    client.force_login(User.objects.create_superuser("editor"))
    return read_page(client.get(reverse("admin:index")))


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize(
    ("form", "url", "kind"),
    [(join_fields, JOIN, "year"), (gift_fields, GIFT, "gift")],
)
def test_a_refused_price_keeps_the_form_and_is_no_longer_offered(
    client: Client, caplog: pytest.LogCaptureFixture, form: Any, url: str, kind: str
) -> None:
    price = get_price(kind)
    fields = form(client, price=str(price.pk))
    make_price(kind, amount_minor=9900)
    archive(price)
    answer = client.post(url, fields)
    assert answer.status_code == 422
    assert f"{CANT_BE_BOUGHT} Choose another." in main_of(answer)
    assert read_form(answer).fields["email"] == "ada@example.org"
    assert f'name="price" value="{price.pk}"' not in main_of(client.get(url))
    logs: list[Any] = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    [refusal] = [log for log in logs if log["event"] == "price_refused"]
    assert refusal["price"] == price.lookup_key
    assert refusal["message"].endswith("The price specified is inactive.")
    assert "The price specified is inactive." in name_concerns(client)


def test_another_price_can_be_bought_from_the_same_form(client: Client, campaign: Campaign) -> None:
    archive(get_price("year"))
    answer = client.post(JOIN, join_fields(client))
    month = get_price("month")
    checkout = start_order(client, JOIN, read_form(answer).fields | {"price": str(month.pk)})
    assert checkout.price == month


def test_the_form_stays_when_the_last_price_is_refused(client: Client, campaign: Campaign) -> None:
    price = get_price("gift")
    archive(price)
    answer = client.post(GIFT, gift_fields(client, price=str(price.pk)))
    assert error_beside(answer, "price") == f"{CANT_BE_BOUGHT} Please try again later."
    assert read_form(answer).fields["recipient_name"] == "Ben Friend"
    assert "There is nothing on sale here" in main_of(client.get(GIFT))


@pytest.mark.parametrize("status", [400, 403, 404])
def test_every_refusal_differs_from_an_outage(
    client: Client, campaign: Campaign, sandbox: SandboxControl, status: int
) -> None:
    fields = join_fields(client)
    sandbox.add_fault("api", match="POST /v1/checkout", kind="error", status=status)
    answer = client.post(JOIN, fields)
    assert answer.status_code == 422
    assert CANT_BE_BOUGHT in main_of(answer)
    assert get_price("year").refused_status == status
    assert get_price("year") not in Price.objects.on_sale()


def test_an_outage_doesnt_withdraw_the_price(
    client: Client, campaign: Campaign, sandbox: SandboxControl
) -> None:
    fields = join_fields(client)
    sandbox.add_fault("api", match="POST /v1/checkout", kind="error", status=500)
    assert client.post(JOIN, fields).status_code == 503
    assert get_price("year") in Price.objects.on_sale()


def test_a_price_is_offered_again_soon_after_our_key_was_refused(
    client: Client, campaign: Campaign, settings: LazySettings
) -> None:
    fields, right_key = join_fields(client), settings.STRIPE_SECRET_KEY
    settings.STRIPE_SECRET_KEY = "sk_test_wrong"
    assert client.post(JOIN, fields).status_code == 422
    settings.STRIPE_SECRET_KEY = right_key
    assert get_price("year") not in Price.objects.on_sale()
    with time_machine.travel(timezone.now() + KEY_PAUSE + timedelta(seconds=1)):
        assert get_price("year") in Price.objects.on_sale()
        assert "Invalid API Key" in name_concerns(client)
        client.logout()
        start_order(client, JOIN, fields)
        assert get_price("year").refused_at is None


def test_a_total_that_is_too_large_doesnt_withdraw_the_price(
    client: Client, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise stripe_api.StripeRefused("Too much.", code="amount_too_large")

    monkeypatch.setattr(stripe_api, "create_session", refuse)
    rows = [("Ben", "ben@example.org", ""), ("Cleo", "cleo@example.org", "")]
    answer = client.post(GIFTS, gift_list_fields(client, *rows, price=str(get_price("gift").pk)))
    assert "Order fewer gifts." in main_of(answer)
    assert get_price("gift") in Price.objects.on_sale()


def test_a_switch_to_a_refused_price_changes_nothing(
    client: Client, campaign: Campaign, sandbox: SandboxControl
) -> None:
    membership = subscribe(campaign, sandbox)
    sign_in(client)
    Price.objects.filter(kind="year").update(stripe_price_id="price_lost")
    answer = client.get(f"{ACCOUNT}{membership.pk}/switch/")
    assert answer["Location"] == f"{ACCOUNT}?done=price_refused"
    assert "This price can’t be chosen right now." in main_of(client.get(answer["Location"]))
    assert get_price("year") not in Price.objects.on_sale()
    assert Membership.objects.get().price_now == get_price("month")


def test_a_refused_portal_differs_from_an_outage(
    client: Client, campaign: Campaign, sandbox: SandboxControl
) -> None:
    membership = subscribe(campaign, sandbox)
    sign_in(client)
    sandbox.add_fault("api", match="POST /v1/billing_portal", kind="error", status=403)
    answer = client.post(f"{ACCOUNT}{membership.pk}/card/")
    assert answer.status_code == 409
    assert "Trying again won’t help." in main_of(answer)


# Setting up prices


def test_the_setup_unarchives_a_price_and_offers_it_again(
    client: Client, campaign: Campaign
) -> None:
    price = get_price("year")
    archive(price)
    client.post(JOIN, join_fields(client))
    run_command("stripe_setup", "--no-webhook")
    assert get_price("year").stripe_price_id == price.stripe_price_id
    assert get_price("year").refused_at is None
    start_order(client, JOIN, join_fields(client))


def test_the_setup_takes_over_the_lookup_key_of_another_price(campaign: Campaign) -> None:
    price = get_price("year")
    known = price.stripe_price_id
    Price.objects.filter(pk=price.pk).update(stripe_price_id="", amount_minor=6500)
    stripe_client().v1.prices.update(known, {"lookup_key": get_price("year").lookup_key})
    run_command("stripe_setup", "--no-webhook")
    [new] = [row for row in list_prices() if row["lookup_key"] == get_price("year").lookup_key]
    assert new["id"] == get_price("year").stripe_price_id != known
    assert new["unit_amount"] == 6500


def test_the_setup_replaces_a_price_that_stripe_has_lost(campaign: Campaign) -> None:
    Price.objects.filter(kind="year").update(stripe_price_id="price_lost")
    run_command("stripe_setup", "--no-webhook")
    assert get_price("year").stripe_price_id in {row["id"] for row in list_prices()}


def test_the_setup_goes_on_after_a_refusal_and_names_the_price(campaign: Campaign) -> None:
    Price.objects.filter(kind="year").update(amount_minor=11, stripe_price_id="")
    cheap = get_price("year")
    new = make_price("month", amount_minor=700, stripe_price_id="")
    with pytest.raises(CommandError) as raised:
        run_command("stripe_setup")
    assert f"price {cheap.lookup_key}: amount_too_small: Stripe’s smallest charge is €0.50." in str(
        raised.value
    )
    assert "again" not in str(raised.value)
    new.refresh_from_db()
    assert new.stripe_price_id
    assert stripe_client().v1.webhook_endpoints.list().data
    assert list(Price.objects.refused()) == [cheap]


@pytest.mark.parametrize("path", ["/v1/products", "/v1/prices", "/v1/billing_portal"])
def test_the_setup_goes_on_where_our_key_lacks_a_permission(
    campaign: Campaign, sandbox: SandboxControl, path: str
) -> None:
    Price.objects.update(stripe_price_id="")
    sandbox.add_fault("api", match=f"*{path}*", kind="error", status=403, times=-1)
    with pytest.raises(CommandError, match="the permissions of STRIPE_SECRET_KEY") as raised:
        run_command("stripe_setup")
    assert "again" not in str(raised.value)
    assert stripe_client().v1.webhook_endpoints.list().data


def test_a_refusal_of_an_older_price_at_stripe_changes_nothing(campaign: Campaign) -> None:
    old = get_price("year")
    Price.objects.filter(pk=old.pk).update(stripe_price_id="price_new")
    catalogue.withdraw_price(old, stripe_api.StripeRefused("The price specified is inactive."))
    assert get_price("year").refused_at is None
