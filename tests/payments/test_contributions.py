"""Contributions without membership: money for a goal, and never a member."""

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from campaigns import actions, members, progress, settlement
from campaigns.forms.offers import name_amount
from campaigns.members.receipts import render_receipt
from campaigns.models import (
    Campaign,
    Checkout,
    Goal,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    Plan,
    Price,
    Tally,
)
from campaigns.reports import gather_report
from newsroom.sandbox.control import SandboxControl
from tests.support.erasures import erase
from tests.support.factories import make_plan, make_price
from tests.support.mails import read_both_parts, send_mail
from tests.support.pages import main_of, read_form
from tests.support.refunds import refund_at_stripe
from tests.support.sales import CARD, buy, subscribe
from tests.support.sign_in import open_account_page, sign_in

FORM = "/campaign/birthday/contribute/"
ACCOUNT = "/membership/account/"


@pytest.fixture
def price(campaign: Campaign) -> Price:
    """An open price of €20, in a campaign that takes contributions and has a goal in money."""
    price = make_price(
        "contribution",
        plan=make_plan("contribution"),
        amount_minor=2000,
        is_open=True,
        stripe_price_id="",
    )
    call_command("stripe_setup", "--no-webhook")
    campaign.takes_contributions = True
    campaign.save()
    Goal.objects.create(campaign=campaign, kind=Goal.Kind.MONEY, target=100_000)
    price.refresh_from_db()
    return price


def contribute(
    client: Client, sandbox: SandboxControl, price: Price, amount: str = "12,50", **typed: str
) -> Checkout:
    fields = read_form(client.get(FORM)).fields
    fields |= {"price": f"{price.pk}-other", name_amount(price): amount}
    fields |= {"name": "Ada Reader", "email": "ada@example.org"} | typed
    answer = client.post(FORM, fields)
    assert answer.status_code == 303, main_of(answer)
    checkout = Checkout.objects.get(session_url=answer["Location"])
    sandbox.pay(str(checkout.session_id), card=CARD, name="Ada Reader")
    return settlement.settle_checkout(checkout.pk)


def count(campaign: Campaign) -> dict[str, int]:
    goals = campaign.goals.all()
    return {goal.kind: progress.measure_goal(goal, at=timezone.now()).counted for goal in goals}


def test_a_contribution_counts_as_money_and_never_as_a_member(
    campaign: Campaign, price: Price, client: Client, sandbox: SandboxControl
) -> None:
    checkout = contribute(client, sandbox, price)
    assert checkout.status == Checkout.Status.PAID
    payment = Payment.objects.get()
    assert (payment.role, payment.amount_minor, payment.membership) == ("contribution", 1250, None)
    assert not Membership.objects.exists()
    assert not Tally.objects.exists()
    assert count(campaign) == {"new_members": 0, "money": 1250}
    report = gather_report(campaign, at=timezone.now())
    assert [(total.currency, total.net_minor) for total in report.money.totals] == [("eur", 1250)]
    assert list(OutgoingMail.objects.values_list("kind", flat=True)) == ["receipt"]


def test_the_reader_is_thanked(
    campaign: Campaign, price: Price, client: Client, sandbox: SandboxControl
) -> None:
    checkout = contribute(client, sandbox, price)
    page = main_of(client.get(f"/membership/thanks/{checkout.pk}/"))
    assert "You contributed €12.50. You won’t be charged again." in page
    assert "Your contribution doesn’t start a membership" in page
    assert "of €1,000 raised" in page  # the goal that it counts towards
    assert "new members" not in page
    for part in read_both_parts(send_mail(OutgoingMail.objects.get())):
        assert "Contribution without membership" in part
        assert "€12.50" in part
        assert "Your contribution doesn’t start a membership" in part
    payment = Payment.objects.get()
    assert render_receipt(payment, language="en").startswith(b"%PDF")
    row = members.load_overview(payment.member, at=timezone.now()).payments[0]
    assert members.describe_purpose(row, language="en") == "Contribution without membership"


def test_a_member_adds_one_and_is_not_counted_again(
    campaign: Campaign, price: Price, client: Client, sandbox: SandboxControl
) -> None:
    membership = subscribe(campaign, sandbox)
    counted = list(Tally.objects.values())
    sign_in(client)
    assert f'href="{FORM}"' in open_account_page(client)
    page = client.get(FORM)
    assert "no-store" in page["Cache-Control"]  # who signs out leaves no name behind
    fields = read_form(page).fields
    assert (fields["name"], fields["email"]) == ("Ada Reader", "ada@example.org")
    contribute(client, sandbox, price)
    assert list(Tally.objects.values()) == counted
    assert count(campaign) == {"new_members": 1, "money": 600 + 1250}
    membership.refresh_from_db()
    assert membership.status == Membership.Status.ACTIVE
    assert "Contribution without membership" in open_account_page(client)
    assert Member.objects.count() == 1


