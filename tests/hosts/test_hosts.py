"""Banners on the pages of other sites: the same on each, and no page is changed by them."""

import io
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route

from campaigns.banners.assets import hash_source, read_closing_script
from campaigns.banners.placements import EMBEDDED
from campaigns.banners.snippets import write_reserve
from tests.hosts.conftest import Hosts
from tests.hosts.measuring import list_differences, measure_banners, measure_page, measure_shift
from tests.hosts.server import PAGES
from tests.support.browser import assert_accessible, save_picture
from tests.support.processes import wait_until

# One group: the clock is the browser's, and the servers and the browser start once.
pytestmark = [pytest.mark.once, pytest.mark.xdist_group("hosts")]

WIDTHS = (320, 768, 1440)
HOSTS = sorted(
    path.stem for path in PAGES.glob("*.html") if path.stem not in {"plain", "wordpress"}
)


@contextmanager
def open_page(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """Open a page in a new window, and fail if its console shows an error."""
    context = browser.new_context(
        **{"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"} | options
    )
    errors: list[str] = []
    page = context.new_page()
    page.on("console", lambda each: errors.append(each.text) if each.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(url)
    yield page
    context.close()
    assert errors == []


def fragments(hosts: Hosts, ending: str = ".html") -> dict[str, bytes]:
    return {placement: hosts.read(f"{placement}{ending}") for placement in EMBEDDED}


def components(hosts: Hosts, attributes: str = "", *, reserve: bool = False) -> dict[str, bytes]:
    """Return the script for the head, and an element with a link for each placement."""
    parts = {
        placement: (
            f'<campaign-banner campaign="birthday" placement="{placement}" lang="en"{attributes}>'
            f'<a href="{hosts.publisher}/campaign/birthday/">Our campaign</a></campaign-banner>'
        )
        for placement in EMBEDDED
    }
    style = "".join(map(write_reserve, EMBEDDED)) if reserve else ""
    script = f'<script type="module" src="{hosts.publisher}/campaign/banner.js"></script>'
    parts["head"] = f"{style}{script}"
    return {place: html.encode() for place, html in parts.items()}


def wait_for_banners(page: Page) -> None:
    # A strict policy forbids what `wait_for_function` does from its second attempt on.
    ready = "[...document.querySelectorAll('campaign-banner')].every(each => each.shadowRoot)"
    wait_until(lambda: page.evaluate(ready), seconds=30)


def open_way(browser: Browser, hosts: Hosts, way: str, host: str, **options: Any) -> Any:
    parts = fragments(hosts) if way == "fragment" else components(hosts)
    hosts.pages.put(f"{way}-{host}", host, parts)
    return open_page(browser, f"{hosts.newspaper}/{way}-{host}", **options)


@pytest.mark.thorough
def test_no_theme_changes_a_banner_and_no_banner_a_theme(browser: Browser, hosts: Hosts) -> None:
    with open_way(browser, hosts, "fragment", "plain") as page:
        expected = measure_banners(page)
        assert len(expected) > 60
    hosts.pages.put("theme", "theme")
    with open_page(browser, f"{hosts.newspaper}/theme") as page:
        alone = measure_page(page)
    for way in ("fragment", "component"):
        with open_way(browser, hosts, way, "theme") as page:
            wait_for_banners(page)
            assert list_differences(expected, measure_banners(page)) == []
            assert list_differences(alone, measure_page(page)) == []


@pytest.mark.thorough
@pytest.mark.parametrize("width", WIDTHS)
def test_banners_are_the_same_on_every_page(browser: Browser, hosts: Hosts, width: int) -> None:
    """The reader prefers dark; only one of the pages says that it can be dark."""
    window: dict[str, Any] = {"viewport": {"width": width, "height": 900}, "color_scheme": "dark"}
    expected: dict[bool, Any] = {}
    for host in ("plain", *HOSTS):
        hosts.pages.put(host, host)
        with open_page(browser, f"{hosts.newspaper}/{host}", **window) as page:
            alone = measure_page(page)
        for way in ("fragment", "component"):
            with open_way(browser, hosts, way, host, **window) as page:
                wait_for_banners(page)
                save_picture(page, f"hosts/{host}-{way}-{width}")
                measured = measure_banners(page)
                first = expected.setdefault(host == "dark", measured)
                assert list_differences(first, measured) == [], (host, way)
                assert list_differences(alone, measure_page(page)) == [], (host, way)
                assert page.evaluate("document.documentElement.scrollWidth") <= width
    light, dark = ({each["color"] for each in expected[is_dark]} for is_dark in (False, True))
    assert light != dark


@pytest.mark.thorough
@pytest.mark.parametrize("width", WIDTHS)
def test_the_component_moves_nothing_when_it_comes_late(
    browser: Browser, hosts: Hosts, width: int
) -> None:
    hosts.pages.put("late", "plain", components(hosts, reserve=True))
    viewport = {"width": width, "height": 900}
    with open_page(browser, "about:blank", viewport=viewport) as page:

        def answer_late(route: Route) -> None:
            time.sleep(0.1)
            route.continue_()

        page.route("**/*.json", answer_late)
        page.goto(f"{hosts.newspaper}/late")
        wait_for_banners(page)
        assert measure_shift(page) == 0


def read_pixels(page: Page) -> list[Any]:
    """Return colours of the page's background and of its input."""
    box = page.locator("input").bounding_box()
    assert box
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True)))
    height = page.evaluate("document.documentElement.scrollHeight")
    spots = [(box["x"] + 5, box["y"] + 5), (1, height - 2)]
    return [picture.getpixel((int(x), int(y))) for x, y in spots]


