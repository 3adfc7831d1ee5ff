"""Switches between monthly and yearly: charged as shown, without changing the count."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from campaigns import jobs, members, stripe_api
from campaigns.models import Campaign, Membership, OutgoingMail, Payment, Price, Tally
from newsroom.sandbox.control import SandboxControl
from tests.conftest import deliver_events
from tests.support.extensions import Clock, claim_and_confirm, make_campaign_gift, read_next_charge
from tests.support.extensions import clock as _clock
from tests.support.factories import at, make_plan, make_price
from tests.support.mails import read_both_parts, send_mail
from tests.support.pages import UNREACHABLE, main_of, read_form
from tests.support.renewals import DECLINED_LATER, change_at_stripe, replace_card
from tests.support.rows import dump_rows, forget_sales
from tests.support.sales import settle, subscribe
from tests.support.sign_in import ACCOUNT, ADA, open_account_page, sign_in

# Half of the thirty days of the first month are left.
HALFWAY = at("2026-11-25 12:00")

clock = _clock  # a fixture


def path_of(membership: Membership) -> str:
    return f"{ACCOUNT}{membership.pk}/switch/"


def switch(client: Client, membership: Membership) -> Any:
    """Open the page and press its button."""
    path = path_of(membership)
    form = read_form(client.get(path))
    return client.post(path, form.fields)


def gross(sandbox: SandboxControl) -> int:
    return int(sandbox.books()["currencies"]["eur"]["gross_minor"])


def paid() -> list[tuple[str, int]]:
    rows = Payment.objects.filter(status="succeeded").order_by("paid_at", "pk")
    return list(rows.values_list("role", "amount_minor"))


@pytest.fixture
def monthly(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock, client: Client
) -> Membership:
    """Ada's subscription of €6 a month since 10 November; on the 25th she is signed in."""
    membership = subscribe(campaign, sandbox)
    clock.move_to(HALFWAY)
    sign_in(client)
    return membership


def test_switching_to_yearly_charges_the_amount_that_was_shown(
    monthly: Membership, sandbox: SandboxControl, client: Client, clock: Clock
) -> None:
    counted = list(Tally.objects.values())
    assert f'href="{path_of(monthly)}"' in open_account_page(client)
    page = main_of(client.get(path_of(monthly)))
    for words in (
        "<strong>€6</strong> a month",
        "<strong>€60</strong> a year",
        "You’ve already paid €3 for the rest of the current period.",
        "You’ll be charged <strong>€57</strong> today",
        "Your membership renews on 25 November 2027",
        "Pay €57 and change",
    ):
        assert words in page
    assert gross(sandbox) == 600  # viewing the page charges nothing
    answer = switch(client, monthly)
    assert answer["Location"] == f"{ACCOUNT}?done=switched"
    page = open_account_page(client)
    for words in ("<strong>€60</strong> a year", "Renews on 25 November 2027.", "€60, 25 November"):
        assert words in page
    monthly.refresh_from_db()
    assert monthly.price == Price.objects.get(kind="year")
    assert paid() == [("first", 600), ("change", 5700)]
    assert gross(sandbox) == 6300
    assert list(Tally.objects.values()) == counted
    clock.move_to(at("2027-11-25 12:05"))
    settle(monthly)
    assert paid()[2:] == [("renewal", 6000)]
    assert gross(sandbox) == 12300


@pytest.mark.thorough
def test_switching_to_monthly_credits_the_rest_of_the_year(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock, client: Client
) -> None:
    membership = subscribe(campaign, sandbox, kind="year")
    clock.move_to(at("2027-05-12 00:00"))  # after 182.5 of 365 days
    sign_in(client)
    page = main_of(client.get(path_of(membership)))
    for words in (
        "You’ve already paid €30 for the rest of the current period.",
        "You won’t be charged today.",
        "You’ll have a credit of €24.",
        "Your membership renews on 12 June 2027",
    ):
        assert words in page
    switch(client, membership)
    membership.refresh_from_db()
    assert membership.price == Price.objects.get(kind="month")
    clock.move_to(at("2027-09-12 00:05"))
    assert settle(membership) == "active"  # the credit pays for four months
    assert paid() == [("first", 6000)]
    clock.move_to(at("2027-10-12 00:05"))
    settle(membership)
    assert paid() == [("first", 6000), ("renewal", 600)]
    assert gross(sandbox) == 6600


@pytest.mark.thorough
def test_switching_back_is_exact_to_the_cent(
    monthly: Membership, sandbox: SandboxControl, clock: Clock, client: Client
) -> None:
    switch(client, monthly)
    clock.move_to(HALFWAY + timedelta(hours=1))
    sign_in(client)
    switch(client, monthly)
    clock.move_to(HALFWAY + timedelta(hours=2))
    sign_in(client)
    page = main_of(client.get(path_of(monthly)))
    due = re.search(r"You’ll be charged <strong>€([\d.]+)</strong> today", page)
    switch(client, monthly)
    settle(monthly)
    assert monthly.price == Price.objects.get(kind="year")
    ours = sum(amount for _, amount in paid())
    assert ours == gross(sandbox)
    assert [role for role, _ in paid()] == ["first", *["change"] * (1 + bool(due))]
    if due:
        assert paid()[-1][1] == round(float(due[1]) * 100)
    assert Tally.objects.count() == 1


