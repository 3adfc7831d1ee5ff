"""The campaign's picture and its published count, for other pages and services."""

import re
import struct
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from campaigns.banners import draw_newsletter, draw_picture, publish_campaign, wrap_lines
from campaigns.models import Banner, Campaign, CampaignCopy, Tally
from campaigns.progress import imagine_progress, measure_campaign
from tests.support.factories import make_campaign, make_member, make_payment

pytestmark = [pytest.mark.django_db, pytest.mark.once]

PICTURE = "/campaign/birthday/{}/picture.png"
NUMBER = "/campaign/birthday/progress.json"


@pytest.fixture
def campaign() -> Campaign:
    """A campaign in its second week."""
    now = timezone.now()
    return make_campaign(starts_at=now - timedelta(days=10), ends_at=now + timedelta(days=20))


def count_one_more(campaign: Campaign) -> None:
    member = make_member()
    moment = timezone.now() - timedelta(minutes=1)
    payment = make_payment(member, campaign, moment.isoformat())
    Tally.objects.create(campaign=campaign, member=member, payment=payment, counted_from=moment)


def read_size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert png[12:16] == b"IHDR"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def read_picture(client: Client, *, language: str = "en") -> bytes:
    response = client.get(PICTURE.format(language))
    assert response.status_code == 200
    assert response["Content-Type"] == "image/png"
    return response.content


def test_the_picture_has_the_size_for_shared_links(client: Client, campaign: Campaign) -> None:
    assert read_size(read_picture(client)) == (1200, 630)


def test_the_old_address_of_the_picture_redirects_to_its_language(
    client: Client, campaign: Campaign
) -> None:
    response = client.get("/campaign/birthday/picture.png", {"language": "uk"})
    assert response["Location"] == PICTURE.format("uk")


def test_the_picture_changes_only_with_the_count_and_its_time(campaign: Campaign) -> None:
    now = timezone.now()

    def draw(at: datetime) -> bytes:
        return draw_picture(campaign, measure_campaign(campaign, at=at), language="en")

    before = draw(now)
    assert draw(now) == before
    assert draw(now + timedelta(minutes=1)) != before
    count_one_more(campaign)
    assert draw(now) != before


@pytest.mark.parametrize(
    "headline", ["Short", "A headline of two lines " * 2, "Of three lines " * 6]
)
def test_the_picture_of_shared_links_tells_the_time_and_keeps_its_lines_apart(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch, headline: str
) -> None:
    monkeypatch.setattr("campaigns.banners.posters._draw", lambda svg: svg.encode())
    campaign.copies.update(headline=headline)
    progress = imagine_progress(campaign.goals.get(), at=timezone.now(), state="running")
    svg = draw_picture(campaign, [progress], language="en").decode()
    assert "As of" in svg
    lines = [int(y) for y in re.findall(r'<text [^>]*y="(\d+)"', svg)]
    assert all(below - above >= 70 or below == above for above, below in pairwise(sorted(lines)))


def test_a_time_in_another_direction_is_isolated_in_pictures(
    campaign: Campaign, settings: LazySettings
) -> None:
    settings.LANGUAGES = [*settings.LANGUAGES, ("ar", "Arabic")]
    progress = imagine_progress(campaign.goals.get(), at=timezone.now(), state="running")
    svg = draw_newsletter(campaign, [progress], language="ar")
    assert re.search("As of \u2068[^<]+\u2069<", svg)


def test_the_picture_shows_every_ukrainian_letter(client: Client, campaign: Campaign) -> None:
    copy = CampaignCopy.objects.create(
        campaign=campaign, language="uk", name="Три роки", headline="їжак"
    )
    first = read_picture(client, language="uk")
    assert first != read_picture(client, language="en")
    for letters in ("ґжак", "єжак", "іжак"):
        copy.headline = letters
        copy.save()
        other = read_picture(client, language="uk")
        assert other != first
        first = other


def test_markup_and_control_characters_in_the_copy_are_drawn_as_text(
    client: Client, campaign: Campaign
) -> None:
    plain = read_picture(client)
    campaign.copies.update(
        name='</text><rect width="9999" height="9999"/>', headline="A & B <script> \x01\x0b ]]>"
    )
    odd = read_picture(client)
    assert read_size(odd) == (1200, 630)
    assert odd != plain


def test_a_campaign_without_a_goal_and_texts_has_a_picture(
    client: Client, campaign: Campaign
) -> None:
    campaign.goals.all().delete()
    campaign.copies.all().delete()
    assert read_size(read_picture(client)) == (1200, 630)


@pytest.mark.parametrize("state", Banner.State.values)
def test_no_words_of_the_newsletters_picture_share_a_line(campaign: Campaign, state: str) -> None:
    headline = "Mitgliedschaftsbeitragsermäßigungsberechtigte gesucht"
    for language in ("en", "uk"):
        campaign.banners.create(
            placement="newsletter", state=state, language=language, headline=headline
        )
        progress = imagine_progress(campaign.goals.get(), at=timezone.now(), state=state)
        svg = draw_newsletter(campaign, [progress], language=language)
        lines = [int(y) for y in re.findall(r'<text [^>]*y="(\d+)"', svg)]
        assert len(lines) >= 4
        assert all(below - above >= 20 for above, below in pairwise(sorted(lines))), lines


def test_an_unknown_campaign_has_no_picture_and_no_count(client: Client) -> None:
    assert client.get("/campaign/unknown/en/picture.png").status_code == 404
    assert client.get("/campaign/unknown/progress.json").status_code == 404


def test_the_count_changes_only_when_it_is_published(client: Client, campaign: Campaign) -> None:
    assert client.get(NUMBER).status_code == 404  # nothing is published yet
    publish_campaign(campaign.pk)
    count_one_more(campaign)
    assert client.get(NUMBER).json()[0]["counted"] == 0
    publish_campaign(campaign.pk)
    [number] = client.get(NUMBER).json()
    assert (number["counted"], number["target"], number["state"]) == (1, 1000, "running")


def test_any_page_may_read_the_count(client: Client, campaign: Campaign) -> None:
    publish_campaign(campaign.pk)
    response = client.get(NUMBER)
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Content-Type"] == "application/json"
    assert "max-age=15" in response["Cache-Control"]
    assert client.post(NUMBER).status_code == 405


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Three years, paid by all", ["Three years,", "paid by all"]),
        ("Short", ["Short"]),
        ("", []),
        ("one two three four five six seven eight nine", ["one two three four", "five six seven…"]),
        ("x" * 50, ["x" * 20, "…"]),
    ],
)
def test_lines_are_few_and_even_and_end_in_an_ellipsis_if_cut(text: str, lines: list[str]) -> None:
    assert wrap_lines(text, width=20, most=2) == lines
