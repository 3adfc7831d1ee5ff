"""A member's own page, in a browser: real web server, worker, beat and sandbox, as in the demo."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser import OUTPUT, Reader, a_reader, run_chromium
from tests.processes import Site, run_site
from tests.test_journeys import (
    GOOD_CARD,
    ROWS,
    fill_in_join,
    find_link,
    open_mail,
    pay,
    see_confirmation,
    send,
)

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.long, pytest.mark.once]
PHONE: ViewportSize = {"width": 320, "height": 640}
DESK: ViewportSize = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with run_site(tmp_path_factory.mktemp("members"), rows=ROWS) as site:
        yield site


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with run_chromium() as browser:
        yield browser


@pytest.fixture
def reader(chromium: Browser) -> Iterator[Reader]:
    with a_reader(chromium) as reader:
        yield reader


def join(page: Page, site: Site, *, email: str) -> None:
    page.goto(f"{site.url}/drive/birthday/join/")
    fill_in_join(page, email=email)
    send(page)
    pay(page, GOOD_CARD)
    see_confirmation(page)


def look_twice(reader: Reader, name: str) -> None:
    """On a desk and on a phone."""
    reader.look(name)
    reader.page.set_viewport_size(PHONE)
    reader.look(f"{name}-phone")
    reader.page.set_viewport_size(DESK)


def test_a_member_opens_their_page_and_cancels(site: Site, reader: Reader) -> None:
    page = reader.page
    join(page, site, email="ada@example.org")
    page.get_by_role("contentinfo").get_by_role("link", name="Your membership").click()
    look_twice(reader, "my-address")
    page.get_by_label("Your e-mail").fill("ada@example.org")
    send(page)
    page.get_by_text("If this address belongs to a membership or a gift").wait_for()
    look_twice(reader, "my-link")
    open_mail(page, site, "Your link to your page", to="ada@example.org")
    reader.look("mail-sign-in")
    address = find_link(page, "/membership/mine/open/")
    page.goto(address)
    look_twice(reader, "my-door")
    page.get_by_role("button", name="Open my page").click()
    page.get_by_text(re.compile("Renews on")).wait_for()
    look_twice(reader, "my-page")
    receipt = page.get_by_role("link", name="Receipt (PDF)").get_attribute("href")
    answer = page.request.get(f"{site.url}{receipt}")
    assert answer.body().startswith(b"%PDF")
    (OUTPUT / "my-receipt.pdf").write_bytes(answer.body())
    page.get_by_role("link", name="Cancel my membership").click()
    look_twice(reader, "my-cancel")
    page.get_by_label("Why do you cancel?").select_option("too_expensive")
    page.get_by_label("In your own words").fill("The rent went up.")
    page.get_by_role("button", name="Cancel at the end of the paid period").click()
    page.get_by_text("Your membership is cancelled.").wait_for()
    page.get_by_text(re.compile("Cancelled: ends on")).wait_for()
    look_twice(reader, "my-page-cancelled")
    page.get_by_role("button", name="Keep my membership").click()
    page.get_by_text("Your membership goes on.").wait_for()
    page.get_by_role("button", name="Change card, see invoices").click()
    page.wait_for_url(re.compile(r"/p/session/"))
    page.goto(f"{site.url}/membership/mine/")
    page.get_by_role("button", name="Leave my page").click()
    page.get_by_text("You have left your page.").wait_for()
    page.goto(address)
    look_twice(reader, "my-link-closed")
    reader.complaints = [text for text in reader.complaints if "status of 410" not in text]