@pytest.mark.thorough
def test_receipt_and_exported_data_have_the_new_price(monthly: Membership, client: Client) -> None:
    switch(client, monthly)
    payment = Payment.objects.get(role="change")
    for part in read_both_parts(send_mail(OutgoingMail.objects.get(payment=payment))):
        assert "€57" in part
        assert "Member, €60 a year" in part
        assert "renews every year until you cancel. Your next payment is on 25 November" in part
    [membership] = json.loads(client.get(f"{ACCOUNT}data.json").content)["memberships"]
    assert membership["price"] == {"for": "year", "amount_minor": 6000, "currency": "eur"}


def test_a_switch_that_the_bank_refuses_changes_nothing(
    monthly: Membership, sandbox: SandboxControl, client: Client
) -> None:
    replace_card(monthly, DECLINED_LATER)
    answer = switch(client, monthly)
    assert answer.status_code == 422
    assert "Your bank declined the payment, so nothing was changed." in main_of(answer)
    assert settle(monthly) == "active"
    assert monthly.price == Price.objects.get(kind="month")
    assert gross(sandbox) == 600
    replace_card(monthly)
    assert client.post(path_of(monthly), read_form(answer).fields).status_code == 303
    assert gross(sandbox) == 6300


def test_a_switch_is_refused_if_the_amounts_changed(
    monthly: Membership, sandbox: SandboxControl, clock: Clock, client: Client
) -> None:
    form = read_form(client.get(path_of(monthly)))
    clock.move_to(HALFWAY + timedelta(minutes=59, hours=2))  # the page was left open
    sign_in(client)
    answer = client.post(path_of(monthly), form.fields)
    assert answer.status_code == 422
    assert "The amounts have changed." in main_of(answer)
    assert gross(sandbox) == 600
    assert client.post(path_of(monthly), read_form(answer).fields).status_code == 303


def test_a_double_click_switches_once(
    monthly: Membership, sandbox: SandboxControl, client: Client
) -> None:
    form = read_form(client.get(path_of(monthly)))
    for _ in range(2):
        client.post(path_of(monthly), form.fields)
    assert paid() == [("first", 600), ("change", 5700)]
    assert gross(sandbox) == 6300


@pytest.mark.thorough
def test_a_switch_whose_answer_was_lost_is_not_previewed_again(
    monthly: Membership, sandbox: SandboxControl, client: Client
) -> None:
    form = read_form(client.get(path_of(monthly)))
    planned = members.plan_switch(monthly, Price.objects.get(kind="year"))
    members.make_switch(monthly, planned)  # our row isn't updated yet
    with pytest.raises(members.SwitchClosed):
        members.plan_switch(monthly, Price.objects.get(kind="year"))
    answer = client.post(path_of(monthly), form.fields)
    assert answer["Location"] == f"{ACCOUNT}?done=switched"
    assert "<strong>€60</strong> a year" in open_account_page(client)
    assert gross(sandbox) == 6300


