"""Times in words: the end of a campaign, one clock, and time zones by city."""

from datetime import datetime
from html import unescape
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from campaigns import banners, dates
from campaigns.models import Campaign, Member
from campaigns.zones import name_zone, zone_choices
from tests.support.factories import at, make_campaign, make_member, make_payment, make_plan
from tests.support.pages import main_of
from tests.support.staff import admin_url, fill_in, read_page

pytestmark = pytest.mark.once

KYIV = ZoneInfo("Europe/Kyiv")
MIDNIGHT, EVENING = "2026-12-25T00:00+02:00", "2026-12-24T18:00+02:00"


@pytest.fixture
def newsroom_in_kyiv(settings: LazySettings) -> None:
    settings.TIME_ZONE = settings.NEWSROOM_TIME_ZONE = "Europe/Kyiv"


def plain(text: str) -> str:
    return text.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("ends_at", "now", "words"),
    [
        (MIDNIGHT, "2026-12-01T12:00+02:00", "the end of 24 December"),
        (MIDNIGHT, "2026-12-23T23:59+02:00", "the end of 24 December"),
        (MIDNIGHT, "2026-12-24T00:00+02:00", "the end of today"),
        (MIDNIGHT, "2025-12-01T12:00+02:00", "the end of 24 December 2026"),
        (EVENING, "2026-12-01T12:00+02:00", "24 December, 18:00"),
        (EVENING, "2026-12-24T00:00+02:00", "today, 18:00"),
        # Midnight in Kyiv is not midnight in UTC.
        ("2026-12-25T00:00+00:00", "2026-12-01T12:00+02:00", "25 December, 02:00"),
    ],
)
def test_the_end_is_the_last_day_of_the_campaign(ends_at: str, now: str, words: str) -> None:
    moment, seen = datetime.fromisoformat(ends_at), datetime.fromisoformat(now)
    assert plain(dates.write_end(moment, zone=KYIV, at=seen)) == words


def test_the_past_end_is_the_last_day_or_a_time_of_it() -> None:
    assert dates.write_past_end(at(MIDNIGHT), zone=KYIV) == "24 December 2026"
    assert dates.write_past_end(at(EVENING), zone=KYIV) == "24 December 2026, 18:00"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("now", "words"),
    [("2026-12-10 12:00", "the end of 24 December"), ("2026-12-24 12:00", "the end of today")],
)
def test_banner_page_and_admin_write_the_same_end(client: Client, now: str, words: str) -> None:
    campaign = make_campaign(ends_at=at(MIDNIGHT))
    campaign.banners.create(
        placement="inline", state="running", language="en", headline="New members by {ends}"
    )
    with time_machine.travel(at(now), tick=False):
        client.force_login(User.objects.create_superuser("editor"))
        banners.publish_campaign(campaign.pk)
        banner = plain(unescape(banners.read_banner("birthday", "inline", language="en")))
        assert f"New members by {words}" in banner
        assert f"The campaign runs until {words} (UTC+2)." in plain(
            main_of(client.get("/campaign/birthday/"))
        )
        page = plain(read_page(client.get(admin_url(Campaign, "change", campaign.pk))))
        assert f"Runs until {words}." in page
        assert f"until {words}, time in Kyiv (UTC+2)." in plain(
            read_page(client.get(reverse("admin:index")))
        )


@pytest.mark.django_db
def test_after_the_end_readers_read_its_last_day(client: Client) -> None:
    make_campaign(ends_at=at(MIDNIGHT))
    with time_machine.travel(at("2027-01-10 12:00"), tick=False):
        assert "The campaign ended on 24 December 2026." in main_of(
            client.get("/campaign/birthday/")
        )


# Offsets and zones


@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        ("UTC", "UTC"),
        ("Europe/Istanbul", "UTC+3"),
        ("Asia/Kolkata", "UTC+5:30"),
        ("America/New_York", "UTC−5"),
        ("America/St_Johns", "UTC−3:30"),
    ],
)
def test_an_offset_is_written_in_hours(zone: str, offset: str) -> None:
    moment = at("2026-11-24 12:00").astimezone(ZoneInfo(zone))
    assert dates.write_offset(moment) == offset


