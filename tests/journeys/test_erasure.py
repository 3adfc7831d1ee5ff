"""Somebody has themselves forgotten, in a browser: real web server, worker, beat and sandbox."""

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Page, ViewportSize

from tests.journeys.test_sign_up import (
    GOOD_CARD,
    ROWS,
    fill_in_join,
    find_link,
    open_mail,
    pay,
    see_confirmation,
    send,
)
from tests.support.browser import Reader
from tests.support.processes import Site, run_site, wait_until

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.long, pytest.mark.once]
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1280, "height": 900}
ADA = "ada@example.org"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with run_site(tmp_path_factory.mktemp("erasures"), rows=ROWS) as site:
        yield site


def look_around(reader: Reader, name: str) -> None:
    """On a desk and on a phone, by day and by night."""
    schemes: list[Literal["light", "dark"]] = ["light", "dark"]
    for scheme in schemes:
        reader.page.emulate_media(color_scheme=scheme)
        for size, where in ((DESK, "desk"), (PHONE, "phone")):
            reader.page.set_viewport_size(size)
            reader.look(f"{name}-{where}-{scheme}")
    reader.page.emulate_media(color_scheme="light")
    reader.page.set_viewport_size(DESK)


def join(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/campaign/birthday/join/")
    fill_in_join(page, email=ADA)
    send(page)
    pay(page, GOOD_CARD)
    see_confirmation(page)


def ask_for_link(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/membership/account/")
    page.get_by_label("Your e-mail").fill(ADA)
    send(page)
    page.get_by_text("If this address belongs to a membership or a gift").wait_for()


def test_a_member_is_forgotten_and_comes_back_as_somebody_new(site: Site, reader: Reader) -> None:
    page = reader.page
    join(page, site)
    ask_for_link(page, site)
    open_mail(page, site, "Your sign-in link", to=ADA)
    page.goto(find_link(page, "/membership/account/open/"))
    page.get_by_role("button", name="Open my page").click()
    page.get_by_text(re.compile("Renews on")).wait_for()
    page.get_by_role("link", name="Erase my data").click()
    page.get_by_text("Your subscription ends at once").wait_for()
    look_around(reader, "my-erase")
    page.get_by_role("button", name="Erase my data").click()  # without the tick
    page.get_by_text("Please tick this, if you are sure.").first.wait_for()
    look_around(reader, "my-erase-unsure")
    page.get_by_label("I know that it cannot be undone").check()
    page.get_by_role("button", name="Erase my data").click()
    page.get_by_role("heading", name="Your data is being erased").wait_for()
    look_around(reader, "my-erased")
    open_mail(page, site, "is erasing your data", to=ADA)
    reader.look("mail-erasure")
    wait_until(lambda: site.count("erasure", "done_at IS NOT NULL") == 1, seconds=120)
    assert site.count("member", f"email = '{ADA}'") == 0
    assert site.query("SELECT status FROM campaigns_membership") == [("ended",)]
    assert ADA not in str(site.query("SELECT payload FROM campaigns_stripeevent"))
    assert reader.count(site.url) == 1  # she counts as she did
    ask_for_link(page, site)  # and is answered as anybody is
    join(page, site)
    reader.wait_for_count(site.url, 2)
