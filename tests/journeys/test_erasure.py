"""Somebody has themselves forgotten, in a browser: real web server, worker, beat and sandbox."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Page, ViewportSize

from tests.journeys.test_sign_up import (
    GOOD_CARD,
    fill_in_join,
    find_link,
    open_mail,
    pay,
    see_confirmation,
    send,
)
from tests.support.browser import Reader
from tests.support.processes import Site, wait_until

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.long, pytest.mark.once]
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1280, "height": 900}
ERIN = "erin@example.org"


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
    fill_in_join(page, email=ERIN)
    send(page)
    pay(page, GOOD_CARD)
    see_confirmation(page)


def ask_for_link(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/membership/account/")
    page.get_by_label("Your e-mail").fill(ERIN)
    send(page)
    page.get_by_text("If this address belongs to a membership or a gift").wait_for()


def test_a_member_is_forgotten_and_comes_back_as_somebody_new(site: Site, reader: Reader) -> None:
    page = reader.page
    counted = reader.count(site.url) + 1
    join(page, site)
    reader.wait_for_count(site.url, counted)
    ask_for_link(page, site)
    open_mail(page, site, "Your sign-in link", to=ERIN)
    page.goto(find_link(page, "/membership/account/open/"))
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text(re.compile("Renews on")).wait_for()
    page.get_by_role("link", name="Erase my data").click()
    page.get_by_text("Your subscription ends immediately").wait_for()
    look_around(reader, "my-erase")
    page.get_by_role("button", name="Erase my data").click()  # without the tick
    page.get_by_text("Tick this box to confirm.").first.wait_for()
    look_around(reader, "my-erase-unsure")
    page.get_by_label("I understand that this can’t be undone").check()
    page.get_by_role("button", name="Erase my data").click()
    page.get_by_role("heading", name="Your data is being erased").wait_for()
    look_around(reader, "my-erased")
    open_mail(page, site, "is erasing your data", to=ERIN)
    reader.look("mail-erasure")
    wait_until(lambda: site.count("erasure", "done_at IS NOT NULL") == 1, seconds=120)
    assert site.count("member", f"email = '{ERIN}'") == 0
    theirs = "member_id IN (SELECT member_id FROM campaigns_erasure)"
    assert site.count("membership", f"status = 'ended' AND {theirs}") == 1
    assert ERIN not in str(site.query("SELECT payload FROM campaigns_stripeevent"))
    assert reader.count(site.url) == counted  # erasure changes no number
    ask_for_link(page, site)  # and is answered as anybody is
    join(page, site)
    reader.wait_for_count(site.url, counted + 1)
