"""The Embed page: a snippet and its preview for each way, and an article to try."""

import html
import re
from typing import Any

import pytest
from django.conf import settings as site
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from campaigns.banners import publish_campaign
from campaigns.banners.sign_up_snippets import SIGN_UP_WAYS
from campaigns.banners.snippets import find_ways
from campaigns.models import Campaign
from tests.support.browser import run_chromium, save_picture
from tests.support.newsletters import make_newsletter
from tests.support.staff import admin_url, read_page

pytestmark = [pytest.mark.django_db, pytest.mark.once]

INLINE = {"placement": "inline", "language": "en"}


def embed_url(campaign: Campaign) -> str:
    return admin_url(Campaign, "embed", campaign.pk)


def open_preview(client: Client, campaign: Campaign, **query: str) -> Any:
    return client.get(f"{embed_url(campaign)}preview/", INLINE | query)


@pytest.fixture
def published(birthday: Campaign) -> Campaign:
    publish_campaign(birthday.pk)
    return birthday


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    ("placement", "height"), [("top", 135), ("inline", 490), ("corner", 420), ("signup", 420)]
)
def test_a_frame_has_room_for_its_banner_and_learns_the_articles_address(
    client: Client, published: Campaign, placement: str, height: int
) -> None:
    page = client.get(embed_url(published), {"placement": placement, "language": "en"})
    [snippet] = [way.snippet for way in page.context["ways"] if way.name == "drupal"]
    assert f'height="{height}"' in snippet
    assert 'referrerpolicy="no-referrer-when-downgrade"' in snippet


@pytest.mark.usefixtures("editor")
def test_each_way_has_a_snippet_and_a_preview_of_exactly_that(
    client: Client, published: Campaign
) -> None:
    response = client.get(embed_url(published), {"placement": "end", "language": "uk"})
    page = response.content.decode()
    for way in response.context["ways"]:
        assert html.escape(way.snippet) in page
        assert f'data-copies="snippet-{way.name}"' in page
        preview = open_preview(client, published, way=way.name, placement="end", language="uk")
        shown = preview.content.decode()
        if find_ways("end")[way.name].show is None:
            assert way.snippet in shown
        else:
            assert "uk/end-frame.html" in shown or "campaign-end" in shown
    snippets = {way.name: way.snippet for way in response.context["ways"]}
    assert 'campaign="birthday" placement="end" lang="uk"' in snippets["html"]
    assert snippets["wordpress"] == snippets["html"]
    assert "/newsletter-20" in snippets["newsletter"]


@pytest.mark.usefixtures("editor")
def test_an_address_alone_is_offered_for_the_only_banner_that_it_becomes(
    client: Client, published: Campaign
) -> None:
    ways = {way.name: way for way in client.get(embed_url(published), INLINE).context["ways"]}
    address = f"{site.SITE_URL}/campaign/birthday/en/"
    assert ways["wordpress"].snippet == address
    frame = client.get("/oembed/", {"url": address}).json()["html"]
    shown = open_preview(client, published, way="wordpress").content.decode()
    [name] = {re.search(r"/en/(\w+)-frame", page)[1] for page in (frame, shown)}  # type: ignore[index]
    assert name == "inline"


@pytest.mark.usefixtures("editor")
def test_the_bar_goes_above_the_page_and_the_corner_on_every_page(
    client: Client, published: Campaign
) -> None:
    """In a footer, the bar would be at the end of the page."""
    for placement, ghost, wordpress in (
        ("top", "Site header", "header of your theme"),
        ("corner", "Site footer", "footer of your theme"),
        ("end", "HTML card", "Custom HTML block"),
        ("inline", "HTML card", "on a line of its own"),
    ):
        response = client.get(embed_url(published), {"placement": placement, "language": "en"})
        steps = {way.name: way.steps for way in response.context["ways"]}
        assert ghost in steps["ghost"]
        assert wordpress in steps["wordpress"]


@pytest.mark.usefixtures("editor")
def test_the_newsletter_picture_has_the_number_in_words(
    client: Client, published: Campaign
) -> None:
    [snippet] = [
        way.snippet
        for way in client.get(embed_url(published)).context["ways"]
        if way.name == "newsletter"
    ]
    assert 'alt="Third birthday: 0 of 1,000 new members, as of ' in snippet
    src = snippet.partition('src="')[2].partition('"')[0].removeprefix(site.SITE_URL)
    assert client.get(src).content.startswith(b"\x89PNG")


