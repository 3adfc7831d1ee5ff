"""The campaign page as a file for all readers: its languages and its links."""

import re
from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client

from campaigns.models import Campaign
from tests.support.factories import make_campaign
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
