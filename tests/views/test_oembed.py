"""oEmbed: how other sites embed a campaign page, from published files alone."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from django.conf import settings as site
from django.test import Client
from django.utils import timezone

from campaigns.banners import publish_campaign
from tests.support.factories import make_campaign
from tests.support.openapi import list_faults

pytestmark = [pytest.mark.django_db, pytest.mark.once]

PAGE = f"{site.SITE_URL}/campaign/birthday/en/"


@pytest.fixture(autouse=True)
def published() -> None:
    now = timezone.now()
    campaign = make_campaign(starts_at=now - timedelta(days=10), ends_at=now + timedelta(days=20))
    campaign.copies.update(headline='Three years, "paid" for <by> readers')
    publish_campaign(campaign.pk)


def ask(client: Client, url: str = PAGE, **query: str) -> Any:
    return client.get("/oembed/", {"url": url, **query})


def test_the_answer_is_a_link_and_then_the_frame(
    client: Client, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        response = ask(client)
    answer = response.json()
    assert list_faults(answer, path="/oembed/") == []
    assert answer["title"] == 'Three years, "paid" for <by> readers'
    assert re.fullmatch(
        rf'<blockquote><a href="{PAGE}\?from=inline">Three years, &quot;paid&quot; for &lt;by&gt; '
        rf'readers</a></blockquote><iframe src="{PAGE}inline-frame.html" width="100%" height="420" '
        r'title="[^"<>]*" frameborder="0" referrerpolicy="no-referrer-when-downgrade"></iframe>',
        answer["html"],
    )
    assert response["Access-Control-Allow-Origin"] == "*"


def test_the_xml_says_the_same(client: Client) -> None:
    response = ask(client, format="xml")
    assert response["Content-Type"] == "text/xml; charset=utf-8"
    root = ElementTree.fromstring(response.content)  # noqa: S314 (our own answer)
    found = {each.tag: each.text for each in root}
    assert found == {name: str(value) for name, value in ask(client).json().items()}


def test_the_page_leads_to_both_formats(client: Client) -> None:
    page = client.get("/campaign/birthday/en/").content.decode()
    links = re.findall(r'type="(?:application/json|text/xml)\+oembed"\s+href="([^"]*)"', page)
    for link in links:
        parts = urlsplit(link.replace("&amp;", "&"))
        answer = client.get(f"{parts.path}?{parts.query}")
        assert answer.status_code == 200
        assert b"inline-frame.html" in answer.content
    assert len(links) == 2


@pytest.mark.parametrize(
    ("query", "size"),
    [
        ({"maxwidth": "300"}, (300, 420)),
        ({"maxheight": "200", "maxwidth": "9000"}, (640, 200)),
        ({"maxwidth": "0", "maxheight": "-5"}, (1, 420)),
        ({"maxwidth": "٣٠٠", "maxheight": "1e9"}, (640, 420)),
    ],
)
def test_the_frame_fits_into_the_other_sites_room(
    client: Client, query: dict[str, str], size: tuple[int, int]
) -> None:
    answer = ask(client, **query).json()
    assert (answer["width"], answer["height"]) == size
    assert ("thumbnail_url" in answer) == (size == (640, 420))
    assert f'width="100%" height="{size[1]}"' in answer["html"]  # as wide as its column


@pytest.mark.thorough
@pytest.mark.parametrize(
    "url",
    [
        "",
        f"{site.SITE_URL}/campaign/winter/en/",
        f"{site.SITE_URL}/campaign/birthday/xx/",
        f"{site.SITE_URL}/campaign/birthday/join/",
        f"{site.SITE_URL}/campaign/../birthday/en/",
        f"{site.SITE_URL}/campaign/birthday/en/%2e%2e/",
        "https://elsewhere.example/campaign/birthday/en/",
        f"https://{urlsplit(site.SITE_URL).netloc}@elsewhere.example/campaign/birthday/en/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://[::1",
        '"><script>alert(1)</script>',
    ],
)
def test_another_address_has_no_frame(client: Client, url: str) -> None:
    response = ask(client, url)
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/plain")


def test_other_formats_are_not_implemented(client: Client) -> None:
    assert ask(client, format="yaml").status_code == 501
    assert client.get("/oembed/").status_code == 404
    assert client.post("/oembed/").status_code == 405


def test_without_a_language_the_frame_has_the_sites(client: Client) -> None:
    answer = ask(client, f"{site.SITE_URL}/campaign/birthday/?utm_source=x").json()
    assert "/birthday/en/inline-frame.html" in answer["html"]
