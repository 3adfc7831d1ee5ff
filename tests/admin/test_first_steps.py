"""An empty installation leads, step by step, and stops when everything is done."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from campaigns.models import Campaign, Plan
from campaigns.reports.first_steps import list_first_steps
from tests.support.factories import (
    make_campaign,
    make_checkout,
    make_member,
    make_payment,
    make_plan,
    make_price,
)
from tests.support.staff import admin_url, grant_permissions, read_page

pytestmark = pytest.mark.django_db


def done() -> set[str]:
    return {step.name for step in list_first_steps() if step.is_done}


def test_each_step_is_ticked_when_it_is_true() -> None:
    assert done() == set()
    make_plan()
    assert done() == set()
    make_price()
    assert done() == {"plan"}
    campaign = make_campaign()
    assert done() == {"plan", "campaign", "texts"}
    make_payment(make_member(), campaign, "2026-11-10 12:00")
    assert done() == {"plan", "campaign", "texts", "payment"}
    make_checkout(campaign, placement="inline")
    assert list_first_steps() == []


@pytest.mark.usefixtures("editor")
def test_the_home_page_leads_to_the_pages(client: Client) -> None:
    page = read_page(client.get("/admin/"))
    assert "First steps" in page
    assert admin_url(Plan, "add") in page
    assert admin_url(Campaign, "add") in page
    campaign = make_campaign()
    page = read_page(client.get("/admin/"))
    assert admin_url(Campaign, "embed", campaign.pk) in page
    make_price()
    make_checkout(campaign, placement="inline")
    make_payment(make_member(), campaign, "2026-11-10 12:00")
    assert "First steps" not in read_page(client.get("/admin/"))


def test_only_those_who_plan_campaigns_see_the_steps(client: Client, trainee: User) -> None:
    grant_permissions(trainee, "view_campaign", "view_payment")
    assert "First steps" not in read_page(client.get("/admin/"))
    grant_permissions(trainee, "plan_campaign")
    page = read_page(client.get("/admin/"))
    assert "First steps" in page
    assert admin_url(Plan, "add") not in page
