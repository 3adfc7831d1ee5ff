"""Subscriptions at our prices that were sold in Stripe's dashboard, and their adoption."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from campaigns import actions, jobs, settlement, stripe_api
from campaigns.models import (
    Campaign,
    Checkout,
    Member,
    Membership,
    OutgoingMail,
    StripeEvent,
    StripeSale,
)
from campaigns.reports.attention import CONCERNS
from newsroom.sandbox.control import SandboxControl
from tests.conftest import deliver_events
from tests.support.erasures import erase
from tests.support.factories import at, make_campaign
from tests.support.sales import buy, sell_at_stripe

DAY = 86_400


def deliver_all(sandbox: SandboxControl, client: Client, *, since: int = 0) -> None:
    deliver_events(sandbox, client, [event["id"] for event in sandbox.events()[since:]])


def concerned_sales() -> list[Any]:
    [concern] = [each for each in CONCERNS if each.name == "sold-at-stripe"]
    return list(concern.rows())


def count_people(campaign: Campaign) -> int:
    return campaign.tallies.filter(member__isnull=False).count()


@pytest.fixture
def sale(campaign: Campaign, sandbox: SandboxControl, client: Client) -> StripeSale:
    """A yearly subscription of Ada's, sold in the dashboard and paid; its events have arrived."""
    sell_at_stripe(sandbox)
    deliver_all(sandbox, client)
    return StripeSale.objects.get()


def test_a_subscription_sold_in_the_dashboard_is_listed_and_needs_attention(
    sale: StripeSale,
) -> None:
    assert (sale.email, sale.price.kind, sale.status) == ("ada@example.org", "year", "active")
    assert concerned_sales() == [sale]
    assert not Member.objects.exists()
    event = StripeEvent.objects.get(type="customer.subscription.created")
    assert event.reason == StripeEvent.Reason.OUR_PRICE
    assert event.status == StripeEvent.Status.IGNORED


