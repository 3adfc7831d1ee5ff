"""A member's own page, in a browser: real web server, worker, beat and sandbox, as in the demo."""

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
from tests.support.browser import OUTPUT, Reader
from tests.support.processes import Site

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.long, pytest.mark.once]
POCKET: ViewportSize = {"width": 390, "height": 844}
PHONE: ViewportSize = {"width": 320, "height": 640}
DESK: ViewportSize = {"width": 1280, "height": 900}


def join(page: Page, site: Site, *, email: str) -> None:
    page.goto(f"{site.url}/campaign/birthday/join/")
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


def switch_to_monthly(reader: Reader) -> None:
    page = reader.page
    page.get_by_role("link", name="Change price").click()
    page.get_by_text("You won’t be charged today.").wait_for()
    look_in_all_lights(reader, "my-switch")
    page.get_by_role("button", name="Change price").click()
    page.get_by_text("Price changed.").wait_for()
    look_twice(reader, "my-page-switched")


def test_a_member_opens_their_page_and_cancels(site: Site, reader: Reader) -> None:
    page = reader.page
    join(page, site, email="bea@example.org")
    page.get_by_role("contentinfo").get_by_role("link", name="Your membership").click()
    look_twice(reader, "my-address")
    page.get_by_label("Your e-mail").fill("bea@example.org")
    send(page)
    page.get_by_text("If this address belongs to a membership or a gift").wait_for()
    look_twice(reader, "my-link")
    open_mail(page, site, "Your sign-in link", to="bea@example.org")
    reader.look("mail-sign-in")
    address = find_link(page, "/membership/account/open/")
    page.goto(address)
    look_twice(reader, "my-door")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text(re.compile("Renews on")).wait_for()
    look_twice(reader, "my-page")
    receipt = page.get_by_role("link", name="Receipt (PDF)").get_attribute("href")
    answer = page.request.get(f"{site.url}{receipt}")
    assert answer.body().startswith(b"%PDF")
    (OUTPUT / "my-receipt.pdf").write_bytes(answer.body())
    switch_to_monthly(reader)
    page.get_by_role("link", name="Cancel membership").click()
    look_twice(reader, "my-cancel")
    page.get_by_label("Why are you cancelling?").select_option("too_expensive")
    page.get_by_label("Comment").fill("The rent went up.")
    page.get_by_role("button", name="Cancel membership").click()
    page.get_by_text("Membership cancelled.").wait_for()
    page.get_by_text(re.compile("Cancelled. Your membership ends on")).wait_for()
    look_twice(reader, "my-page-cancelled")
    page.get_by_role("button", name="Resume membership").click()
    page.get_by_text("Membership resumed.").wait_for()
    page.get_by_role("button", name="Change card or see invoices").click()
    page.wait_for_url(re.compile(r"/p/session/"))
    page.goto(f"{site.url}/membership/account/")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("You’ve signed out.").wait_for()
    page.goto(address)
    look_twice(reader, "my-link-closed")
    reader.complaints = [text for text in reader.complaints if "status of 410" not in text]


def look_in_all_lights(reader: Reader, name: str) -> None:
    """On a desk and in a pocket, by day and by night."""
    lights: list[tuple[Literal["light", "dark"], str]] = [("light", ""), ("dark", "-dark")]
    for size, of_size in ((DESK, ""), (POCKET, "-pocket")):
        reader.page.set_viewport_size(size)
        for scheme, of_scheme in lights:
            reader.page.emulate_media(color_scheme=scheme)
            reader.look(f"{name}{of_size}{of_scheme}")
    reader.page.emulate_media(color_scheme="light")
    reader.page.set_viewport_size(DESK)


def open_own_page(page: Page, site: Site, *, email: str) -> None:
    page.goto(f"{site.url}/membership/account/")
    page.get_by_label("Your e-mail").fill(email)
    send(page)
    open_mail(page, site, "Your sign-in link", to=email)
    page.goto(find_link(page, "/membership/account/open/"))
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Change e-mail address").wait_for()


def test_a_member_changes_their_address(site: Site, reader: Reader) -> None:
    page, old, new = reader.page, "grace@example.org", "grace@new.example"
    join(page, site, email=old)
    open_own_page(page, site, email=old)
    look_in_all_lights(reader, "my-page-with-address")
    page.get_by_role("link", name="Change e-mail address").click()
    look_in_all_lights(reader, "my-new-address")
    page.get_by_label("Your new e-mail").fill(old)
    send(page)
    look_in_all_lights(reader, "my-new-address-wrong")
    page.get_by_label("Your new e-mail").fill(new)
    send(page)
    page.get_by_text("Check both inboxes.").wait_for()
    look_in_all_lights(reader, "my-new-address-asked")
    open_mail(page, site, "Confirm your new e-mail address", to=new)
    look_in_all_lights(reader, "mail-address-new")
    at_new = find_link(page, "/membership/address/")
    open_mail(page, site, "Change your e-mail address", to=old)
    look_in_all_lights(reader, "mail-address-old")
    at_old = find_link(page, "/membership/address/")
    page.goto(at_new)
    look_in_all_lights(reader, "my-new-address-is-it-yours")
    page.get_by_role("button", name="Confirm this address").click()
    page.get_by_text("One more address to confirm").wait_for()
    look_in_all_lights(reader, "my-new-address-half")
    page.goto(at_old)
    look_in_all_lights(reader, "my-new-address-confirm")
    page.get_by_role("button", name="Confirm change").click()
    page.get_by_role("heading", name="Your address has been changed").wait_for()
    look_in_all_lights(reader, "my-new-address-made")
    page.get_by_role("link", name="Go to my membership").click()
    page.get_by_text(new).wait_for()
    open_mail(page, site, "e-mail address at .* has been changed", to=new)
    reader.look("mail-address-changed")
    page.goto(f"{at_old[:-2]}x/")
    look_in_all_lights(reader, "my-new-address-closed")
    reader.complaints = [text for text in reader.complaints if "status of 410" not in text]