@pytest.mark.usefixtures("editor")
def test_newsletter_sign_ups_have_their_own_ways(client: Client, birthday: Campaign) -> None:
    chosen = {"placement": "signup", "language": "uk"}
    # The language is that of the newsletters, not of the page.
    assert "You offer no newsletters yet" in read_page(client.get(embed_url(birthday), chosen))
    make_newsletter("war", name="War <notes>")
    publish_campaign(birthday.pk)
    response = client.get(embed_url(birthday), chosen)
    snippets = {way.name: way.snippet for way in response.context["ways"]}
    assert set(snippets) == set(SIGN_UP_WAYS)
    assert (
        '<campaign-newsletters campaign="birthday" placement="signup" lang="uk">'
        in (snippets["html"])
    )
    assert f'action="{site.SITE_URL}/newsletters/?from=signup"' in snippets["form"]
    assert 'value="war"> War &lt;notes&gt;' in snippets["form"]
    for name in SIGN_UP_WAYS:
        shown = open_preview(client, birthday, way=name, **chosen).content.decode()
        marks = ("uk/signup-frame.html", "<campaign-newsletters", 'name="newsletters"')
        assert any(mark in shown for mark in marks), name
    assert open_preview(client, birthday, way="ghost", **chosen).status_code == 400


@pytest.mark.usefixtures("editor")
def test_a_preview_is_a_page_without_an_origin(client: Client, published: Campaign) -> None:
    response = open_preview(client, published, way="html")
    policy = response["Content-Security-Policy"]
    assert "sandbox allow-scripts;" in f"{policy};"
    assert "allow-same-origin" not in policy
    scripts = [f"{site.SITE_URL}/campaign/{name}.js" for name in ("banner", "newsletter")]
    assert f"script-src {' '.join(scripts)} 'sha256-" in policy
    assert policy.count("sha256-") == 1  # the script of banners that readers can hide
    assert response["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    ("article", "before", "after"),
    [
        ("<p>A</p><p>B</p><p>C</p>", "<p>B</p>", "<p>C</p>"),
        ("<p>A</p><!-- Banner --><p>B</p>", "<p>A</p>", "<p>B</p>"),
        ("<h1>No paragraph", "<h1>No paragraph", "</body>"),
    ],
)
def test_the_banner_is_placed_in_the_article(
    client: Client, published: Campaign, article: str, before: str, after: str
) -> None:
    fields = INLINE | {"way": "html", "html": article, "css": "p { color: red }"}
    page = client.post(f"{embed_url(published)}preview/", fields).content.decode()
    assert page.index(before) < page.index("<campaign-banner") < page.index(after)
    assert "<style>p { color: red }</style>" in page


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    "query",
    [{"way": "unknown"}, {"way": "html", "placement": "x"}, {"way": "html", "language": "xx"}],
)
def test_an_unknown_banner_has_no_preview(
    client: Client, birthday: Campaign, query: dict[str, str]
) -> None:
    assert open_preview(client, birthday, **query).status_code == 400
    assert client.get(embed_url(birthday), query).status_code == 200


def test_staff_need_the_permission_to_view_campaigns(
    client: Client, birthday: Campaign, trainee: User
) -> None:
    assert client.get(embed_url(birthday)).status_code == 403
    assert open_preview(client, birthday, way="html").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_a_script_in_an_article_never_reaches_the_admin(
    live_server: LiveServer, client: Client, editor: User, published: Campaign
) -> None:
    script = "<script>top.document.title = parent.document.title = 'reached'</script>"
    image = '<img src="x" onerror="top.document.title = \'reached\'">'
    with run_chromium() as browser:
        window = browser.new_context()
        session = client.cookies[site.SESSION_COOKIE_NAME].value
        window.add_cookies(
            [{"name": site.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
        )
        page = window.new_page()
        page.goto(live_server.url + embed_url(published))
        page.get_by_label("HTML of an article").fill(f"<p>Mine</p>{script}{image}")
        page.get_by_role("button", name="Show article").click()
        article = page.frame_locator("[name=article-preview]")
        article.get_by_text("Mine").wait_for()
        article.get_by_role("link", name="Third birthday").wait_for()
        assert page.title().startswith("Embed Third birthday")
        save_picture(page, "embed")
