"""Pay what you can: the amount typed is charged, stored and shown, and can be changed."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client
from stripe._encode import _api_encode

from campaigns import checkout as checkouts
from campaigns import members, settlement, stripe_api
from campaigns.forms.offers import name_amount
from campaigns.members.receipts import render_receipt
from campaigns.models import Campaign, Checkout, Membership, OutgoingMail, Payment, Price, Tally
from campaigns.settlement import reconciliation
from newsroom.sandbox.control import SandboxControl
from tests.sandbox import schema
from tests.support.extensions import Clock
from tests.support.extensions import clock as _clock
from tests.support.factories import at, make_price
from tests.support.mails import read_both_parts, send_mail
from tests.support.pages import UNREACHABLE, error_beside, main_of, read_form
from tests.support.sales import CARD, settle
from tests.support.sign_in import ACCOUNT, open_account_page, sign_in

JOIN = "/campaign/birthday/join/"

clock = _clock  # a fixture


@pytest.fixture
def opened(campaign: Campaign) -> dict[str, Price]:
    """The campaign's prices for joining, all open from €3 on."""
    prices = Price.objects.filter(kind__in=["month", "year", "once"])
    prices.update(is_open=True, suggested_minor=[300, 1000], minimum_minor=300)
    return {price.kind: price for price in prices.select_related("plan")}


def order(price: Price, amount_minor: int, campaign: Campaign) -> checkouts.Order:
    return checkouts.Order(
        kind=Checkout.Kind.JOIN,
        price=price,
        email="ada@example.org",
        name="Ada Reader",
        language="en",
        campaign=campaign,
        amount_minor=amount_minor,
    )


def fill_in(client: Client, price: Price, amount: str) -> dict[str, str]:
    fields = read_form(client.get(JOIN)).fields
    return fields | {
        "price": f"{price.pk}-other",
        name_amount(price): amount,
        "name": "Ada Reader",
        "email": "ada@example.org",
    }


def join(client: Client, sandbox: SandboxControl, price: Price, amount: str) -> Checkout:
    answer = client.post(JOIN, fill_in(client, price, amount))
    assert answer.status_code == 303, main_of(answer)
    checkout = Checkout.objects.get(session_url=answer["Location"])
    sandbox.pay(str(checkout.session_id), card=CARD, name="Ada Reader")
    return settlement.settle_checkout(checkout.pk)


def charged(sandbox: SandboxControl) -> int:
    return int(sandbox.books()["currencies"]["eur"]["gross_minor"])


@pytest.mark.parametrize("kind", ["month", "year", "once"])
def test_the_amount_typed_is_charged_stored_and_counted(
    opened: dict[str, Price],
    client: Client,
    sandbox: SandboxControl,
    kind: str,
) -> None:
    checkout = join(client, sandbox, opened[kind], "5,50")
    assert charged(sandbox) == 550
    membership, payment = Membership.objects.get(), Payment.objects.get()
    assert (checkout.amount_minor, payment.amount_minor, membership.amount_minor) == (550,) * 3
    assert membership.price_now == opened[kind]
    assert membership.terms_now is not None
    assert membership.terms_now.amount_minor == 550
    assert payment.hold == Payment.Hold.NONE
    assert Tally.objects.count() == 1
    words = {"month": "€5.50 a month", "year": "€5.50 a year", "once": "12 months"}[kind]
    receipt = OutgoingMail.objects.get(kind="receipt")
    for part in read_both_parts(send_mail(receipt)):
        assert "€5.50" in part
        assert words in part
    assert b"%PDF" in render_receipt(payment, language="en")[:8]
    [bought] = members.gather_data(membership.member)["memberships"]
    assert bought["price"]["amount_minor"] == 550


@pytest.mark.parametrize("kind", ["month", "year", "once"])
def test_the_request_matches_stripes_schema(
    opened: dict[str, Price], campaign: Campaign, kind: str
) -> None:
    price = opened[kind]
    checkout = checkouts.start_checkout(uuid4(), order(price, 1234, campaign))
    params = checkouts.session_params(checkout)
    encoded = "&".join(f"{name}={value}" for name, value in _api_encode(params))
    schema.check_request("POST", "/v1/checkout/sessions", encoded)
    [line] = params["line_items"]
    assert line["quantity"] == 1
    assert line["price_data"]["unit_amount"] == 1234
    assert line["price_data"]["product"] == price.plan.stripe_product_id
    assert line["price_data"].get("recurring") == (None if kind == "once" else {"interval": kind})


