"""The most chosen price and what a year saves, in a browser with and without JavaScript."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import Reader, open_reader
from tests.support.journey import (
    PHONE,
    check_light_and_dark,
    check_two_sizes,
    open_gift,
    open_join,
    send_form,
)
from tests.support.processes import CAMPAIGN, Site, run_site

pytestmark = [
    pytest.mark.xdist_group("offers"),
    pytest.mark.long,
    pytest.mark.once,
    pytest.mark.thorough,
]

# Thirty members pay by the year.
ROWS = f"""{CAMPAIGN}
from campaigns.models import Member, Membership, Price
year = Price.objects.get(kind="year")
for number in range(30):
    Membership.objects.create(
        member=Member.objects.get_or_create_by_email(f"member{{number}}@example.org"),
        plan=year.plan,
        price=year,
        source="subscription",
        started_at=timezone.now(),
    )
"""
CHARGE = "You’ll be charged €60 today, then €60 a year until you cancel."


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with run_site(tmp_path_factory.mktemp("offers") / "site", rows=ROWS, worker=False) as site:
        yield site


def find_charge(page: Page) -> str:
    """Return the sentence above the button."""
    return page.locator(".charge p:visible").inner_text()


def test_the_most_chosen_price_is_preselected(sold: Site, reader: Reader) -> None:
    page = reader.page
    open_join(page, sold)
    year = page.get_by_role("radio", name=re.compile("€60 a year Chosen most often Saves €12"))
    expect(year).to_be_checked()
    assert find_charge(page) == CHARGE
    expect(page.get_by_text("Chosen most often")).to_have_count(1)
    check_light_and_dark(reader, "join-most-chosen")
    page.get_by_role("radio", name=re.compile("€6 a month")).check()
    assert "€6 a month" in find_charge(page)
    send_form(page)  # with errors: the choice is kept
    expect(page.get_by_role("radio", name=re.compile("€6 a month"))).to_be_checked()
    page.get_by_label("Your name").fill("Ada Reader")
    page.get_by_label("Your e-mail").fill("ada@example.org")
    send_form(page)
    page.wait_for_url(re.compile(r"/c/pay/"))
    page.get_by_role("link", name="Back").click()
    page.locator("main").get_by_role("link").first.click()
    expect(page.get_by_role("radio", name=re.compile("€6 a month"))).to_be_checked()
    open_gift(page, sold)
    expect(page.get_by_role("radio", checked=True)).to_have_count(1)  # the delivery


def test_it_needs_no_javascript_and_is_in_ukrainian(sold: Site, chromium: Browser) -> None:
    with open_reader(chromium, viewport=PHONE, java_script_enabled=False, locale="uk-UA") as reader:
        page = reader.page
        open_join(page, sold)
        year = page.locator(".price").filter(has_text="60 €").locator("input")
        expect(year).to_be_checked()
        assert "60 €" in find_charge(page).replace("\N{NO-BREAK SPACE}", " ")
        page.get_by_role("textbox").nth(-2).press("Enter")  # an empty name
        expect(year).to_be_checked()


def test_an_amount_comes_back_as_it_was_typed(sold: Site, reader: Reader) -> None:
    page = reader.page
    open_join(page, sold)
    page.get_by_role("radio", name=re.compile("Another amount a month")).check()
    amount = page.get_by_label("Amount a month, in EUR")
    amount.fill("1 000")
    page.get_by_label("Your name").fill("Ada Reader")
    send_form(page)
    assert amount.input_value() == "1 000"
    check_two_sizes(reader, "join-typed-amount")
    page.get_by_label("Your e-mail").fill("ada@example.org")
    send_form(page)
    page.wait_for_url(re.compile(r"/c/pay/"))
    page.get_by_role("link", name="Back").click()
    page.locator("main").get_by_role("link").first.click()
    assert amount.input_value() == "1 000"


def test_each_line_of_a_message_begins_at_its_own_side(sold: Site, reader: Reader) -> None:
    page = reader.page
    open_gift(page, sold)
    message = page.get_by_label("Your message")
    message.fill("كل عام وأنت بخير")
    assert message.evaluate("each => getComputedStyle(each).direction") == "rtl"
    name = page.get_by_label("Recipient’s name")
    name.fill("أحمد علي")
    assert name.evaluate("each => getComputedStyle(each).direction") == "rtl"
    name.fill("Ahmad")
    assert name.evaluate("each => getComputedStyle(each).direction") == "ltr"
