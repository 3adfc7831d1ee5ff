"""The campaign page and its companions as files for all readers."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from campaigns.actions import delete_campaign
from campaigns.banners import publish_campaign
from campaigns.banners.charts import HEADROOM, draw_chart, list_days
from campaigns.banners.files import FILES, SHARED_FILES
from campaigns.models import Campaign
from campaigns.progress import measure_campaign
from tests.support.factories import (
    make_campaign,
    make_member,
    make_payment,
    recount_campaign,
)
from tests.support.pages import GIFT, JOIN, NOON

pytestmark = [pytest.mark.django_db, pytest.mark.once]

PAGE = "/campaign/birthday/"


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


def test_the_campaign_page_holds_nothing_of_a_single_reader(
    client: Client, campaign: Campaign
) -> None:
    response = client.get(PAGE)
    page = response.content.decode()
    assert "csrfmiddlewaretoken" not in page
    assert "<form" not in page
    assert not response.cookies
    client.cookies["django_language"] = "uk"
    assert client.get(f"{PAGE}en/").content.decode() == page


def test_the_campaign_page_has_an_address_for_each_language(
    client: Client, campaign: Campaign
) -> None:
    page = client.get(f"{PAGE}uk/").content.decode()
    assert '<html lang="uk">' in page
    for code in ("en", "uk"):
        assert re.search(rf'<a href="[^"]*{PAGE}{code}/"\s+hreflang="{code}"', page)
    assert re.search(r'hreflang="uk"\s+lang="uk"\s+aria-current="page"', page)
    assert client.get(f"{PAGE}xx/").status_code == 404
    by_header = client.get(PAGE, headers={"Accept-Language": "uk"})
    assert by_header.content.decode() == page


def test_a_link_keeps_its_language_on_the_next_pages(client: Client, campaign: Campaign) -> None:
    page = client.get(f"{PAGE}uk/").content.decode()
    assert f'href="{JOIN}?from=page&amp;language=uk"' in page
    assert '<html lang="uk">' in client.get(f"{JOIN}?from=page&language=uk").content.decode()
    assert '<html lang="uk">' in client.get(GIFT).content.decode()
    assert '<html lang="uk">' in client.get(f"{GIFT}?language=xx").content.decode()


def count_members(campaign: Campaign, *moments: str) -> None:
    for moment in moments:
        make_payment(make_member(), campaign, moment)
    recount_campaign(campaign)


def test_the_page_shows_its_days_in_a_table_and_the_latest_milestone(
    client: Client, campaign: Campaign
) -> None:
    campaign.goals.update(target=4)
    count_members(campaign, "2026-11-02 10:00", "2026-11-05 10:00", "2026-11-05 11:00")
    page = " ".join(client.get(f"{PAGE}en/").content.decode().split())
    milestones = re.findall(r"<strong>(\d+)</strong> on <time datetime=\"(2026-11-\d\d)\">", page)
    assert milestones == [("3", "2026-11-05"), ("2", "2026-11-05"), ("1", "2026-11-02")]
    assert '<th scope="row">5 November</th> <td>2</td> <td>3</td>' in page
    assert '<svg class="chart" aria-hidden="true"' in page


def test_the_days_of_a_goal_with_a_starting_number_reach_its_target(
    client: Client, campaign: Campaign
) -> None:
    """All numbers of the page include it; the curve is drawn from 0 to what is missing."""
    campaign.goals.update(target=104, starts_from=100)
    count_members(campaign, "2026-11-02 10:00", "2026-11-05 10:00")
    page = " ".join(client.get(f"{PAGE}en/").content.decode().split())
    assert '<th scope="row">5 November</th> <td>1</td> <td>102</td>' in page
    milestones = re.findall(r"<strong>(\d+)</strong> on <time datetime=\"(2026-11-\d\d)\">", page)
    assert milestones == [("102", "2026-11-05"), ("101", "2026-11-02")]
    goals = measure_campaign(campaign, at=timezone.now())
    chart = draw_chart(campaign, goals[0], list_days(campaign, goals), language="en")
    assert chart is not None
    assert (chart.goal.label, chart.today.label) == ("104", "102")
    assert chart.goal.y == pytest.approx(100 - 100 / HEADROOM, abs=0.01)
    assert chart.today.y == pytest.approx(100 - 50 / HEADROOM, abs=0.01)


def test_a_campaign_that_counted_nobody_has_no_chart(client: Client, campaign: Campaign) -> None:
    assert "Day by day" not in client.get(f"{PAGE}en/").content.decode()


def test_the_wall_screen_shows_the_number_alone(client: Client, campaign: Campaign) -> None:
    count_members(campaign, "2026-11-02 10:00")
    for published in (False, True):
        if published:
            publish_campaign(campaign.pk)
        for address in (f"{PAGE}wall/", f"{PAGE}en/wall/"):
            page = " ".join(client.get(address).content.decode().split())
            assert '<strong class="campaign-number">1</strong> of 1,000 new members' in page
            assert "@" not in page
            assert "<form" not in page
    assert "із" in client.get(f"{PAGE}uk/wall/").content.decode()


def test_each_mailing_has_an_address_of_its_own_for_the_same_picture(
    client: Client, campaign: Campaign
) -> None:
    publish_campaign(campaign.pk)
    plain = client.get(f"{PAGE}en/newsletter.png")
    assert plain.content.startswith(b"\x89PNG")
    for name in ("newsletter-2026-11-29.png", "newsletter-1999-99-99.png"):
        assert client.get(f"{PAGE}en/{name}").content == plain.content
    svg = client.get(f"{PAGE}uk/newsletter-2026-11-29.svg")
    assert svg["Content-Type"] == "image/svg+xml"
    for name in (
        "newsletter-29-11-2026.png",
        "newsletter-2026-11-29.pdf",
        "picture-2026-11-29.png",
    ):
        assert client.get(f"{PAGE}en/{name}").status_code == 404


def test_a_pasted_link_makes_a_whole_card(client: Client, campaign: Campaign) -> None:
    publish_campaign(campaign.pk)
    page = client.get(f"{PAGE}uk/").content.decode()
    assert '<meta property="og:locale" content="uk_UA">' in page
    assert '<meta property="og:locale:alternate" content="en_US">' in page
    icons = re.findall(r'<link rel="(?:apple-touch-)?icon"[^>]*href="([^"]*)"', page)
    assert len(icons) == 3
    for icon in icons:
        assert client.get(urlsplit(icon).path).status_code == 200


def test_hiding_banners_leaves_page_and_pictures_and_deleting_takes_them(
    client: Client, campaign: Campaign
) -> None:
    campaign.hides_banners = True
    campaign.save()
    publish_campaign(campaign.pk)
    own = [f"en/{name}" for name in FILES] + list(SHARED_FILES)
    folder = Path(settings.PUBLISH_DIR) / "birthday"
    # The newsroom keeps its default look.
    assert [name for name in own if not (folder / name).stat().st_size] == ["look.css"]
    delete_campaign(campaign)
    assert not folder.exists()