def test_another_amount_closes_the_session_of_the_first(
    opened: dict[str, Price], campaign: Campaign
) -> None:
    first = order(opened["month"], 500, campaign)
    checkout = checkouts.start_checkout(token := uuid4(), first)
    assert checkouts.start_checkout(token, first).session_id == checkout.session_id
    again = checkouts.start_checkout(token, replace(first, amount_minor=700))
    assert again.session_id != checkout.session_id
    assert again.amount_minor == 700
    assert stripe_api.fetch_session(str(checkout.session_id)).status == "expired"


def test_the_form_keeps_what_was_typed(opened: dict[str, Price], client: Client) -> None:
    price = opened["month"]
    answer = client.post(JOIN, fill_in(client, price, "2,99"))
    assert answer.status_code == 422
    assert "Enter at least €3." in error_beside(answer, name_amount(price))
    fields = read_form(answer).fields
    assert fields[name_amount(price)] == "2,99"
    assert fields["name"] == "Ada Reader"


@pytest.mark.parametrize("typed", ["5,50", "€ 5.50", "1 000", "10", "10,00", "１２"])
def test_readers_who_come_back_find_their_amount_as_they_typed_it(
    opened: dict[str, Price], client: Client, typed: str
) -> None:
    price = opened["month"]
    client.post(JOIN, fill_in(client, price, typed))
    checkout = Checkout.objects.get()
    fields = read_form(client.get(f"{JOIN}?again={checkout.pk}")).fields
    assert fields["price"] == f"{price.pk}-other"
    assert fields[name_amount(price)] == typed
    again = fields | {"email": "ada@example.net"}
    assert client.post(JOIN, again).status_code == 303
    assert Checkout.objects.get().amount_minor == checkout.amount_minor


def test_readers_who_come_back_find_the_amount_of_an_older_order(
    opened: dict[str, Price], client: Client
) -> None:
    price = opened["month"]
    client.post(JOIN, fill_in(client, price, "5,50"))
    checkout = Checkout.objects.get()
    Checkout.objects.filter(pk=checkout.pk).update(typed={})
    fields = read_form(client.get(f"{JOIN}?again={checkout.pk}")).fields
    assert fields[name_amount(price)] == "5.50"
    Checkout.objects.filter(pk=checkout.pk).update(amount_minor=1000)
    fields = read_form(client.get(f"{JOIN}?again={checkout.pk}")).fields
    assert fields["price"] == f"{price.pk}-1000"


def test_an_amount_that_stripe_refuses_leaves_the_price_on_sale(
    opened: dict[str, Price], campaign: Campaign
) -> None:
    with pytest.raises(stripe_api.StripeRefused) as refusal:
        checkouts.start_checkout(uuid4(), order(opened["month"], 10, campaign))
    assert checkouts.is_about_amount(refusal.value)
    assert not Price.objects.refused().exists()


def test_without_stripe_the_typed_amount_is_kept(
    opened: dict[str, Price], client: Client, settings: LazySettings
) -> None:
    fields = fill_in(client, opened["month"], "5,50")
    settings.STRIPE_API_BASE = UNREACHABLE
    answer = client.post(JOIN, fields)
    assert answer.status_code == 503
    assert "€5.50" in main_of(answer)
    kept = read_form(answer).fields
    assert kept[name_amount(opened["month"])] == "5,50"
    assert kept["price"] == fields["price"]


def test_a_settled_open_price_agrees_with_stripes_books(
    opened: dict[str, Price], client: Client, sandbox: SandboxControl, clock: Clock
) -> None:
    join(client, sandbox, opened["month"], "5,50")
    clock.move_to(at("2026-12-10 12:05"))
    membership = Membership.objects.get()
    settle(membership)
    renewal = Payment.objects.get(role="renewal")
    assert (renewal.amount_minor, charged(sandbox)) == (550, 1100)
    assert reconciliation.reconcile(since=at("2026-11-01 00:00")).is_equal


# A new amount on the account page


def path_of(membership: Membership) -> str:
    return f"{ACCOUNT}{membership.pk}/amount/"


@pytest.fixture
def paying(
    opened: dict[str, Price], client: Client, sandbox: SandboxControl, clock: Clock
) -> Membership:
    """Ada's subscription of €5.50 a month since 10 November; she is signed in."""
    join(client, sandbox, opened["month"], "5,50")
    sign_in(client)
    return Membership.objects.get()


def change(client: Client, membership: Membership, amount: str) -> Any:
    fields = read_form(client.get(path_of(membership))).fields
    assert membership.price is not None
    typed = {"price": f"{membership.price.pk}-other", name_amount(membership.price): amount}
    return client.post(path_of(membership), fields | typed)