def test_a_contributor_counts_once_they_join(
    campaign: Campaign, price: Price, client: Client, sandbox: SandboxControl
) -> None:
    contribute(client, sandbox, price)
    buy(campaign, sandbox)
    assert count(campaign) == {"new_members": 1, "money": 6000 + 1250}


@pytest.mark.parametrize("amount_minor", [250, 1250])
def test_a_refund_is_taken_from_the_money(
    campaign: Campaign, price: Price, client: Client, sandbox: SandboxControl, amount_minor: int
) -> None:
    contribute(client, sandbox, price)
    payment = Payment.objects.get()
    refund_at_stripe(payment, amount_minor)
    assert count(campaign) == {"new_members": 0, "money": 1250 - amount_minor}
    assert not actions.can_end_membership(payment)


def test_the_person_is_erased_and_the_money_stays(
    campaign: Campaign, price: Price, client: Client, sandbox: SandboxControl
) -> None:
    contribute(client, sandbox, price)
    member = Member.objects.get()
    data = members.gather_data(member)
    assert [each["for"] for each in data["payments"]] == ["contribution"]
    assert [each["kind"] for each in data["sign_ups"]] == ["contribution"]
    erase(member)
    assert not Checkout.objects.filter(email="ada@example.org").exists()
    assert count(campaign) == {"new_members": 0, "money": 1250}


def test_only_a_campaign_that_takes_them_has_the_form(
    campaign: Campaign, price: Price, client: Client, sandbox: SandboxControl
) -> None:
    assert f'href="{FORM}' in main_of(client.get("/campaign/birthday/join/"))
    checkout = contribute(client, sandbox, price)
    Campaign.objects.update(takes_contributions=False)
    assert client.get(FORM).status_code == 404
    assert client.get(f"/membership/thanks/{checkout.pk}/").status_code == 200
    assert "contribute" not in main_of(client.get("/campaign/birthday/join/"))


def test_a_membership_cannot_be_ordered_at_its_price(
    campaign: Campaign, price: Price, client: Client
) -> None:
    fields = read_form(client.get("/campaign/birthday/join/")).fields
    typed = {"price": f"{price.pk}-2000", "name": "Ada", "email": "ada@example.org"}
    answer = client.post("/campaign/birthday/join/", fields | typed)
    assert answer.status_code == 422
    assert not Checkout.objects.exists()
    assert Plan.objects.count() == 2


def test_a_reader_who_left_comes_back_to_the_form(
    campaign: Campaign, price: Price, client: Client
) -> None:
    fields = read_form(client.get(FORM)).fields | {"price": f"{price.pk}-2000"}
    client.post(FORM, fields | {"name": "Ada Reader", "email": "ada@example.org"})
    checkout = Checkout.objects.get()
    page = client.get(f"/membership/cancelled/{checkout.pk}/")
    assert f"{FORM}?again={checkout.pk}" in main_of(page)
    again = read_form(client.get(f"{FORM}?again={checkout.pk}")).fields
    assert (again["name"], again["price"]) == ("Ada Reader", f"{price.pk}-2000")


def in_currency(price: Price, currency: str) -> Price:
    """Return the same price in another currency, with €20 in its smallest units."""
    Price.objects.filter(pk=price.pk).update(
        currency=currency, minimum_minor=None, maximum_minor=None, amount_minor=2000
    )
    Campaign.objects.update(currency=currency)
    price.refresh_from_db()
    return price


@pytest.mark.parametrize(
    ("amount", "paid"),
    [
        ("5,50", ("eur", 550)),
        ("5.50", ("eur", 550)),
        ("500", ("jpy", 500)),
        ("5,500", ("kwd", 5500)),
    ],
)
def test_the_amount_typed_is_the_amount_paid(
    price: Price, client: Client, sandbox: SandboxControl, amount: str, paid: tuple[str, int]
) -> None:
    currency, minor = paid
    checkout = contribute(client, sandbox, in_currency(price, currency), amount)
    assert (checkout.amount_minor, checkout.currency) == (minor, currency)
    payment = checkout.payments.get()
    assert (payment.amount_minor, payment.currency) == (minor, currency)


@pytest.mark.parametrize(
    ("currency", "amount", "words"),
    [
        ("eur", "0", "Enter at least"),
        ("eur", "1e9", "Enter an amount like 60 or 60.50."),
        ("eur", "1000000000", "Enter at most"),
        ("jpy", "5.50", "Too many decimal places for this currency."),
        ("kwd", "5.555", "Enter a multiple of"),
    ],
)
def test_a_wrong_amount_is_refused_and_kept(
    price: Price, client: Client, currency: str, amount: str, words: str
) -> None:
    price = in_currency(price, currency)
    typed = {"price": f"{price.pk}-other", name_amount(price): amount}
    fields = read_form(client.get(FORM)).fields | typed
    answer = client.post(FORM, fields | {"name": "Ada Reader", "email": "ada@example.org"})
    assert answer.status_code == 422
    assert words in main_of(answer)
    assert f'value="{amount}"' in main_of(answer)
    assert not Checkout.objects.exists()
