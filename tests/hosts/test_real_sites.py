"""Banners on a real WordPress and a real Ghost, pasted as the Embed page says."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.hosts.measuring import list_differences, measure_banners, measure_page
from tests.support.browser import save_picture
from tests.support.ghost import Ghost, run_ghost
from tests.support.processes import Site, run_site
from tests.support.recipes import GREETINGS, write_greeting
from tests.support.wordpress import WordPress, run_wordpress

pytestmark = [
    pytest.mark.once,
    pytest.mark.thorough,
    pytest.mark.long,
    pytest.mark.xdist_group("real_sites"),
]

IS_ELSEWHERE = re.compile(r"https?://(?!127\.0\.0\.1[:/])")
PARAGRAPH = (
    "<p>The court decided on Friday that the city has to show its contracts for eleven bridges."
    "</p>\n\n"
)

# Prints the address to which a member returns with a signed token.
ADD_MEMBER = """
from django.utils import timezone
from campaigns import members
from tests.support.factories import make_member
from tests.support.sales import make_subscription
member = make_member("greeted@example.org")
make_subscription(member=member)
print(members.add_token("{url}", member, at=timezone.now()))
"""


@pytest.fixture(scope="module")
def campaign_site(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None
) -> Iterator[Site]:
    with run_site(tmp_path_factory.mktemp("publisher") / "site", worker=False) as site:
        yield site


@pytest.fixture(scope="module")
def wordpress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WordPress]:
    with run_wordpress(tmp_path_factory.mktemp("wordpress") / "site") as site:
        yield site


@pytest.fixture(scope="module")
def ghost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ghost]:
    with run_ghost(tmp_path_factory.mktemp("ghost")) as site:
        yield site


@contextmanager
def open_post(browser: Browser, address: str, publisher: str, **options: Any) -> Iterator[Page]:
    """Open a page in a new window, and fail if its console shows an error about our files.

    The host's own pages ask servers that these tests can't reach: each such request fails at once,
    so that every page has the same fonts by the time it is measured.
    """
    context = browser.new_context(
        **{"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"} | options
    )
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and publisher in f"{message.location['url']} {message.text}":
            errors.append(f"{message.text} at {message.location['url']}")

    context.route(IS_ELSEWHERE, lambda route: route.abort())
    page = context.new_page()
    page.on("console", note)
    page.goto(address)
    page.evaluate("document.fonts.ready.then(() => null)")
    yield page
    context.close()
    assert errors == []


def write_component(site: Site, placement: str) -> str:
    return (
        f'<script type="module" src="{site.url}/campaign/banner.js"></script>'
        f'<campaign-banner campaign="birthday" placement="{placement}" lang="en">'
        f'<a href="{site.url}/campaign/birthday/">Our campaign</a></campaign-banner>'
    )


def wait_for_banner(page: Page) -> None:
    page.wait_for_function("document.querySelector('campaign-banner')?.shadowRoot")


def measure_on(
    browser: Browser, address: str, publisher: str, *, scheme: str, picture: str
) -> tuple[Any, Any]:
    """Return the measurements of the banners on a page and of the page's own elements."""
    with open_post(browser, address, publisher, color_scheme=scheme) as page:
        if "with" in picture:
            wait_for_banner(page)
        save_picture(page, f"real-sites/{picture}-{scheme}")
        return measure_banners(page), measure_page(page)


