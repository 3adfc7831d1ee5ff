"""An open amount in a browser: from the form to the receipt, and changed on the account page."""

import re

import pytest

from tests.support.browser import Reader
from tests.support.journey import (
    GOOD_CARD,
    check_light_and_dark,
    check_two_sizes,
    ignore_status,
    open_join,
    open_mail,
    pay_by_card,
    send_form,
    sign_in,
    wait_for_confirmation,
)
from tests.support.processes import Site

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.long, pytest.mark.once]


WHO = "olga@example.org"


@pytest.mark.thorough
def test_a_reader_chooses_an_amount_and_changes_it(site: Site, reader: Reader) -> None:
    page = reader.page
    open_join(page, site)
    amount = page.get_by_label("Amount a month, in EUR")
    assert not amount.is_visible()
    page.get_by_role("radio", name=re.compile("Another amount a month")).check()
    amount.fill("2,50")
    page.get_by_label("Your name").fill("Dora Reader")
    page.get_by_label("Your e-mail").fill(WHO)
    check_light_and_dark(reader, "join-open-amount")
    ignore_status(reader, 422)
    send_form(page)
    page.get_by_text("Enter at least €3.").first.wait_for()
    check_two_sizes(reader, "join-open-amount-error")
    assert amount.input_value() == "2,50"
    amount.fill("5,50")
    send_form(page)
    page.wait_for_url(re.compile(r"/c/pay/"))
    page.get_by_text("€5.50").first.wait_for()
    page.go_back()  # to the answer with the errors
    assert amount.input_value() == "2,50"
    amount.fill("€ 5,50")
    send_form(page)
    page.get_by_text("€5.50").first.wait_for()
    pay_by_card(page, GOOD_CARD)
    wait_for_confirmation(page)
    page.get_by_text("You paid €5.50. Your membership renews every month").wait_for()
    open_mail(page, site, "Receipt", to=WHO)
    page.frame_locator("iframe").get_by_text("€5.50 a month").first.wait_for()
    sign_in(page, site, email=WHO)
    page.get_by_text("€5.50 a month").first.wait_for()
    page.get_by_role("link", name="Change amount").click()
    page.get_by_text("You won’t be charged today.").wait_for()
    check_light_and_dark(reader, "account-change-amount")
    page.get_by_role("radio", name=re.compile("€10 a month")).check()
    page.get_by_role("button", name="Change amount").click()
    page.get_by_text("Amount changed.").wait_for()
    page.get_by_text("€10 a month").first.wait_for()
    check_two_sizes(reader, "account-amount-changed")
