"""Beside membership, in a browser: a contribution, a shared link, and words on the wall."""

import re

import pytest
from playwright.sync_api import Browser, Page

from newsroom.demo.campaign import STAFF_NAME, STAFF_PASSWORD
from tests.support.browser import Reader, open_reader
from tests.support.journey import (
    GOOD_CARD,
    check_light_and_dark,
    check_two_sizes,
    fill_in_join,
    find_link,
    ignore_status,
    join,
    open_mail,
    pay_by_card,
    send_and_pay,
    send_form,
    sign_in,
    wait_for_confirmation,
)
from tests.support.processes import Site

pytestmark = [
    pytest.mark.xdist_group("journeys"),
    pytest.mark.long,
    pytest.mark.once,
    pytest.mark.thorough,
]


def read_money(page: Page, site: Site) -> str:
    """Return what the campaign page says about the goal in money, such as €10 of €40,000."""
    page.goto(f"{site.url}/campaign/birthday/en/")
    found = re.search(r"€([\d,.]+) of €40,000", page.locator("main").inner_text())
    assert found, page.locator("main").inner_text()
    return found[1]


def wait_for_text(page: Page, address: str, text: str, *, is_there: bool = True) -> None:
    """Open a published page again and again until it has the text, or no longer has it."""
    for _ in range(40):
        page.goto(address)
        if bool(page.get_by_text(text).count()) == is_there:
            return
        page.wait_for_timeout(500)
    pytest.fail(f"{address} {'never shows' if is_there else 'still shows'} {text!r}")


def open_in_ukrainian(reader: Reader, name: str) -> None:
    """Check the same page in Ukrainian, and go back to English."""
    page, address = reader.page, reader.page.url.split("#")[0]
    for language, suffix in (("uk", "-uk"), ("en", "")):
        page.goto(f"{address}?language={language}")
        if suffix:
            check_light_and_dark(reader, f"{name}{suffix}")


def test_a_contribution_moves_the_money_and_counts_nobody(site: Site, reader: Reader) -> None:
    page, who = reader.page, "contributor@example.org"
    members, money = reader.read_count(site.url), read_money(page, site)
    page.goto(f"{site.url}/campaign/birthday/join/")
    page.get_by_role("link", name="Give once").click()
    page.get_by_role("radio", name=re.compile("Another amount")).check()
    page.get_by_label(re.compile("^Amount")).fill("0")
    page.get_by_label("Your name").fill("Ada Reader")
    page.get_by_label("Your e-mail").fill(who)
    check_light_and_dark(reader, "contribution")
    ignore_status(reader, 422)
    send_form(page)
    page.get_by_text("Enter at least").first.wait_for()
    check_two_sizes(reader, "contribution-error")
    page.get_by_label(re.compile("^Amount")).fill("12,50")
    send_form(page)
    page.wait_for_url(re.compile(r"/c/pay/"))
    page.get_by_text("€12.50").first.wait_for()
    pay_by_card(page, GOOD_CARD)
    wait_for_confirmation(page)
    page.get_by_text("You contributed €12.50.").wait_for()
    assert not page.get_by_role("link", name="Add my name").count()
    check_light_and_dark(reader, "contribution-thanks")
    open_in_ukrainian(reader, "contribution-thanks")
    open_mail(page, site, "Receipt", to=who)
    page.frame_locator("iframe").get_by_text("€12.50").first.wait_for()
    wanted = float(money.replace(",", "")) + 12.5
    for _ in range(40):
        if float(read_money(page, site).replace(",", "")) == wanted:
            break
        page.wait_for_timeout(500)
    assert float(read_money(page, site).replace(",", "")) == wanted
    assert reader.read_count(site.url) == members


def test_a_friend_joins_by_a_members_link(site: Site, reader: Reader, chromium: Browser) -> None:
    page, who = reader.page, "sharer@example.org"
    join(page, site, email=who)
    thanks = page.url
    page.get_by_text("We count how many people join through your link.").wait_for()
    link = page.get_by_label("Your link to the campaign").input_value()
    check_light_and_dark(reader, "sharing-thanks")
    open_in_ukrainian(reader, "sharing-thanks")
    with open_reader(chromium) as friend:
        friend.page.goto(link)
        friend.page.get_by_role("link", name="Become a member").first.click()
        fill_in_join(friend.page, email="joined.by.link@example.org")
        send_and_pay(friend.page)
    page.goto(thanks)
    page.get_by_text("1 person has joined through your link. Thank you.").wait_for()
    assert not page.get_by_text("joined.by.link").count()
    sign_in(page, site, email=who)
    page.get_by_text("1 person has joined through your link. Thank you.").wait_for()
    check_two_sizes(reader, "sharing-account")
    open_mail(page, site, "Welcome", to=who)
    assert find_link(page, "friend=") == link


def test_words_wait_for_staff_and_can_be_taken_back(
    site: Site, reader: Reader, chromium: Browser
) -> None:
    page, who = reader.page, "wall@example.org"
    wall = f"{site.url}/campaign/birthday/en/"
    join(page, site, email=who)
    page.get_by_role("link", name="Add my name").click()
    assert page.get_by_label("First name").input_value() == "Ada"
    page.get_by_label("Town").fill("Lindhaven")
    page.get_by_label("One sentence").fill("Read more at www.spam.example")
    page.get_by_label("Show this on the campaign page").check()
    ignore_status(reader, 422)
    send_form(page)
    page.get_by_text("Leave out links and addresses.").first.wait_for()
    check_light_and_dark(reader, "wall-form-error")
    page.get_by_label("One sentence").fill("You were there when the river came.")
    send_form(page)
    page.get_by_text("An editor will read your entry").wait_for()
    check_light_and_dark(reader, "wall-thanks")
    page.get_by_role("link", name="Change or remove").click()
    open_in_ukrainian(reader, "wall-form")
    page.goto(wall)
    assert not page.get_by_text("the river came").count()
    with open_reader(chromium) as editor:
        moderate(editor, site, "Show on the campaign page")
        wait_for_text(page, wall, "the river came")
        check_light_and_dark(reader, "wall-page")
        page.goto(f"{site.url}/campaign/birthday/uk/")
        check_light_and_dark(reader, "wall-page-uk")
        moderate(editor, site, "Hide from the campaign page")
        wait_for_text(page, wall, "the river came", is_there=False)
        moderate(editor, site, "Show on the campaign page")
        wait_for_text(page, wall, "the river came")
    sign_in(page, site, email=who)
    page.get_by_text("Your words have been approved.").wait_for()
    check_two_sizes(reader, "wall-account")
    page.get_by_role("link", name="Change or remove").click()
    page.get_by_role("button", name="Remove my name").click()
    page.get_by_role("link", name="Add my name").wait_for()
    wait_for_text(page, wall, "the river came", is_there=False)


def moderate(editor: Reader, site: Site, action: str) -> None:
    """Decide on the words about the river in the admin, after signing in if needed."""
    page = editor.page
    page.goto(f"{site.url}/admin/campaigns/wallentry/")
    if page.get_by_label("User name").count():
        page.get_by_label("User name").fill(STAFF_NAME)
        page.get_by_label("Password").fill(STAFF_PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
    row = page.get_by_role("row").filter(has_text="the river came")
    row.get_by_role("checkbox").check()
    editor.check_page("wall-staff")
    page.get_by_label("Action:").select_option(label=action)
    page.get_by_role("button", name="Continue", exact=True).click()
    page.get_by_text(re.compile("1 entry (shown on|hidden from) the campaign page")).wait_for()