def test_a_new_amount_applies_from_the_next_payment(
    paying: Membership, client: Client, sandbox: SandboxControl, clock: Clock
) -> None:
    counted = list(Tally.objects.values())
    assert f'href="{path_of(paying)}"' in open_account_page(client)
    page = main_of(client.get(path_of(paying)))
    for words in (
        "<strong>€5.50</strong> a month",
        "applies from your next payment on 10 December 2026",
        "You won’t be charged today.",
    ):
        assert words in page
    answer = change(client, paying, "8")
    assert answer["Location"] == f"{ACCOUNT}?done=amount_changed"
    page = open_account_page(client)
    assert "<strong>€8</strong> a month" in page
    assert "€8, 10 December 2026" in " ".join(page.split())
    assert charged(sandbox) == 550
    paying.refresh_from_db()
    assert (paying.amount_minor, paying.price) == (800, Price.objects.get(kind="month"))
    clock.move_to(at("2026-12-10 12:05"))
    settle(paying)
    assert Payment.objects.get(role="renewal").amount_minor == 800
    assert charged(sandbox) == 1350
    assert list(Tally.objects.values()) == counted


def test_the_same_amount_again_changes_nothing_at_stripe(
    paying: Membership, client: Client
) -> None:
    before = stripe_api.fetch_subscription(str(paying.subscription_id)).items
    change(client, paying, "5.50")
    assert stripe_api.fetch_subscription(str(paying.subscription_id)).items == before


def test_a_wrong_amount_is_refused_beside_the_field(paying: Membership, client: Client) -> None:
    answer = change(client, paying, "1")
    assert answer.status_code == 422
    assert paying.price is not None
    assert "Enter at least €3." in error_beside(answer, name_amount(paying.price))
    paying.refresh_from_db()
    assert paying.amount_minor == 550


def test_without_stripe_nothing_changes(
    paying: Membership, client: Client, settings: LazySettings
) -> None:
    fields = read_form(client.get(path_of(paying))).fields
    assert paying.price is not None
    settings.STRIPE_API_BASE = UNREACHABLE
    typed = {"price": f"{paying.price.pk}-other", name_amount(paying.price): "8"}
    answer = client.post(path_of(paying), fields | typed)
    assert answer.status_code == 503
    assert 'value="8"' in main_of(answer)


def test_a_cancelled_membership_keeps_its_amount(paying: Membership, client: Client) -> None:
    stripe_api.cancel_subscription_at_period_end(str(paying.subscription_id))
    answer = change(client, paying, "8")
    assert answer["Location"] == f"{ACCOUNT}?done=unconfirmed"
    paying.refresh_from_db()
    assert (paying.amount_minor, paying.is_cancelling) == (550, True)
    assert client.get(path_of(paying))["Location"] == ACCOUNT


def test_strangers_cannot_change_it(paying: Membership, client: Client) -> None:
    client.post(f"{ACCOUNT}sign-out/")
    assert client.get(path_of(paying)).status_code in {302, 303}
    stranger = Client()
    assert stranger.post(path_of(paying), {"price": "1"}).status_code in {302, 303}


def test_a_fixed_price_has_no_page_for_its_amount(paying: Membership, client: Client) -> None:
    Price.objects.update(is_open=False)
    assert "Change amount" not in open_account_page(client)
    assert client.get(path_of(paying))["Location"] == ACCOUNT


def test_a_switch_to_a_fixed_price_ends_the_chosen_amount(
    paying: Membership, client: Client
) -> None:
    Price.objects.filter(kind="year").update(is_open=False)
    path = f"{ACCOUNT}{paying.pk}/switch/"
    page = client.get(path)
    assert "<strong>€5.50</strong> a month" in main_of(page)
    client.post(path, read_form(page).fields)
    paying.refresh_from_db()
    assert (paying.price, paying.amount_minor) == (Price.objects.get(kind="year"), None)
    assert paying.terms_now == paying.price


def test_the_other_open_price_of_the_plan_is_recognised(
    paying: Membership, opened: dict[str, Price]
) -> None:
    item = stripe_api.fetch_subscription(str(paying.subscription_id)).items[0]
    params = {
        "items[0][id]": item.id,
        "items[0][price_data][currency]": "eur",
        "items[0][price_data][product]": opened["year"].plan.stripe_product_id,
        "items[0][price_data][recurring][interval]": "year",
        "items[0][price_data][unit_amount]": "7000",
    }
    stripe_api.client().raw_request("post", f"/v1/subscriptions/{paying.subscription_id}", **params)
    settle(paying)
    assert (paying.price, paying.amount_minor) == (opened["year"], 7000)
    assert make_price("year", amount_minor=9900) != paying.price
