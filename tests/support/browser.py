"""A reader with a real browser: Chromium without a screen, held to axe and to a clean console."""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

OUTPUT = Path(__file__).resolve().parents[2] / "test-output"
# As root Chromium refuses its own sandbox; the rest keeps it from calling home.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
COUNT = re.compile(r"([\d,]+) of 1,000 new members")


def find_chromium() -> str:
    """Its path; without one the test is skipped, or fails where REQUIRE_BROWSER is set."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    if os.environ.get("REQUIRE_BROWSER"):
        pytest.fail("REQUIRE_BROWSER is set, and there is no Chromium on this machine.")
    pytest.skip("There is no Chromium on this machine: what readers see was not tested.")


@contextmanager
def run_chromium() -> Iterator[Browser]:
    path = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


class Reader:
    """One person at one browser window. Every page that is looked at must satisfy axe."""

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
        """Leave; whatever the console complained of on the way is a failure."""
        self.context.close()
        assert not self.complaints, self.complaints

    def look(self, name: str) -> None:
        """Keep a picture of the whole page, and hold it against axe and its own width."""
        OUTPUT.mkdir(exist_ok=True)
        self.page.screenshot(path=OUTPUT / f"{name}.png", full_page=True)
        found = Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()
        assert self.overflow() <= 0, f"{name} is wider than its window by {self.overflow()} px"

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(
            self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )

    def count(self, article: str) -> int:
        """The number of new members that the article shows now."""
        self.page.goto(article)
        found = COUNT.search(self.page.inner_text("body"))
        assert found, self.page.inner_text("body")
        return int(found[1].replace(",", ""))

    def wait_for_count(self, article: str, wanted: int, *, seconds: float = 30) -> None:
        """Until the article shows that number; it may never show more."""
        deadline = time.monotonic() + seconds
        while (shown := self.count(article)) < wanted:
            assert time.monotonic() < deadline, f"the article still shows {shown}"
            time.sleep(0.3)
        assert shown == wanted


@contextmanager
def a_reader(browser: Browser, **context: Any) -> Iterator[Reader]:
    """A reader who comes and goes; a failure on the way is not covered up by the console's."""
    reader = Reader(browser, **context)
    try:
        yield reader
    except BaseException:
        reader.context.close()
        raise
    reader.close()
