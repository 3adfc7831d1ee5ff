"""Staff adopt subscriptions that were sold at Stripe, one or many."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from campaigns import settlement
from campaigns.models import Campaign, Checkout, Membership, StripeSale
from newsroom.sandbox.control import SandboxControl
from tests.support.sales import sell_at_stripe
from tests.support.staff import (
    admin_url,
    grant_permissions,
    read_messages,
    read_page,
    run_action,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sales(campaign: Campaign, sandbox: SandboxControl) -> list[StripeSale]:
    for email in ("ada@example.org", "ben@example.org"):
        settlement.settle_object("subscription", sell_at_stripe(sandbox, email=email))
    return list(StripeSale.objects.order_by("pk"))


@pytest.mark.usefixtures("editor")
def test_many_sales_are_adopted_from_the_list(
    client: Client, sales: list[StripeSale], campaign: Campaign
) -> None:
    response = run_action(client, StripeSale, "adopt", *[sale.pk for sale in sales])
    assert "2 subscriptions adopted." in read_messages(response)
    assert Membership.objects.filter(status="active").count() == 2
    assert campaign.tallies.count() == 2
    assert "needs a decision" not in read_page(response)
    again = run_action(client, StripeSale, "adopt", sales[0].pk)
    assert "already" in read_messages(again)


@pytest.mark.usefixtures("editor")
def test_staff_choose_the_campaign_of_one_sale(
    client: Client, sales: list[StripeSale], campaign: Campaign
) -> None:
    url = admin_url(StripeSale, "adopt", sales[0].pk)
    assert f'<option value="{campaign.pk}" selected>' in read_page(client.get(url))
    response = client.post(url, {"campaign": ""}, follow=True)
    assert "Subscription adopted." in read_messages(response)
    assert Checkout.objects.get().campaign is None
    assert campaign.tallies.count() == 0


@pytest.mark.usefixtures("editor")
def test_a_sale_can_be_left_out(client: Client, sales: list[StripeSale]) -> None:
    assert "Subscriptions sold at Stripe at our prices" in read_page(client.get("/admin/"))
    response = run_action(client, StripeSale, "leave_out", *[sale.pk for sale in sales])
    assert "2 subscriptions left out." in read_messages(response)
    assert "Subscriptions sold at Stripe at our prices" not in read_page(client.get("/admin/"))


def test_adopting_needs_a_permission(
    client: Client, trainee: User, sales: list[StripeSale]
) -> None:
    grant_permissions(trainee, "view_stripesale")
    assert client.get(admin_url(StripeSale, "adopt", sales[0].pk)).status_code == 403
    run_action(client, StripeSale, "adopt", sales[0].pk)
    assert not Checkout.objects.exists()