def test_a_zone_is_named_by_its_city_and_present_offset() -> None:
    winter, summer = at("2026-11-24 12:00"), at("2026-07-01 12:00")
    assert name_zone("Europe/Istanbul", "en", at=winter) == "Istanbul (UTC+3)"
    assert name_zone("Europe/Kyiv", "uk", at=winter) == "Київ (UTC+2)"
    assert name_zone("Europe/Kyiv", "uk", at=summer) == "Київ (UTC+3)"
    assert name_zone("UTC", "en", at=winter) == "UTC"
    offered = dict(zone for _region, zones in zone_choices("en", at=winter) for zone in zones)
    assert offered["Europe/Istanbul"] == "Istanbul (UTC+3)"


@pytest.mark.django_db
def test_readers_of_istanbul_read_the_offset_and_no_code(client: Client) -> None:
    make_campaign(zone="Europe/Istanbul")
    page = main_of(client.get("/campaign/birthday/"))
    assert "24 November 2026, 15:00</time> (UTC+3)" in page
    assert "+03" not in page.replace("+03:00", "")


# The admin's clock


@pytest.mark.django_db
@pytest.mark.usefixtures("newsroom_in_kyiv")
def test_the_admin_shows_the_newsrooms_zone_and_a_clock_of_24_hours(client: Client) -> None:
    client.force_login(User.objects.create_superuser("editor"))
    payment = make_payment(make_member(), make_campaign(), "2026-11-10 20:34")
    page = read_page(client.get(admin_url(type(payment), "change", payment.pk)))
    assert "10 November 2026, 22:34" in page
    assert "p.m." not in page
    assert "the newsroom’s time zone, Kyiv (UTC+2)" in page


@pytest.mark.django_db
@pytest.mark.usefixtures("newsroom_in_kyiv")
def test_an_offline_payment_is_typed_and_shown_in_the_newsrooms_zone(client: Client) -> None:
    client.force_login(User.objects.create_superuser("editor"))
    campaign, ada = make_campaign(zone="America/New_York"), make_member("ada@example.org")
    url = admin_url(Member, "payment", ada.pk)
    assert 'type="datetime-local"' in read_page(client.get(url))
    typed = {"amount": "60", "paid_at": "2026-11-10T10:00", "months": "12", "note": "cash"}
    typed |= {"plan": str(make_plan().pk), "campaign": str(campaign.pk)}
    assert client.post(url, fill_in(client, url) | typed).status_code == 302
    assert ada.payments.get().paid_at == at("2026-11-10T10:00+02:00")
    assert "10 Nov 2026, 10:00" in read_page(client.get(admin_url(Member, "change", ada.pk)))


@pytest.mark.django_db
@pytest.mark.usefixtures("newsroom_in_kyiv")
def test_a_new_campaign_is_in_the_newsrooms_zone_chosen_from_a_list(client: Client) -> None:
    client.force_login(User.objects.create_superuser("editor"))
    page = read_page(client.get(admin_url(Campaign, "add")))
    assert '<option value="Europe/Kyiv" selected>Kyiv (UTC+2)</option>' in page
    assert '<option value="Europe/Istanbul">Istanbul (UTC+3)</option>' in page


@pytest.mark.django_db
def test_a_campaign_keeps_its_seconds_and_the_old_name_of_its_zone(client: Client) -> None:
    client.force_login(User.objects.create_superuser("editor"))
    campaign = make_campaign(zone="Europe/Kiev", ends_at=at("2026-12-24 21:59:59"))
    url = admin_url(Campaign, "change", campaign.pk)
    fields = fill_in(client, url)
    assert (fields["zone"], fields["ends_at"]) == ("Europe/Kiev", "2026-12-24T23:59:59")
    assert client.post(url, fields).status_code == 302
    campaign.refresh_from_db()
    assert (campaign.zone, campaign.ends_at) == ("Europe/Kiev", at("2026-12-24 21:59:59"))
