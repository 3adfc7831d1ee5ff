"""The live preview of banners: the form as it is typed, before it is saved."""

import base64
import html
import re

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from campaigns.banners import EMBEDDED
from campaigns.models import Banner, Campaign, Goal
from tests.admin.test_browser import DESKTOP, make_cookie
from tests.support.browser import open_reader, run_chromium
from tests.support.staff import admin_url, fill_in, read_page

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def url(birthday: Campaign, editor: object) -> str:
    birthday.banners.create(
        placement="top", state="running", language="en", headline="Help us", text="Join us."
    )
    return admin_url(Campaign, "change", birthday.pk)


def preview(client: Client, url: str, **typed: str) -> str:
    address = url.replace("change/", "preview/")
    names = {name.replace("__", "-"): value for name, value in typed.items()}
    response = client.post(address, fill_in(client, url) | names)
    assert response.status_code == 200
    return read_page(response)


def read_words(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub("<[^>]+>", " ", page)))


def list_placements(page: str) -> list[str]:
    return re.findall(r'class="preview-placement preview-(\w+)"', page)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00", "9999-12-31T23:59"])
def test_the_preview_keeps_the_saved_start_for_an_impossible_one(
    client: Client, url: str, moment: str
) -> None:
    assert "Help us" in preview(client, url, preview__state="running", starts_at=moment)


def test_the_preview_shows_what_is_typed_and_saves_nothing(client: Client, url: str) -> None:
    page = preview(
        client,
        url,
        preview__state="running",
        banners__0__headline="{counted} of {goal}: <em>join</em> by tonight",
        banners__0__join_label="Join <now>",
        goals__0__target="2000",
        copies__0__name="Our night",
    )
    assert list_placements(page) == list(Banner.Placement.values)
    assert "of 2,000: <em>join</em> by tonight" in page
    assert "Join &lt;now&gt;" in page
    assert "Our night" in page
    assert Banner.objects.get().headline == "Help us"
    assert Goal.objects.get(is_primary=True).target == 1000


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("before", "Soon we’ll ask for your help"),
        ("nearly", "900 of 1,000 new members"),
        ("last_day", "Today is the last day. 2 hours left."),
        ("reached", "1,000 of 1,000 new members"),
        ("ended", "final count as of"),
    ],
)
def test_every_state_can_be_seen(client: Client, url: str, state: str, words: str) -> None:
    page = preview(client, url, preview__state=state, preview__placement="inline")
    assert words in read_words(page)


def test_a_typed_number_language_and_look_are_used(client: Client, url: str) -> None:
    page = preview(
        client,
        url,
        preview__number="1240",
        preview__placement="end",
        preview__language="uk",
        preview__scheme="dark",
        preview__width="desk",
    )
    assert list_placements(page) == ["end"]
    assert "1 240" in read_words(page)
    assert re.search(
        r'<html lang="uk"\s+dir="ltr"\s+class="preview-desk"\s+data-scheme="dark"', page
    )


def test_the_newsletters_picture_is_previewed_with_its_headline(client: Client, url: str) -> None:
    page = preview(
        client,
        url,
        preview__placement="newsletter",
        banners__0__placement="newsletter",
        banners__0__headline="Read & <em>pay</em> by {ends}",
        preview__number="1240",
        preview__state="reached",
        banners__0__state="reached",
    )
    assert list_placements(page) == ["newsletter"]
    assert 'alt="1,240 of 1,000 new members"' in page
    drawn = re.search('src="data:image/svg\\+xml;base64,([^"]+)"', page)
    assert drawn
    svg = base64.b64decode(drawn[1]).decode()
    assert re.search(r'class="headline"[^>]*>Read &amp; pay by [^<{]+<', svg)
    assert ">1,240</tspan> of 1,000 new members" in svg


def test_a_campaign_that_is_not_saved_yet_has_a_preview(client: Client, editor: object) -> None:
    add = reverse("admin:campaigns_campaign_add")
    fields = fill_in(client, add) | {"copies-0-name": "Spring", "goals-0-is_primary": "on"}
    address = reverse("admin:campaigns_campaign_preview")
    assert "Add a goal" in read_page(client.post(address, fields))
    page = read_page(client.post(address, fields | {"goals-0-target": "50"}))
    assert "0 of 50 new members" in read_words(page)
    assert "Spring" in page
    assert not Campaign.objects.exists()


def test_mistakes_in_the_form_never_break_the_preview(client: Client, url: str) -> None:
    page = preview(
        client,
        url,
        banners__0__headline="<script>alert(1)</script> {unknown",
        banners__0__state="nonsense",
        ends_at="yesterday",
        preview__number="many",
        preview__state="late",
        preview__language="xx",
    )
    assert list_placements(page)
    assert "<script>alert" not in page
    assert list_placements(read_page(client.post(url.replace("change/", "preview/"), {}))) == []


def test_only_staff_who_may_change_campaigns_see_a_preview(client: Client, url: str) -> None:
    address = url.replace("change/", "preview/")
    assert client.get(address).status_code == 405
    response = client.post(address, fill_in(client, url))
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in response["Content-Security-Policy"]
    client.logout()
    assert client.post(address).status_code == 302


# In a browser


@pytest.mark.thorough
@pytest.mark.usefixtures("editor")
@pytest.mark.django_db(transaction=True)
def test_the_preview_follows_the_keys_and_shows_the_banner_that_is_edited(
    clean_state: None,
    request: pytest.FixtureRequest,
    birthday: Campaign,
    client: Client,
    settings: LazySettings,
) -> None:
    live: LiveServer = request.getfixturevalue("live_server")
    birthday.banners.create(placement="end", state="nearly", language="en", headline="Help us")
    cookie = make_cookie(live, client, settings)
    with run_chromium() as chromium, open_reader(chromium, viewport=DESKTOP) as reader:
        reader.context.add_cookies([cookie])
        reader.page.goto(live.url + admin_url(Campaign, "change", birthday.pk))
        reader.page.get_by_text("Preview of the banners").click()
        shown = reader.page.frame_locator(".preview-stage iframe:not(.is-waiting)")
        expect(shown.locator(".campaign-banner")).to_have_count(len(EMBEDDED))
        reader.page.locator("#banners-0 summary").click()
        reader.page.locator("#id_banners-0-headline").fill("Only <em>{remaining}</em> to go")
        expect(shown.locator(".campaign-end em")).to_have_text("100")
        expect(shown.locator(".campaign-banner")).to_have_count(1)
        reader.page.get_by_label("Colours").select_option("dark")
        expect(shown.locator("html")).to_have_attribute("data-scheme", "dark")
        assert reader.page.locator(".preview-stage iframe").count() == 1
        assert reader.page.evaluate("history.length") <= 2
        reader.check_page("staff-preview")
