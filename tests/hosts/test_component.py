"""The web component: what it shows when, and what it leaves on the reader's device."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route

from campaigns.banners.assets import read_script
from campaigns.banners.rendering import VERSION
from tests.hosts.conftest import Hosts
from tests.hosts.test_hosts import components, fragments, open_page, wait_for_banners
from tests.support.processes import wait_until

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("hosts")]

MINUTES = 60_000


@pytest.fixture
def url(hosts: Hosts) -> str:
    """The address of a plain page with components."""
    hosts.pages.put("article", "plain", components(hosts))
    return f"{hosts.newspaper}/article"


def list_children(page: Page) -> int:
    return page.get_by_role("link", name="Our campaign").count()


def test_script_and_data_have_one_version() -> None:
    assert f"VERSION={VERSION};" in read_script("component")


@pytest.mark.parametrize("name", ["closing", "component", "frame", "newsletter", "signup"])
def test_published_scripts_have_no_comments(name: str) -> None:
    assert not re.search(r"(?<!:)//", read_script(name))


def test_one_request_for_each_banner_and_no_cookie(
    browser: Browser, url: str, hosts: Hosts
) -> None:
    asked: list[str] = []
    with open_page(browser, "about:blank") as page:
        page.on("request", lambda request: asked.append(request.url))
        page.goto(url)
        wait_for_banners(page)
        assert page.context.cookies() == []
        assert page.evaluate("localStorage.length") == 0
    own = [each for each in asked if each.startswith(hosts.publisher)]
    assert len(own) == 5  # the script, and four banners
    assert not [each for each in asked if not each.startswith((hosts.publisher, hosts.newspaper))]


def test_links_tell_from_which_article_a_reader_came(browser: Browser, url: str) -> None:
    with open_page(browser, f"{url}?utm_source=letter&secret=1#part") as page:
        wait_for_banners(page)
        href = page.get_by_role("link", name="Become a member").first.get_attribute("href")
    assert parse_qs(urlsplit(href or "").query) == {
        "from": ["top"],
        "page": [url],
        "title": ["The council votes"],
        "utm_source": ["letter"],
    }


def test_links_name_the_article_that_a_page_without_reloads_has_changed_to(
    browser: Browser, url: str
) -> None:
    with open_page(browser, f"{url}?utm_source=letter") as page:
        wait_for_banners(page)
        page.evaluate("history.pushState(null, '', '/second'); document.title = 'The second'")
        link = page.get_by_role("link", name="Become a member").first
        link.dispatch_event("pointerdown")
        pressed = link.get_attribute("href")
        page.evaluate("document.title = 'The third'")
        page.route("**/join/**", lambda route: route.fulfill(body="Join"))
        link.press("Enter")
        page.wait_for_url("**/join/**")
        followed = page.url
    for href, title in ((pressed, "The second"), (followed, "The third")):
        query = parse_qs(urlsplit(href or "").query)
        second = url.replace("/article", "/second")
        assert query == {"from": ["top"], "page": [second], "title": [title]}


@pytest.mark.parametrize("way", ["component", "fragment"])
def test_a_reader_hides_a_banner_for_some_days_and_brings_it_back(
    browser: Browser, hosts: Hosts, way: str
) -> None:
    parts = components(hosts) if way == "component" else fragments(hosts)
    hosts.pages.put("manners", "plain", parts)
    with open_page(browser, f"{hosts.newspaper}/manners") as page:
        wait_for_banners(page)
        hide = page.get_by_role("button", name="Hide for 14 days")
        show = page.get_by_role("button", name="Show the banner")
        hide.first.wait_for()
        assert (hide.count(), show.count()) == (2, 0)  # the bar and the corner
        page.keyboard.press("Escape")
        assert (hide.count(), show.count()) == (0, 2)
        assert page.evaluate("localStorage.length") == 0  # Escape is not remembered
        page.reload()
        hide.first.click()
        assert page.evaluate("Object.keys(localStorage)") == ["campaign-banner-hidden:birthday"]
        page.reload()
        show.first.wait_for()
        assert (hide.count(), show.count()) == (0, 2)
        assert page.get_by_text("of 1,000 new members").filter(visible=True).count() == 2
        show.first.click()
        assert page.evaluate("localStorage.length") == 0
        page.reload()
        hide.first.wait_for()
        page.locator("input").focus()
        page.keyboard.press("Escape")  # it belongs to the input
        assert hide.count() == 2


@pytest.mark.thorough
def test_old_data_show_their_text_without_the_number(browser: Browser, url: str) -> None:
    with open_page(browser, "about:blank") as page:
        page.clock.install()
        page.clock.fast_forward(31 * MINUTES)
        page.goto(url)
        wait_for_banners(page)
        assert page.get_by_role("link", name="Become a member").count() == 4
        assert page.get_by_text("of 1,000 new members").count() == 0


def test_a_member_is_thanked(browser: Browser, url: str) -> None:
    with open_page(browser, url) as page:
        wait_for_banners(page)
        for banner in page.locator("campaign-banner").all():
            banner.evaluate("each => each.toggleAttribute('member')")
        page.get_by_text("Thank you for being a member").nth(3).wait_for()
        assert page.get_by_role("link", name="Become a member").count() == 0
        assert page.get_by_role("link", name="Gift membership").count() == 4


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"status": 404, "body": "Not found"}, "404"),
        ({"body": "<!DOCTYPE html>"}, "JSON"),
        ({"body": json.dumps({"version": VERSION + 1})}, "version"),
        ({"body": json.dumps({"version": VERSION, "style": "", "banner": [1, 2]})}, ""),
        (None, ""),
    ],
)
def test_a_banner_that_can_not_be_shown_leaves_the_link(
    browser: Browser, url: str, answer: dict[str, Any] | None, reason: str
) -> None:
    def respond(route: Route) -> None:
        headers = {"Access-Control-Allow-Origin": "*"}
        route.fulfill(headers=headers, **answer) if answer else route.abort()

    warnings: list[str] = []
    context = browser.new_context()
    page = context.new_page()
    page.on("console", lambda each: warnings.append(each.text) if each.type == "warning" else None)
    page.route("**/*.json", respond)
    page.goto(url)
    page.wait_for_timeout(300)
    assert list_children(page) == 4
    context.close()
    assert len(warnings) == 4
    assert any("birthday/en/top.json" in each for each in warnings)
    assert all(reason in each for each in warnings)


@pytest.mark.thorough
def test_a_publishing_host_that_never_answers_leaves_the_link(browser: Browser, url: str) -> None:
    warnings: list[str] = []
    context = browser.new_context()
    page = context.new_page()
    page.on("console", lambda each: warnings.append(each.text) if each.type == "warning" else None)
    page.route("**/*.json", lambda route: None)
    page.goto(url)

    def all_warn() -> bool:
        page.wait_for_timeout(250)  # messages arrive only while Playwright is called
        return len(warnings) == 4

    wait_until(all_warn, seconds=20)
    assert list_children(page) == 4
    assert all("TimeoutError" in each for each in warnings)
    context.close()


def test_hidden_banners_leave_nothing(browser: Browser, url: str) -> None:
    hidden = json.dumps({"version": VERSION, "style": ":host{display:none!important}"})
    with open_page(browser, "about:blank") as page:
        page.route(
            "**/*.json",
            lambda route: route.fulfill(body=hidden, headers={"Access-Control-Allow-Origin": "*"}),
        )
        page.goto(url)
        wait_for_banners(page)
        assert list_children(page) == 0
        assert not any(each.is_visible() for each in page.locator("campaign-banner").all())