def test_adopting_makes_the_person_the_membership_and_the_payment_and_counts_once(
    sale: StripeSale, campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    sandbox.advance(DAY)
    checkout = actions.adopt_stripe_sale(sale.pk)
    member = Member.objects.get()
    assert (member.email, member.name, member.language) == ("ada@example.org", "Ada Reader", "uk")
    membership = member.memberships.get()
    assert (membership.status, membership.source) == ("active", "subscription")
    assert membership.subscription_id == sale.subscription_id
    payment = member.payments.get()
    assert (payment.role, payment.amount_minor, payment.campaign) == ("first", 6000, campaign)
    assert (checkout.status, checkout.campaign) == (Checkout.Status.PAID, campaign)
    assert count_people(campaign) == 1
    deliver_all(sandbox, client)
    assert (Member.objects.count(), Membership.objects.count()) == (1, 1)
    assert count_people(campaign) == 1
    assert concerned_sales() == []
    sale.refresh_from_db()
    assert (sale.checkout, sale.email) == (checkout, "")


def test_nobody_gets_an_email_about_what_was_paid_before_the_adoption(
    sale: StripeSale, sandbox: SandboxControl
) -> None:
    actions.adopt_stripe_sale(sale.pk)
    assert not OutgoingMail.objects.exists()
    sandbox.advance(days=15)
    sandbox.renew(sale.subscription_id, outcome="paid")
    settlement.settle_object("subscription", sale.subscription_id)
    renewal = Member.objects.get().payments.get(role="renewal")
    assert renewal.paid_at > renewal.checkout.created_at  # type: ignore[union-attr]
    kinds = OutgoingMail.objects.values_list("kind", flat=True)
    assert list(kinds) == [OutgoingMail.Kind.RECEIPT, OutgoingMail.Kind.WELCOME]


def test_an_adopted_membership_follows_later_events_and_reconcile(
    sale: StripeSale, sandbox: SandboxControl, client: Client
) -> None:
    actions.adopt_stripe_sale(sale.pk)
    before = len(sandbox.events())
    stripe_api.cancel_subscription_at_period_end(sale.subscription_id)
    deliver_all(sandbox, client, since=before)
    membership = Membership.objects.get()
    assert membership.is_cancelling
    payment = membership.payments.get()
    sandbox.advance(DAY)
    stripe_api.refund_payment(str(payment.intent_id), amount_minor=6000, idempotency_key="all")
    report = settlement.reconcile()
    assert report.is_equal
    assert payment.refunds.get().amount_minor == 6000
    assert report.not_ours.count == 0


def test_a_person_who_was_shown_as_ended_is_a_member_again(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    bought = buy(campaign, sandbox, "year")
    membership = Membership.objects.get(checkout=bought)
    stripe_api.end_subscription(str(membership.subscription_id))
    sell_at_stripe(sandbox, "month", email="Ada@Example.org")
    deliver_all(sandbox, client)
    actions.adopt_stripe_sale(StripeSale.objects.get().pk)
    member = Member.objects.get()
    statuses = member.memberships.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["ended", "active"]
    assert count_people(campaign) == 1


def test_an_adopted_sale_belongs_to_the_campaign_of_its_first_payment(
    sale: StripeSale, campaign: Campaign
) -> None:
    make_campaign(slug="winter", priority=campaign.priority + 1)
    assert actions.adopt_stripe_sale(sale.pk).campaign == Campaign.objects.get(slug="winter")


def test_a_sale_from_before_the_campaign_is_adopted_without_counting(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    sandbox.freeze(int(campaign.starts_at.timestamp()) - 40 * DAY)
    sell_at_stripe(sandbox, "month")
    sandbox.freeze(int(campaign.starts_at.timestamp()) + 5 * DAY)
    deliver_all(sandbox, client)
    checkout = actions.adopt_stripe_sale(StripeSale.objects.get().pk)
    assert checkout.campaign is None
    assert Member.objects.get().payments.count() == 2
    assert count_people(campaign) == 0


def test_a_setting_adopts_automatically(
    campaign: Campaign, sandbox: SandboxControl, client: Client, settings: LazySettings
) -> None:
    settings.ADOPT_STRIPE_SALES = True
    sell_at_stripe(sandbox)
    deliver_all(sandbox, client)
    jobs.run_due_jobs()
    assert Membership.objects.get().status == "active"
    assert count_people(campaign) == 1
    assert not jobs.find_job("stripe_sales").is_due(at=at("2027-01-01 00:00"))


def test_a_sale_without_an_address_is_refused_and_says_why(
    campaign: Campaign, sandbox: SandboxControl, client: Client, settings: LazySettings
) -> None:
    settings.ADOPT_STRIPE_SALES = True
    sell_at_stripe(sandbox, email="")
    deliver_all(sandbox, client)
    jobs.run_due_jobs()
    sale = StripeSale.objects.get()
    assert "no e-mail address" in sale.error
    assert concerned_sales() == [sale]


def test_a_sale_is_adopted_once(sale: StripeSale) -> None:
    actions.adopt_stripe_sale(sale.pk)
    with pytest.raises(actions.AdoptionRefused, match="already"):
        actions.adopt_stripe_sale(sale.pk)
    assert Checkout.objects.count() == 1


def test_a_sale_that_ended_or_was_left_out_needs_no_attention(
    sale: StripeSale, sandbox: SandboxControl, client: Client
) -> None:
    assert actions.leave_out_stripe_sale(sale.pk)
    assert concerned_sales() == []
    sell_at_stripe(sandbox, email="ben@example.org")
    deliver_all(sandbox, client)
    other = StripeSale.objects.get(email="ben@example.org")
    before = len(sandbox.events())
    stripe_api.end_subscription(other.subscription_id)
    deliver_all(sandbox, client, since=before)
    assert concerned_sales() == []
    with pytest.raises(actions.AdoptionRefused, match="has ended"):
        actions.adopt_stripe_sale(other.pk)


def test_a_subscription_at_another_price_is_not_listed(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    v1 = stripe_api.client().v1
    price: Any = {"currency": "eur", "unit_amount": 900, "recurring": {"interval": "month"}}
    other = v1.prices.create(price | {"product_data": {"name": "Another product"}})
    customer = v1.customers.create({"email": "ada@example.org"})
    sandbox.add_card(customer.id)
    v1.subscriptions.create({"customer": customer.id, "items": [{"price": other.id}]})
    deliver_all(sandbox, client)
    assert not StripeSale.objects.exists()
    assert not StripeEvent.objects.filter(reason=StripeEvent.Reason.OUR_PRICE).exists()


def test_an_erasure_removes_the_address_of_a_sale_that_nobody_adopted(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    sell_at_stripe(sandbox)
    deliver_all(sandbox, client)
    member = Member.objects.get_or_create_by_email("ada@example.org")
    assert erase(member).done_at is not None
    assert StripeSale.objects.get().email == ""
    settlement.settle_object("subscription", StripeSale.objects.get().subscription_id)
    assert StripeSale.objects.get().email == ""
