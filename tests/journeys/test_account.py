"""The account page in a browser, with a real web server, worker, beat and sandbox."""

import re

import pytest

from tests.support.browser import OUTPUT, Reader
from tests.support.journey import (
    check_light_and_dark,
    check_two_sizes,
    find_link,
    ignore_status,
    join,
    open_mail,
    send_form,
    sign_in,
)
from tests.support.processes import Site

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.long, pytest.mark.once]


def switch_to_monthly(reader: Reader) -> None:
    page = reader.page
    page.get_by_role("link", name="Change price").click()
    page.get_by_text("You won’t be charged today.").wait_for()
    check_light_and_dark(reader, "account-change-price")
    page.get_by_role("button", name="Change price").click()
    page.get_by_text("Price changed.").wait_for()
    check_two_sizes(reader, "account-price-changed")


def test_a_member_signs_in_and_cancels(site: Site, reader: Reader) -> None:
    page = reader.page
    join(page, site, email="bea@example.org")
    page.get_by_role("contentinfo").get_by_role("link", name="Your membership").click()
    check_two_sizes(reader, "sign-in")
    page.get_by_label("Your e-mail").fill("bea@example.org")
    send_form(page)
    page.get_by_text("If this address belongs to a membership or a gift").wait_for()
    check_two_sizes(reader, "sign-in-sent")
    open_mail(page, site, "Your sign-in link", to="bea@example.org")
    reader.check_page("mail-sign-in")
    address = find_link(page, "/membership/account/open/")
    page.goto(address)
    check_two_sizes(reader, "sign-in-confirm")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text(re.compile("Renews on")).wait_for()
    check_two_sizes(reader, "account")
    receipt = page.get_by_role("link", name="Receipt (PDF)").get_attribute("href")
    answer = page.request.get(f"{site.url}{receipt}")
    assert answer.body().startswith(b"%PDF")
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / "receipt.pdf").write_bytes(answer.body())
    switch_to_monthly(reader)
    page.get_by_role("link", name="Cancel membership").click()
    check_two_sizes(reader, "account-cancel")
    page.get_by_label("Why are you cancelling?").select_option("too_expensive")
    page.get_by_label("Comment").fill("The rent went up.")
    page.get_by_role("button", name="Cancel membership").click()
    page.get_by_text("Membership cancelled.").wait_for()
    page.get_by_text(re.compile("Cancelled. Your membership ends on")).wait_for()
    check_two_sizes(reader, "account-cancelled")
    page.get_by_role("button", name="Resume membership").click()
    page.get_by_text("Membership resumed.").wait_for()
    page.get_by_role("button", name="Change card or see invoices").click()
    page.wait_for_url(re.compile(r"/p/session/"))
    page.goto(f"{site.url}/membership/account/")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("You’ve signed out.").wait_for()
    page.goto(address)
    check_two_sizes(reader, "sign-in-used")
    ignore_status(reader, 410)


@pytest.mark.thorough
def test_a_member_changes_their_address(site: Site, reader: Reader) -> None:
    page, old, new = reader.page, "grace@example.org", "grace@new.example"
    join(page, site, email=old)
    sign_in(page, site, email=old)
    check_light_and_dark(reader, "account-address")
    page.get_by_role("link", name="Change e-mail address").click()
    check_light_and_dark(reader, "new-address")
    page.get_by_label("Your new e-mail").fill(old)
    send_form(page)
    check_light_and_dark(reader, "new-address-with-error")
    page.get_by_label("Your new e-mail").fill(new)
    send_form(page)
    page.get_by_text("Check both inboxes.").wait_for()
    check_light_and_dark(reader, "new-address-sent")
    open_mail(page, site, "Confirm your new e-mail address", to=new)
    check_light_and_dark(reader, "mail-address-new")
    at_new = find_link(page, "/membership/address/")
    open_mail(page, site, "Change your e-mail address", to=old)
    check_light_and_dark(reader, "mail-address-old")
    at_old = find_link(page, "/membership/address/")
    page.goto(at_new)
    check_light_and_dark(reader, "new-address-confirm-new")
    page.get_by_role("button", name="Confirm this address").click()
    page.get_by_text("One more address to confirm").wait_for()
    check_light_and_dark(reader, "new-address-half-confirmed")
    page.goto(at_old)
    check_light_and_dark(reader, "new-address-confirm-old")
    page.get_by_role("button", name="Confirm change").click()
    page.get_by_role("heading", name="Your address has been changed").wait_for()
    check_light_and_dark(reader, "new-address-changed")
    page.get_by_role("link", name="Go to my membership").click()
    page.get_by_text(new).first.wait_for()
    open_mail(page, site, "e-mail address at .* has been changed", to=new)
    reader.check_page("mail-address-changed")
    page.goto(f"{at_old[:-2]}x/")
    check_light_and_dark(reader, "new-address-expired")
    ignore_status(reader, 410)
