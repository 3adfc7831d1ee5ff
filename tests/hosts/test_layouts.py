"""Layouts that could split a banner or leave it no width: it stays whole and keeps one."""

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.hosts.conftest import Hosts
from tests.hosts.test_hosts import components, fragments, open_page, wait_for_banners
from tests.support.browser import save_picture

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("hosts")]

LAYOUTS = {
    "columns": "section { columns: 2 }",
    "newspaper": "main { columns: 3; width: 100% }",
    "grid": "section { display: grid; grid-auto-flow: column; justify-items: start }",
    "table": "section { display: table } section > * { display: table-cell }",
    "vertical": "main { writing-mode: vertical-rl }",
}
LEAST_WIDTH = 90  # px, beside four other elements in a line
# The width of each banner in the article, and in how many pieces it is.
MEASURE = """() => [...document.querySelectorAll("main campaign-banner")].map((host) => {
  const rects = host.shadowRoot.querySelector(".campaign-banner").getClientRects();
  return [rects[0].width, rects.length];
})"""


@pytest.mark.parametrize("way", ["fragment", "component"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_banner_stays_whole_and_has_a_width(
    browser: Browser, hosts: Hosts, layout: str, way: str
) -> None:
    parts = fragments(hosts) if way == "fragment" else components(hosts)
    parts["head"] = parts.get("head", b"") + f"<style>{LAYOUTS[layout]}</style>".encode()
    hosts.pages.put(f"layout-{layout}", "plain", parts)
    with open_page(browser, f"{hosts.newspaper}/layout-{layout}") as page:
        wait_for_banners(page)
        save_picture(page, f"hosts/layout-{layout}-{way}")
        measured: list[Any] = page.evaluate(MEASURE)
    assert len(measured) == 2
    assert all(width >= LEAST_WIDTH and pieces == 1 for width, pieces in measured), measured
