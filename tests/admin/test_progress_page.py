"""The progress page of a campaign, and its downloads."""

import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign, Checkout, PlanCopy
from tests.support.factories import make_campaign
from tests.support.staff import MARKUP, read_page

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("editor")
def test_the_progress_page_shows_the_number_and_the_rule(client: Client, rows: Campaign) -> None:
    response = client.get(f"/admin/campaigns/campaign/{rows.pk}/progress/")
    assert response.status_code == 200
    page = read_page(response)
    assert "<strong>2</strong> of 1,000 new members" in page
    assert "A person counts once" in page
    assert '<svg class="chart"' in page
    assert "€120" in page  # gross
    assert "Member" in page
    assert "Kyiv (UTC+2)" in page


@pytest.mark.usefixtures("editor")
def test_a_campaign_without_a_goal_or_a_row_has_a_progress_page(client: Client) -> None:
    campaign = make_campaign()
    campaign.goals.all().delete()
    assert client.get(f"/admin/campaigns/campaign/{campaign.pk}/progress/").status_code == 200
    assert client.get("/admin/").status_code == 200


@pytest.mark.usefixtures("editor")
def test_a_goal_of_money_has_a_progress_page(client: Client, rows: Campaign) -> None:
    rows.goals.all().update(kind="money", target=100_000)
    page = read_page(client.get(f"/admin/campaigns/campaign/{rows.pk}/progress/"))
    assert "of €1,000 raised" in page


@pytest.mark.usefixtures("editor")
def test_the_figures_can_be_downloaded(client: Client, rows: Campaign) -> None:
    today = timezone.now().astimezone(ZoneInfo("Europe/Kyiv")).date()
    for kind, content_type in (("json", "application/json"), ("csv", "text/csv; charset=utf-8")):
        response = client.get(f"/admin/campaigns/campaign/{rows.pk}/progress.{kind}")
        assert response.status_code == 200
        assert response.headers["Content-Type"] == content_type
        assert response.headers["Content-Disposition"] == (
            f'attachment; filename="birthday-{today}.{kind}"'
        )
    assert (
        json.loads(client.get(f"/admin/campaigns/campaign/{rows.pk}/progress.json").content)[
            "goals"
        ][0]["counted"]
        == 2
    )
    assert client.get(f"/admin/campaigns/campaign/{rows.pk}/progress.exe").status_code == 404
    assert client.get("/admin/campaigns/campaign/999999/progress/").status_code == 404


@pytest.mark.usefixtures("editor")
def test_a_slug_like_a_formula_is_neutralised(client: Client) -> None:
    now = timezone.now()
    campaign = make_campaign(
        slug="-2", starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=1)
    )
    text = read_page(client.get(f"/admin/campaigns/campaign/{campaign.pk}/progress.csv"))
    assert text.splitlines()[1].startswith("'-2,")


@pytest.mark.usefixtures("editor")
def test_markup_in_a_name_is_escaped(client: Client, rows: Campaign) -> None:
    Checkout.objects.update(placement="<b>top</b>")
    PlanCopy.objects.update(name="<i>Member</i>")
    rows.copies.update(name=MARKUP)
    page = read_page(client.get(f"/admin/campaigns/campaign/{rows.pk}/progress/"))
    assert MARKUP not in page
    assert "<b>top</b>" not in page
    assert "<i>Member</i>" not in page
    assert "&lt;i&gt;Member&lt;/i&gt;" in page
