"""From a month to a year and back: what is shown is what is charged, and nobody counts anew."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from campaigns import members, stripe_api, tasks
from campaigns.models import Campaign, Membership, OutgoingMail, Payment, Price, Tally
from newsroom.sandbox.control import SandboxControl
from tests.conftest import deliver_events
from tests.settlement.test_permutations import dump_rows, forget_sales
from tests.support.extensions import Clock, claim, give, next_charge
from tests.support.extensions import clock as _clock
from tests.support.factories import at, make_plan, make_price
from tests.support.mails import both, deliver
from tests.support.pages import NOBODY, main_of, read_form
from tests.support.renewals import DECLINED_LATER, change, mend_card, settle, subscribe
from tests.support.sign_in import ADA, MINE, look, sign_in

# Half of the thirty days of the first month are left.
HALFWAY = at("2026-11-25 12:00")

clock = _clock  # a fixture


def path_of(membership: Membership) -> str:
    return f"{MINE}{membership.pk}/switch/"


def switch(client: Client, membership: Membership) -> Any:
    """As a reader does: look, and press the button."""
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
    """Ada's, of €6 a month since 10 November; it is the 25th, and she has opened her page."""
    membership = subscribe(campaign, sandbox)
    clock.move_to(HALFWAY)
    sign_in(client)
    return membership


def test_a_month_becomes_a_year_at_the_figures_that_were_shown(
    monthly: Membership, sandbox: SandboxControl, client: Client, clock: Clock
) -> None:
    counted = list(Tally.objects.values())
    assert f'href="{path_of(monthly)}"' in look(client)
    page = main_of(client.get(path_of(monthly)))
    for words in (
        "<strong>€6</strong> a month",
        "<strong>€60</strong> a year",
        "Of what you paid, €3 is for time that is still to come.",
        "You pay <strong>€57</strong> now",
        "It renews on 25 November 2027",
        "Pay €57 and change",
    ):
        assert words in page
    assert gross(sandbox) == 600  # looking costs nothing
    answer = switch(client, monthly)
    assert answer["Location"] == f"{MINE}?done=switched"
    page = look(client)
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


def test_a_year_becomes_a_month_and_the_rest_of_it_pays_the_months(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock, client: Client
) -> None:
    membership = subscribe(campaign, sandbox, kind="year")
    clock.move_to(at("2027-05-12 00:00"))  # 182 and a half of 365 days are gone
    sign_in(client)
    page = main_of(client.get(path_of(membership)))
    for words in (
        "Of what you paid, €30 is for time that is still to come.",
        "You pay nothing now.",
        "€24 is left over.",
        "It renews on 12 June 2027",
    ):
        assert words in page
    switch(client, membership)
    membership.refresh_from_db()
    assert membership.price == Price.objects.get(kind="month")
    clock.move_to(at("2027-09-12 00:05"))
    assert settle(membership) == "active"  # four months are paid by what was left
    assert paid() == [("first", 6000)]
    clock.move_to(at("2027-10-12 00:05"))
    settle(membership)
    assert paid() == [("first", 6000), ("renewal", 600)]
    assert gross(sandbox) == 6600


def test_there_and_back_is_paid_to_the_cent(
    monthly: Membership, sandbox: SandboxControl, clock: Clock, client: Client
) -> None:
    switch(client, monthly)
    clock.move_to(HALFWAY + timedelta(hours=1))
    sign_in(client)
    switch(client, monthly)
    clock.move_to(HALFWAY + timedelta(hours=2))
    sign_in(client)
    page = main_of(client.get(path_of(monthly)))
    due = re.search(r"You pay <strong>€([\d.]+)</strong> now", page)
    switch(client, monthly)
    settle(monthly)
    assert monthly.price == Price.objects.get(kind="year")
    ours = sum(amount for _, amount in paid())
    assert ours == gross(sandbox)
    assert [role for role, _ in paid()] == ["first", *["change"] * (1 + bool(due))]
    if due:
        assert paid()[-1][1] == round(float(due[1]) * 100)
    assert Tally.objects.count() == 1


