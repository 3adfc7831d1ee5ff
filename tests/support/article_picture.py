"""Make the README's picture from a running demo: an article on a desktop, and on a phone beside it.

    bin/demo --fresh
    python -m tests.support.article_picture http://127.0.0.1:8000/

The picture has the fonts of this machine, as pages have those of their readers.
"""

import sys
from base64 import b64encode
from pathlib import Path

from playwright.sync_api import Browser

from tests.support.browser import run_chromium

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "images" / "article.png"
DESKTOP, PHONE = (1200, 1060), (390, 844)
PAGE = """<!doctype html>
<style>
  body {{ margin: 0; padding: 24px; width: max-content; background: #dfe3e6;
         display: flex; gap: 24px; align-items: flex-end }}
  img {{ display: block; height: 844px; border-radius: 6px }}
</style>
<img src="data:image/png;base64,{}"><img src="data:image/png;base64,{}">
"""


def show_article(browser: Browser, address: str, size: tuple[int, int], *, at: str) -> str:
    """Return a picture of the article, scrolled to an element, in Base64."""
    page = browser.new_page(
        viewport={"width": size[0], "height": size[1]}, device_scale_factor=2, locale="en-GB"
    )
    page.goto(address, wait_until="networkidle")
    page.locator(at).evaluate("element => element.scrollIntoView({block: 'center'})")
    return b64encode(page.screenshot()).decode()


def make_picture(address: str) -> None:
    with run_chromium() as browser:
        desktop = show_article(browser, address, DESKTOP, at=".campaign-top")
        phone = show_article(browser, address, PHONE, at=".campaign-inline")
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        page.set_content(PAGE.format(desktop, phone))
        page.locator("body").screenshot(path=PICTURE)


if __name__ == "__main__":
    make_picture(sys.argv[1])
