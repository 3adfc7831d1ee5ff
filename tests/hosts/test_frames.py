"""A banner's own page in an iframe: on any site, and in WordPress's sandbox."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser

from campaigns.banners import render_missing_frame
from tests.hosts.conftest import Hosts
from tests.hosts.test_hosts import open_page

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("hosts")]

SANDBOXED = (
    '<iframe sandbox="allow-scripts" security="restricted" data-secret="Ab3dEf6hIj" width="600" '
    'height="200" title="Campaign" src="{}/campaign/birthday/en/{}-frame.html"></iframe>'
)


def test_buttons_work_inside_wordpress(browser: Browser, hosts: Hosts) -> None:
    frame = SANDBOXED.format(hosts.publisher, "inline").encode()
    hosts.pages.put("post", "wordpress", {"inline": frame})
    hosts.pages.put("campaign/birthday/join/", "plain")
    with open_page(browser, f"{hosts.newspaper}/post") as page:
        inside = page.frame_locator("iframe")
        inside.get_by_text("of 1,000 new members").wait_for()
        page.wait_for_function("told.length >= 1")
        height = page.locator("iframe").evaluate("each => each.clientHeight")
        banner = inside.locator("campaign-banner").evaluate("each => each.offsetHeight")
        assert 200 < height == banner
        page.set_viewport_size({"width": 360, "height": 800})
        page.locator("iframe").evaluate("each => each.width = 320")
        page.wait_for_function(f"document.querySelector('iframe').clientHeight > {height}")
        inside.get_by_role("link", name="Become a member").click()
        page.wait_for_url("**/campaign/birthday/join/?from=inline*")


def test_a_frame_hides_its_banner_where_nothing_can_be_stored(
    browser: Browser, hosts: Hosts
) -> None:
    frame = SANDBOXED.format(hosts.publisher, "corner").encode()
    hosts.pages.put("post", "wordpress", {"inline": frame})
    with open_page(browser, f"{hosts.newspaper}/post") as page:
        inside = page.frame_locator("iframe")
        inside.get_by_role("button", name="Hide for 14 days").click()
        inside.get_by_role("button", name="Show the banner").click()
        inside.get_by_text("of 1,000 new members").wait_for()


def test_a_frame_has_its_height_and_scheme_on_a_page_with_the_script(
    browser: Browser, hosts: Hosts
) -> None:
    address = f"{hosts.publisher}/campaign/birthday/en/inline-frame.html?scheme=dark"
    script = f'<script type="module" src="{hosts.publisher}/campaign/banner.js"></script>'
    # The attributes are those of the Embed page.
    frame = (
        f'<iframe src="{address}" height="300" title="Campaign" frameborder="0"'
        ' referrerpolicy="no-referrer-when-downgrade"></iframe>'
    )
    hosts.pages.put("frame", "plain", {"head": script.encode(), "inline": frame.encode()})
    with open_page(browser, f"{hosts.newspaper}/frame") as page:
        inside = page.frame_locator("iframe")
        banner = inside.locator("campaign-banner")
        height = banner.evaluate("each => each.offsetHeight")
        page.wait_for_function(f"document.querySelector('iframe').clientHeight === {height}")
        body = inside.locator(".campaign-body")
        colour = body.evaluate("each => getComputedStyle(each).backgroundColor")
        assert colour == "rgb(23, 22, 19)"
        href = inside.get_by_role("link", name="Become a member").get_attribute("href")
        assert parse_qs(urlsplit(href or "").query)["page"] == [f"{hosts.newspaper}/frame"]


def test_a_frame_of_an_unknown_banner_is_empty_and_its_console_says_why(
    browser: Browser, hosts: Hosts
) -> None:
    address = "/campaign/nobody/en/inline-frame.html"
    headers = {"Content-Type": "text/html; charset=utf-8"}
    hosts.pages.pages[address] = (render_missing_frame(address).encode(), headers)
    frame = SANDBOXED.replace("birthday", "nobody").format(hosts.publisher, "inline").encode()
    hosts.pages.put("post", "wordpress", {"inline": frame})
    warnings: list[str] = []
    with open_page(browser, "about:blank") as page:
        page.on("console", lambda each: warnings.append(each.text))
        page.goto(f"{hosts.newspaper}/post")
        page.wait_for_function("told.some(({ message, value }) => message === 'height' && !value)")
        assert page.get_by_text("The next vote is in spring.").is_visible()
        shown = page.frame_locator("iframe").locator("body").inner_text().strip()
    assert shown == ""
    assert set(warnings) == {f"There is no campaign banner at {address}"}


def test_an_old_frame_shows_its_text_without_the_number(browser: Browser, hosts: Hosts) -> None:
    with open_page(browser, "about:blank") as page:
        page.clock.install()
        page.clock.fast_forward(31 * 60_000)
        page.goto(f"{hosts.publisher}/campaign/birthday/en/top-frame.html")
        assert page.get_by_role("link", name="Become a member").count() == 1
        assert page.get_by_text("of 1,000 new members").count() == 0
        page.get_by_role("button", name="Hide for 14 days").click()
        assert page.get_by_role("button", name="Show the banner").count() == 1