def test_the_receipt_and_the_data_tell_the_new_price(monthly: Membership, client: Client) -> None:
    switch(client, monthly)
    payment = Payment.objects.get(role="change")
    for part in both(deliver(OutgoingMail.objects.get(payment=payment))):
        assert "€57" in part
        assert "Member, €60 a year" in part
        assert "renews every year until you cancel. Your next payment is on 25 November" in part
    [told] = json.loads(client.get(f"{MINE}data.json").content)["memberships"]
    assert told["price"] == {"for": "year", "amount_minor": 6000, "currency": "eur"}


def test_a_bank_that_says_no_leaves_all_as_it_was(
    monthly: Membership, sandbox: SandboxControl, client: Client
) -> None:
    mend_card(monthly, DECLINED_LATER)
    answer = switch(client, monthly)
    assert answer.status_code == 422
    assert "Your bank did not take the payment, so nothing was changed." in main_of(answer)
    assert settle(monthly) == "active"
    assert monthly.price == Price.objects.get(kind="month")
    assert gross(sandbox) == 600
    mend_card(monthly)
    assert client.post(path_of(monthly), read_form(answer).fields).status_code == 303
    assert gross(sandbox) == 6300


def test_nobody_agrees_to_other_amounts_than_those_that_they_saw(
    monthly: Membership, sandbox: SandboxControl, clock: Clock, client: Client
) -> None:
    form = read_form(client.get(path_of(monthly)))
    clock.move_to(HALFWAY + timedelta(minutes=59, hours=2))  # the page was left open
    sign_in(client)
    answer = client.post(path_of(monthly), form.fields)
    assert answer.status_code == 422
    assert "the amounts are others by now" in main_of(answer)
    assert gross(sandbox) == 600
    assert client.post(path_of(monthly), read_form(answer).fields).status_code == 303


def test_a_second_click_changes_nothing_more(
    monthly: Membership, sandbox: SandboxControl, client: Client
) -> None:
    form = read_form(client.get(path_of(monthly)))
    for _ in range(2):
        client.post(path_of(monthly), form.fields)
    assert paid() == [("first", 600), ("change", 5700)]
    assert gross(sandbox) == 6300


def test_a_switch_whose_answer_was_lost_is_found_and_not_priced_again(
    monthly: Membership, sandbox: SandboxControl, client: Client
) -> None:
    form = read_form(client.get(path_of(monthly)))
    planned = members.plan_switch(monthly, Price.objects.get(kind="year"))
    members.make_switch(monthly, planned)  # and our row knows nothing of it
    with pytest.raises(members.SwitchClosed):
        members.plan_switch(monthly, Price.objects.get(kind="year"))
    answer = client.post(path_of(monthly), form.fields)
    assert answer["Location"] == f"{MINE}?done=switched"
    assert "<strong>€60</strong> a year" in look(client)
    assert gross(sandbox) == 6300


