"""A reader with a real browser: headless Chromium, checked by axe, with a clean console.

If TEST_PICTURES is set, a picture of every checked page is saved in test-output/.
"""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    ViewportSize,
    sync_playwright,
)

OUTPUT = Path(__file__).resolve().parents[2] / "test-output"
# Chromium refuses its own sandbox as root. The other options stop its background requests.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A sandboxed frame would get a process of its own. Playwright loses sight of it for good if the
    # page gives it another address while it loads, as WordPress does; readers see it nevertheless.
    "--disable-site-isolation-trials",
]
# Axe would load every stylesheet again, for an experimental rule that is off.
AXE_OPTIONS = {"resultTypes": ["violations"], "preload": False}
COUNT = re.compile(r"([\d,]+) of 1,000 new members")
_click, _press = Locator.click, Locator.press


def load_pages_to_their_end() -> None:
    """Make a click and a key wait for the whole of the page that they lead to.

    By themselves they wait for its first bytes, and a test would read a half of it.
    """

    def click(locator: Locator, **options: Any) -> None:
        _click(locator, **options)
        _wait_for_the_end(locator.page)

    def press(locator: Locator, key: str, **options: Any) -> None:
        _press(locator, key, **options)
        _wait_for_the_end(locator.page)

    Locator.click, Locator.press = click, press  # type: ignore[assignment, method-assign]


def _wait_for_the_end(page: Page) -> None:
    if not page.is_closed():
        page.wait_for_load_state()


def find_chromium() -> str:
    """Return Chromium's path. Without one, skip the test, or fail if REQUIRE_BROWSER is set."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    if os.environ.get("REQUIRE_BROWSER"):
        pytest.fail("REQUIRE_BROWSER is set, and there is no Chromium on this machine.")
    pytest.skip("There is no Chromium on this machine, so the pages were not tested in a browser.")


@contextmanager
def run_chromium() -> Iterator[Browser]:
    path = find_chromium()
    OUTPUT.mkdir(exist_ok=True)
    load_pages_to_their_end()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def save_picture(page: Page, name: str) -> None:
    """Save a picture of the whole page in test-output/, if pictures are wanted."""
    if "TEST_PICTURES" in os.environ:
        page.screenshot(path=OUTPUT / f"{name}.png", full_page=True)


def assert_accessible(page: Page, name: str) -> None:
    """Fail if axe finds a violation on the page, once it has loaded."""
    page.wait_for_load_state()
    found = Axe().run(page, options=AXE_OPTIONS)
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"


class Reader:
    """A person with one browser window."""

    def __init__(self, browser: Browser, **context: Any) -> None:
        self.context: BrowserContext = browser.new_context(
            **{
                "viewport": {"width": 1280, "height": 900},
                "locale": "en-GB",
                "reduced_motion": "reduce",
            }
            | context
        )
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note_console(self, message: ConsoleMessage) -> None:
        # A form with errors answers 422, which the browser notes as a failed load.
        if message.type == "error" and "status of 422" not in message.text:
            self.complaints.append(f"{message.text} at {message.location.get('url')}")

    def close(self) -> None:
        """Close the window. Fail if the console showed an error."""
        self.context.close()
        assert not self.complaints, self.complaints

    def change_window(self, size: ViewportSize, scheme: Literal["light", "dark"]) -> None:
        """Change the size and the colour scheme, without waiting for transitions of colours."""
        self.page.set_viewport_size(size)
        self.page.emulate_media(color_scheme=scheme)
        self.page.evaluate("document.getAnimations().forEach(each => each.finish())")

    def check_page(self, name: str) -> None:
        """Fail if axe finds a violation or the page is wider than the window."""
        save_picture(self.page, name)
        assert_accessible(self.page, name)
        assert self.measure_overflow() <= 0, (
            f"{name} is wider than its window by {self.measure_overflow()} px"
        )

    def measure_overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        return int(
            self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )

    def read_count(self, article: str) -> int:
        """Open the article and return the number of new members that it shows."""
        self.page.goto(article)
        banner = self.page.locator("campaign-banner .campaign-count").first  # in its shadow root
        found = COUNT.search(" ".join(banner.inner_text().split()))
        assert found, banner.inner_text()
        return int(found[1].replace(",", ""))

    def wait_for_count(self, article: str, wanted: int, *, seconds: float = 60) -> None:
        """Wait until the article shows that number. Fail if it shows more."""
        deadline, pause = time.monotonic() + seconds, 0.3
        while (shown := self.read_count(article)) < wanted:
            assert time.monotonic() < deadline, f"the article still shows {shown}"
            time.sleep(pause)
            pause = min(2 * pause, 3)  # opening the page costs more than anything else meanwhile
        assert shown == wanted


@contextmanager
def open_reader(browser: Browser, **context: Any) -> Iterator[Reader]:
    """Yield a reader with a new window. A failing test hides errors of the console."""
    reader = Reader(browser, **context)
    try:
        yield reader
    except BaseException:
        reader.context.close()
        raise
    reader.close()