def test_a_subscription_in_another_currency_cannot_be_switched(
    monthly: Membership, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stripe showed and charged the reader's own currency, and would prorate in it."""
    year = Price.objects.get(kind="year")
    abroad = replace(stripe_api.fetch_subscription(str(monthly.subscription_id)), currency="usd")
    with monkeypatch.context() as patch:
        patch.setattr(stripe_api, "fetch_subscription", lambda _: abroad)
        with pytest.raises(members.SwitchClosed):
            members.plan_switch(monthly, year)
    assert path_of(monthly) in open_account_page(client)
    Payment.objects.update(currency="usd")
    assert path_of(monthly) not in open_account_page(client)


def test_an_outage_of_stripe_changes_nothing_and_keeps_the_choice(
    monthly: Membership, sandbox: SandboxControl, client: Client, settings: LazySettings
) -> None:
    form = read_form(client.get(path_of(monthly)))
    url, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, UNREACHABLE
    assert client.get(path_of(monthly)).status_code == 503
    answer = client.post(path_of(monthly), form.fields)
    assert (answer.status_code, read_form(answer).action) == (503, path_of(monthly))
    settings.STRIPE_API_BASE = url
    assert gross(sandbox) == 600


@pytest.mark.thorough
@pytest.mark.parametrize("why", ["cancelled", "paused", "ended"])
def test_a_subscription_that_changed_at_stripe_is_not_switched(
    monthly: Membership, client: Client, why: str
) -> None:
    form = read_form(client.get(path_of(monthly)))
    if why == "ended":
        stripe_api.end_subscription(str(monthly.subscription_id))
    elif why == "paused":
        change_at_stripe(monthly, pause_collection={"behavior": "void"})
    else:
        change_at_stripe(monthly, cancel_at_period_end=True)
    assert client.post(path_of(monthly), form.fields)["Location"] == f"{ACCOUNT}?done=unconfirmed"
    assert len(paid()) == 1
    settle(monthly)
    assert path_of(monthly) not in open_account_page(client)
    assert client.get(path_of(monthly))["Location"] == ACCOUNT


def test_a_member_chooses_between_several_prices(monthly: Membership, client: Client) -> None:
    patron = make_price("year", plan=make_plan("patron"), amount_minor=12000)
    page = main_of(client.get(path_of(monthly)))
    year = Price.objects.get(kind="year", amount_minor=6000)
    for price in (year, patron):
        assert f'href="?price={price.pk}"' in page
    assert "€120" in page
    assert "You’ll be charged <strong>€57</strong> today" in main_of(
        client.get(f"{path_of(monthly)}?price={year.pk}")
    )
    assert 'href="?price=' in main_of(client.get(f"{path_of(monthly)}?price=0"))


def test_no_switch_is_offered_without_another_price(monthly: Membership, client: Client) -> None:
    Price.objects.filter(kind="year").update(is_active=False)
    assert path_of(monthly) not in open_account_page(client)
    assert client.get(path_of(monthly))["Location"] == ACCOUNT


def test_the_plan_follows_the_price_and_an_unknown_price_is_ignored(
    monthly: Membership, sandbox: SandboxControl
) -> None:
    v1 = stripe_api.client().v1
    [item] = stripe_api.fetch_subscription(str(monthly.subscription_id)).items
    product = v1.prices.retrieve(item.price_id).to_dict()["product"]
    made = v1.prices.create(
        {
            "product": product,
            "currency": "eur",
            "unit_amount": 900,
            "recurring": {"interval": "month"},
        }
    )
    change_at_stripe(monthly, items=[{"id": item.id, "price": made.id}])
    settle(monthly)
    assert (monthly.price, monthly.plan) == (Price.objects.get(kind="month"), make_plan())
    patron = make_price(
        "month", plan=make_plan("patron"), amount_minor=900, stripe_price_id=made.id
    )
    settle(monthly)
    assert (monthly.price, monthly.plan) == (patron, patron.plan)


# Gifts


@pytest.mark.thorough
def test_the_new_price_starts_after_the_gifts(
    campaign: Campaign, monthly: Membership, sandbox: SandboxControl, clock: Clock, client: Client
) -> None:
    claim_and_confirm(make_campaign_gift(campaign, months=3), email=ADA)
    jobs.run_due_jobs()
    settle(monthly)
    page = main_of(client.get(path_of(monthly)))
    assert "You won’t be charged today because a gift pays for your membership." in page
    assert "Your membership renews on 10 March 2027" in page
    assert switch(client, monthly)["Location"] == f"{ACCOUNT}?done=switched"
    assert read_next_charge(monthly) == at("2027-03-10 12:00")
    assert "€60, 10 March 2027" in open_account_page(client)
    clock.move_to(at("2027-03-10 12:05"))
    settle(monthly)
    own = [payment for payment in paid() if payment[0] != "gift"]
    assert own == [("first", 600), ("renewal", 6000)]
    assert gross(sandbox) == 6600


@pytest.mark.thorough
def test_a_gift_starts_after_the_new_period_if_stripe_does_not_know_it_yet(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    """Claimed in a paid year that is switched to monthly before the job runs."""
    yearly = subscribe(campaign, sandbox, kind="year")
    clock.move_to(at("2027-05-10 12:00"))
    gift = claim_and_confirm(make_campaign_gift(campaign, months=2), email=ADA)
    planned = members.plan_switch(yearly, Price.objects.get(kind="month"))
    members.make_switch(yearly, planned)
    jobs.run_due_jobs()
    assert gift.membership is not None
    gift.membership.refresh_from_db()
    assert gift.membership.started_at == at("2027-06-10 12:00")
    assert read_next_charge(yearly) == at("2027-08-10 12:00")


# Any order


@pytest.mark.thorough
def test_every_order_of_its_events_ends_in_the_same_rows(
    monthly: Membership, sandbox: SandboxControl, clock: Clock, client: Client
) -> None:
    switch(client, monthly)
    clock.move_to(at("2027-11-25 12:05"))
    event_ids = [event["id"] for event in sandbox.events()]
    ended = []
    for order in (event_ids, event_ids[::-1], [*event_ids[5:], *event_ids[:8]]):
        forget_sales()
        deliver_events(sandbox, client, order)
        ended.append(dump_rows())
    assert ended[0] == ended[1] == ended[2]
    assert paid() == [("first", 600), ("change", 5700), ("renewal", 6000)]