def test_what_is_paid_in_another_currency_is_not_switched(
    monthly: Membership, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its reader was shown theirs at Stripe, and Stripe would reckon in that."""
    year = Price.objects.get(kind="year")
    abroad = stripe_api.fetch_subscription(str(monthly.subscription_id)) | {"currency": "usd"}
    with monkeypatch.context() as patch:
        patch.setattr(stripe_api, "fetch_subscription", lambda _: abroad)
        with pytest.raises(members.SwitchClosed):
            members.plan_switch(monthly, year)
    assert path_of(monthly) in look(client)
    Payment.objects.update(currency="usd")
    assert path_of(monthly) not in look(client)


def test_while_stripe_is_away_nothing_is_changed_and_the_choice_is_kept(
    monthly: Membership, sandbox: SandboxControl, client: Client, settings: LazySettings
) -> None:
    form = read_form(client.get(path_of(monthly)))
    url, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, NOBODY
    assert client.get(path_of(monthly)).status_code == 503
    answer = client.post(path_of(monthly), form.fields)
    assert (answer.status_code, read_form(answer).action) == (503, path_of(monthly))
    settings.STRIPE_API_BASE = url
    assert gross(sandbox) == 600


@pytest.mark.parametrize("why", ["cancelled", "paused", "ended"])
def test_what_changed_at_stripe_meanwhile_is_not_switched(
    monthly: Membership, client: Client, why: str
) -> None:
    form = read_form(client.get(path_of(monthly)))
    if why == "ended":
        stripe_api.end_subscription(str(monthly.subscription_id))
    elif why == "paused":
        change(monthly, pause_collection={"behavior": "void"})
    else:
        change(monthly, cancel_at_period_end=True)
    assert client.post(path_of(monthly), form.fields)["Location"] == f"{MINE}?done=unconfirmed"
    assert len(paid()) == 1
    settle(monthly)
    assert path_of(monthly) not in look(client)
    assert client.get(path_of(monthly))["Location"] == MINE


def test_of_several_prices_one_is_chosen_first(monthly: Membership, client: Client) -> None:
    patron = make_price("year", plan=make_plan("patron"), amount_minor=12000)
    page = main_of(client.get(path_of(monthly)))
    year = Price.objects.get(kind="year", amount_minor=6000)
    for price in (year, patron):
        assert f'href="?price={price.pk}"' in page
    assert "€120" in page
    assert "You pay <strong>€57</strong> now" in main_of(
        client.get(f"{path_of(monthly)}?price={year.pk}")
    )
    assert 'href="?price=' in main_of(client.get(f"{path_of(monthly)}?price=0"))


def test_without_another_price_nothing_is_offered(monthly: Membership, client: Client) -> None:
    Price.objects.filter(kind="year").update(is_active=False)
    assert path_of(monthly) not in look(client)
    assert client.get(path_of(monthly))["Location"] == MINE


def test_a_plan_follows_its_price_and_what_is_none_of_ours_is_the_checkouts(
    monthly: Membership, sandbox: SandboxControl
) -> None:
    item = stripe_api.fetch_subscription(str(monthly.subscription_id))["items"]["data"][0]
    product = item["price"]["product"]
    made = stripe_api.client().v1.prices.create(
        {
            "product": product,
            "currency": "eur",
            "unit_amount": 900,
            "recurring": {"interval": "month"},
        }
    )
    change(monthly, items=[{"id": item["id"], "price": made.id}])
    settle(monthly)
    assert (monthly.price, monthly.plan) == (Price.objects.get(kind="month"), make_plan())
    patron = make_price(
        "month", plan=make_plan("patron"), amount_minor=900, stripe_price_id=made.id
    )
    settle(monthly)
    assert (monthly.price, monthly.plan) == (patron, patron.plan)


# With gifts


def test_while_gifts_pay_nothing_is_charged_and_the_new_price_begins_after_them(
    campaign: Campaign, monthly: Membership, sandbox: SandboxControl, clock: Clock, client: Client
) -> None:
    claim(give(campaign, months=3), email=ADA)
    tasks.sweep()
    settle(monthly)
    page = main_of(client.get(path_of(monthly)))
    assert "Nothing is charged now: a gift pays for your membership." in page
    assert "It renews on 10 March 2027" in page
    assert switch(client, monthly)["Location"] == f"{MINE}?done=switched"
    assert next_charge(monthly) == at("2027-03-10 12:00")
    assert "€60, 10 March 2027" in look(client)
    clock.move_to(at("2027-03-10 12:05"))
    settle(monthly)
    own = [payment for payment in paid() if payment[0] != "gift"]
    assert own == [("first", 600), ("renewal", 6000)]
    assert gross(sandbox) == 6600


def test_a_gift_of_which_stripe_was_not_told_yet_begins_where_the_new_period_ends(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    """Claimed in a year that was paid, which becomes a month before the sweep comes."""
    yearly = subscribe(campaign, sandbox, kind="year")
    clock.move_to(at("2027-05-10 12:00"))
    gift = claim(give(campaign, months=2), email=ADA)
    planned = members.plan_switch(yearly, Price.objects.get(kind="month"))
    members.make_switch(yearly, planned)
    tasks.sweep()
    assert gift.membership is not None
    gift.membership.refresh_from_db()
    assert gift.membership.started_at == at("2027-06-10 12:00")
    assert next_charge(yearly) == at("2027-08-10 12:00")


# Any order


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
