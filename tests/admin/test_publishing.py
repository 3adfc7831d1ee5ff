"""Published files for staff: failures, hidden banners, and deleting a campaign."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns.banners import publish_campaign, read_banner
from campaigns.models import Campaign, Checkout
from tests.support.factories import make_campaign, make_checkout
from tests.support.staff import admin_url, grant_permissions, read_messages, read_page, run_action

pytestmark = pytest.mark.django_db

HOUR = 60  # minutes


@pytest.mark.usefixtures("editor")
def test_a_failure_to_publish_needs_attention_until_it_is_over(
    client: Client, birthday: Campaign
) -> None:
    publish_campaign(birthday.pk)
    listed = admin_url(Campaign, "changelist") + "?needs=unpublished"
    assert listed not in read_page(client.get("/admin/"))
    Campaign.objects.update(
        publish_error="OSError: No space left on device", publish_failed_at=timezone.now()
    )
    assert listed in read_page(client.get("/admin/"))
    assert list(client.get(listed).context["cl"].result_list) == [birthday]
    page = read_page(client.get(admin_url(Campaign, "change", birthday.pk)))
    assert "Publishing has failed since" in page
    assert "(The disk is full). Readers still see" in page
    publish_campaign(birthday.pk)
    assert listed not in read_page(client.get("/admin/"))


@pytest.mark.usefixtures("editor")
def test_a_campaign_that_nobody_publishes_needs_attention(
    client: Client, birthday: Campaign
) -> None:
    publish_campaign(birthday.pk)
    Campaign.objects.update(published_at=timezone.now() - timedelta(minutes=HOUR))
    assert "needs=unpublished" in read_page(client.get("/admin/"))
    Campaign.objects.update(closed_at=timezone.now())
    assert "needs=unpublished" not in read_page(client.get("/admin/"))


@pytest.mark.usefixtures("editor")
def test_staff_hide_and_show_the_banners_of_all_campaigns(
    client: Client, birthday: Campaign
) -> None:
    winter = make_campaign(slug="winter")
    response = run_action(client, Campaign, "hide_banners", birthday.pk, winter.pk)
    assert "Third birthday: banners hidden." in read_messages(response)
    for campaign in (birthday, winter):
        publish_campaign(campaign.pk)
        assert read_banner(campaign.slug, "top", language="en") == ""
        page = read_page(client.get(admin_url(Campaign, "change", campaign.pk)))
        assert "The banners of this campaign are hidden." in page
    run_action(client, Campaign, "show_banners", birthday.pk)
    publish_campaign(birthday.pk)
    assert "new members" in read_banner("birthday", "top", language="en")
    assert LogEntry.objects.filter(change_message__contains="Banners").count() == 3


def test_staff_who_may_only_view_cannot_hide_banners(
    client: Client, trainee: User, birthday: Campaign
) -> None:
    grant_permissions(trainee, "view_campaign")
    run_action(client, Campaign, "hide_banners", birthday.pk)
    assert not Campaign.objects.get().hides_banners


@pytest.mark.usefixtures("editor")
def test_a_campaign_without_sales_is_deleted_with_its_files(
    client: Client, birthday: Campaign
) -> None:
    publish_campaign(birthday.pk)
    tried = make_checkout(birthday, status=Checkout.Status.EXPIRED)
    url = admin_url(Campaign, "delete", birthday.pk)
    assert client.get(url).status_code == 200
    assert client.post(url, {"post": "yes"}).status_code == 302
    assert not Campaign.objects.exists()
    assert read_banner("birthday", "top", language="en") == ""
    assert client.get("/campaign/birthday/").status_code == 404
    tried.refresh_from_db()
    assert tried.campaign is None


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize("status", ["waiting", "paid"])
def test_a_campaign_with_a_sale_is_kept_with_its_files(
    client: Client, birthday: Campaign, status: str
) -> None:
    publish_campaign(birthday.pk)
    make_checkout(birthday, status=status)
    assert (
        client.post(admin_url(Campaign, "delete", birthday.pk), {"post": "yes"}).status_code == 403
    )
    assert read_banner("birthday", "top", language="en")


@pytest.mark.usefixtures("editor")
def test_a_campaign_that_is_being_published_is_not_deleted(
    client: Client, birthday: Campaign
) -> None:
    publish_campaign(birthday.pk)
    Campaign.objects.update(publish_lease_until=timezone.now() + timedelta(seconds=20))
    response = client.post(admin_url(Campaign, "delete", birthday.pk), {"post": "yes"}, follow=True)
    assert "can’t be deleted right now" in read_messages(response)
    assert Campaign.objects.exists()
    assert read_banner("birthday", "top", language="en")