def test_an_address_alone_becomes_a_banner_on_wordpress_whose_buttons_work(
    chromium: Browser, campaign_site: Site, wordpress: WordPress
) -> None:
    address = f"{campaign_site.url}/campaign/birthday/en/"
    post = wordpress.publish("Bridges", f"{PARAGRAPH}{address}\n\n{PARAGRAPH}")
    with open_post(chromium, post, campaign_site.url) as page:
        frame = page.locator("iframe.wp-embedded-content")
        expect(frame).to_have_attribute("sandbox", "allow-scripts")
        inside = page.frame_locator("iframe.wp-embedded-content")
        inside.get_by_text("of 1,000 new members").wait_for()
        banner = inside.locator("campaign-banner").evaluate("each => each.offsetHeight")
        page.wait_for_function(
            "height => document.querySelector('iframe').clientHeight === height", arg=banner
        )
        save_picture(page, "real-sites/wordpress-oembed")
        page.set_viewport_size({"width": 360, "height": 800})
        save_picture(page, "real-sites/wordpress-oembed-phone")
        page.wait_for_function(f"document.querySelector('iframe').clientHeight > {banner}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        save_picture(page, "real-sites/wordpress-oembed-phone")
        inside.get_by_role("link", name="Become a member").click()
        page.wait_for_url("**/campaign/birthday/join/?from=inline*")


def test_an_html_block_on_wordpress_shows_the_banner_and_leaves_the_page_alone(
    chromium: Browser, campaign_site: Site, wordpress: WordPress
) -> None:
    block = f"<!-- wp:html -->{write_component(campaign_site, 'inline')}<!-- /wp:html -->\n\n"
    alone = wordpress.publish("Alone", PARAGRAPH * 2)
    banner = wordpress.publish("Alone", f"{PARAGRAPH}{block}{PARAGRAPH}")
    check_page_is_left_alone(chromium, campaign_site.url, alone, banner, name="wordpress")


def test_an_html_card_on_ghost_shows_the_banner_and_leaves_the_page_alone(
    chromium: Browser, campaign_site: Site, ghost: Ghost
) -> None:
    card = write_component(campaign_site, "inline")
    alone = ghost.publish("Alone", PARAGRAPH * 2)
    banner = ghost.publish("Alone", f"{PARAGRAPH}{ghost.write_card(card)}{PARAGRAPH}")
    check_page_is_left_alone(chromium, campaign_site.url, alone, banner, name="ghost")


def test_the_header_code_of_ghost_shows_the_bar_at_the_top_of_every_page(
    chromium: Browser, campaign_site: Site, ghost: Ghost
) -> None:
    ghost.inject_header(write_component(campaign_site, "top"))
    with open_post(chromium, f"{ghost.url}/", campaign_site.url) as page:
        wait_for_banner(page)
        page.get_by_role("link", name="Become a member").wait_for()
        top = page.locator("campaign-banner").bounding_box()
        assert top is not None
        assert (top["x"], top["y"]) == (0, 0)
        save_picture(page, "real-sites/ghost-header")
    ghost.inject_header("")


def test_the_footer_code_of_ghost_greets_members(
    chromium: Browser, campaign_site: Site, ghost: Ghost
) -> None:
    ghost.inject_footer(write_greeting(campaign_site.url))
    post = ghost.publish("For members", f"{PARAGRAPH}{ghost.write_card(GREETINGS)}")
    back = campaign_site.manage("shell", "-c", ADD_MEMBER.format(url=post)).split()[-1]
    with open_post(chromium, post, campaign_site.url) as page:
        page.get_by_role("link", name="I’m a member").wait_for()
        page.goto(back)
        page.get_by_text("Thank you for being a member.").wait_for()
        expect(page).to_have_url(post)
        expect(page.get_by_role("link", name="I’m a member")).to_be_hidden()
        save_picture(page, "real-sites/ghost-greeting")
    ghost.inject_footer("")


def check_page_is_left_alone(
    browser: Browser, publisher: str, alone: str, banner: str, *, name: str
) -> None:
    """Compare a post with a banner and one without, for readers who prefer light and dark."""
    banners = {}
    for scheme in ("light", "dark"):
        _, page_alone = measure_on(
            browser, alone, publisher, scheme=scheme, picture=f"{name}-alone"
        )
        banners[scheme], page_with = measure_on(
            browser, banner, publisher, scheme=scheme, picture=f"{name}-with"
        )
        assert list_differences(page_alone, page_with) == [], scheme
    assert len(banners["light"]) > 10
    # Neither theme has a dark scheme, so the banner stays light on both.
    assert list_differences(banners["light"], banners["dark"]) == []