@pytest.mark.thorough
def test_a_light_page_stays_light_for_a_reader_in_dark_mode(browser: Browser, hosts: Hosts) -> None:
    hosts.pages.put("alone", "light_only")
    with open_page(browser, f"{hosts.newspaper}/alone", color_scheme="dark") as page:
        alone = read_pixels(page)
    for way in ("fragment", "component"):
        with open_way(browser, hosts, way, "light_only", color_scheme="dark") as page:
            wait_for_banners(page)
            assert read_pixels(page) == alone


@pytest.mark.thorough
def test_a_page_can_choose_the_scheme(browser: Browser, hosts: Hosts) -> None:
    colours = {}
    for scheme in ("auto", "light", "dark"):
        hosts.pages.put(scheme, "plain", components(hosts, f' data-scheme="{scheme}"'))
        with open_page(browser, f"{hosts.newspaper}/{scheme}") as page:
            wait_for_banners(page)
            colours[scheme] = measure_banners(page)[1]["background-color"]
    assert colours["auto"] == colours["light"] == "rgb(251, 250, 247)"
    assert colours["dark"] == "rgb(23, 22, 19)"


def test_banners_work_under_a_strict_policy(browser: Browser, hosts: Hosts) -> None:
    """The component needs two named sources; the fragment needs the hashes of its contents."""
    with open_way(browser, hosts, "component", "plain") as page:
        wait_for_banners(page)
        expected = measure_banners(page)
    plain = hosts.pages.pages["/component-plain"][0].decode()
    styles = " ".join(map(hash_source, re.findall("<style>(.*?)</style>", plain, re.DOTALL)))
    policy = "default-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'; "
    scripted = f"script-src {hosts.publisher}; connect-src {hosts.publisher}; style-src {styles}"
    hosts.pages.put(
        "strict", "plain", components(hosts), **{"Content-Security-Policy": policy + scripted}
    )
    with open_page(browser, f"{hosts.newspaper}/strict") as page:
        wait_for_banners(page)
        assert list_differences(expected, measure_banners(page)) == []
        page.get_by_role("button", name="Hide for").first.click()
        page.get_by_role("button", name="Show the banner").first.click()

    inside = b"".join(fragments(hosts).values()).decode()
    styles += " " + " ".join(map(hash_source, re.findall("<style>(.*?)</style>", inside)))
    hashed = f"script-src {hash_source(read_closing_script())}; style-src {styles}"
    hosts.pages.put(
        "hashed", "plain", fragments(hosts), **{"Content-Security-Policy": policy + hashed}
    )
    with open_page(browser, f"{hosts.newspaper}/hashed") as page:
        assert list_differences(expected, measure_banners(page)) == []
        assert page.get_by_role("button", name="Hide for").count() == 2


def test_without_script_readers_see_the_banner_or_the_link(browser: Browser, hosts: Hosts) -> None:
    with open_way(browser, hosts, "fragment", "plain", java_script_enabled=False) as page:
        assert page.get_by_text("of 1,000 new members").count() == 4
        assert page.get_by_role("link", name="Become a member").count() == 4
        assert page.get_by_role("button").count() == 0  # nothing that doesn't work
    with open_way(browser, hosts, "component", "plain", java_script_enabled=False) as page:
        assert page.get_by_role("link", name="Our campaign").count() == 4


def test_banners_are_not_printed_and_keep_their_bar_in_forced_colours(
    browser: Browser, hosts: Hosts
) -> None:
    with open_way(browser, hosts, "fragment", "theme", forced_colors="active") as page:
        fill, track = page.evaluate(
            """["fill", "bar"].map((name) => {
              const host = document.querySelector("campaign-banner");
              const style = getComputedStyle(host.shadowRoot.querySelector(".campaign-" + name));
              return name === "fill" ? style.fill : style.backgroundColor;
            })"""
        )
        assert fill != track
        page.emulate_media(media="print")
        assert not any(each.is_visible() for each in page.locator("campaign-banner").all())


def test_banners_are_accessible_on_a_plain_page(browser: Browser, hosts: Hosts) -> None:
    with open_way(browser, hosts, "component", "plain") as page:
        wait_for_banners(page)
        assert_accessible(page, "banners on a plain page")
        assert page.locator("body").aria_snapshot().count("of 1,000 new members") == 4


def test_the_script_of_a_fragment_moves_nothing(browser: Browser, hosts: Hosts) -> None:
    """The first paint may come before the script that shows the button "Hide for 14 days"."""
    measure = "() => [...document.querySelectorAll('campaign-banner')].map((e) => e.clientHeight)"
    with open_way(browser, hosts, "fragment", "plain") as page:
        assert page.get_by_role("button", name="Hide for 14 days").count() == 2
        after = page.evaluate(measure)
    with open_way(browser, hosts, "fragment", "plain", java_script_enabled=False) as page:
        assert page.evaluate(measure) == after
