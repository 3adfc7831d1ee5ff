"""Sign-ups and gifts in a browser, with a real web server, worker, beat and sandbox.

These tests check what readers see, never the application's own objects.
"""

import re

import pytest
from playwright.sync_api import Browser, ViewportSize

from tests.support.browser import Reader, open_reader
from tests.support.journey import (
    CHECKED_CARD,
    DECLINED_CARD,
    GOOD_CARD,
    fill_in_gift,
    fill_in_join,
    find_link,
    ignore_status,
    join,
    open_gift,
    open_join,
    open_mail,
    pay_by_card,
    send_and_pay,
    send_form,
    wait_for_confirmation,
)
from tests.support.processes import Site

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.long]


def test_a_reader_becomes_a_member_from_the_article(site: Site, reader: Reader) -> None:
    page = reader.page
    assert reader.read_count(site.url) == 0
    reader.check_page("article-at-0")
    page.get_by_role("link", name="Become a member").first.click()
    reader.check_page("join")
    send_form(page)  # empty, so every field shows an error
    reader.check_page("join-with-errors")
    assert page.locator("[aria-invalid=true]").count() >= 2
    fill_in_join(page, email="ada@example.org")
    send_form(page)
    pay_by_card(page, DECLINED_CARD)
    page.get_by_text("Your card was declined").first.wait_for()
    reader.check_page("stripe-declined")
    pay_by_card(page, GOOD_CARD)
    wait_for_confirmation(page)
    reader.check_page("thanks")
    reader.wait_for_count(site.url, 1)
    reader.check_page("article-at-1")
    open_mail(page, site, "receipt", to="ada@example.org")
    reader.check_page("mail-receipt")


def test_a_gift_is_bought_and_claimed(site: Site, reader: Reader) -> None:
    page = reader.page
    before = reader.read_count(site.url)
    page.get_by_role("link", name="Gift membership").first.click()
    reader.check_page("gift")
    fill_in_gift(page, buyer="ada@example.org", recipient="ben@example.org")
    send_and_pay(page)
    reader.wait_for_count(site.url, before + 1)
    open_mail(page, site, "Ada Reader", to="ben@example.org")
    address = find_link(page, "/claim/")
    page.goto(address)
    reader.check_page("claim")
    assert "<b>Read</b>" in page.inner_text("main")  # shown as text, not as markup
    page.get_by_label("Your name").fill("Ben Friend")
    page.get_by_label("Your e-mail").fill("ben@example.org")
    send_form(page)
    page.wait_for_url(re.compile(r"/done/$"))
    reader.check_page("claimed")
    page.goto(address)  # another person opens the same link
    ignore_status(reader, 410)
    reader.check_page("claimed-already")
    reader.wait_for_count(site.url, before + 1)  # a claim adds nothing to the count


@pytest.mark.thorough
def test_the_thank_you_page_settles_a_payment_without_webhooks(site: Site, reader: Reader) -> None:
    page = reader.page
    before = reader.read_count(site.url)
    site.sandbox.add_fault("webhook", match="*", kind="drop", times=1000)
    try:
        join(page, site, email="cleo@example.org", price="month")
        reader.wait_for_count(site.url, before + 1)
    finally:
        site.sandbox.remove_faults()


@pytest.mark.thorough
def test_the_sweep_settles_a_payment_of_a_reader_who_never_returns(
    site: Site, chromium: Browser
) -> None:
    with open_reader(chromium) as reader:
        before = reader.read_count(site.url)
        site.sandbox.add_fault("webhook", match="*", kind="drop", times=1000)
        try:
            page = reader.page
            open_join(page, site)
            fill_in_join(page, email="dora@example.org")
            send_form(page)
            page.wait_for_url(re.compile(r"/c/pay/"))
            session_id = page.url.rpartition("/")[2].partition("?")[0]
            site.sandbox.pay(session_id, card=GOOD_CARD.replace(" ", ""))
            reader.wait_for_count(site.url, before + 1, seconds=75)
        finally:
            site.sandbox.remove_faults()


@pytest.mark.thorough
def test_a_payment_with_3d_secure_is_confirmed(site: Site, reader: Reader) -> None:
    page = reader.page
    before = reader.read_count(site.url)
    open_join(page, site)
    fill_in_join(page, email="emil@example.org")
    send_form(page)
    pay_by_card(page, CHECKED_CARD)
    page.get_by_role("button", name=re.compile("Complete")).wait_for()
    reader.check_page("stripe-bank-asks")
    page.get_by_role("button", name=re.compile("Complete")).click()
    wait_for_confirmation(page)
    reader.wait_for_count(site.url, before + 1)


@pytest.mark.thorough
def test_the_receipt_leads_to_the_stripe_portal(site: Site, reader: Reader) -> None:
    page = reader.page
    join(page, site, email="fina@example.org")
    open_mail(page, site, "receipt", to="fina@example.org")
    page.goto(find_link(page, "/membership/manage/"))
    reader.check_page("portal")
    send_form(page)
    page.wait_for_url(re.compile(r"/p/session/"))
    assert "fina@example.org" in page.inner_text("main")
    reader.check_page("stripe-portal")


def test_a_cancelled_payment_keeps_what_the_buyer_typed(site: Site, reader: Reader) -> None:
    page = reader.page
    open_gift(page, site)
    fill_in_gift(page, buyer="fred@example.org", recipient="gina@example.org")
    send_form(page)
    page.wait_for_url(re.compile(r"/c/pay/"))
    page.get_by_role("link", name="Back").click()
    page.wait_for_url(re.compile(r"/membership/cancelled/"))
    reader.check_page("cancelled")
    page.locator("main").get_by_role("link").first.click()
    assert page.get_by_label("Recipient’s e-mail").input_value() == "gina@example.org"
    assert "Happy birthday!" in page.get_by_label("Your message").input_value()


def test_sign_up_works_without_javascript_on_a_phone(site: Site, chromium: Browser) -> None:
    phone = {"viewport": {"width": 320, "height": 640}, "java_script_enabled": False}
    with open_reader(chromium, **phone) as reader:
        page = reader.page
        before = reader.read_count(site.url)
        page.get_by_role("link", name="Become a member").first.click()
        fill_in_join(page, email="hana.has.a.very.long.address@newsletters.example.org")
        send_and_pay(page)
        assert reader.measure_overflow() <= 0, "the address is longer than a line of the page"
        reader.wait_for_count(site.url, before + 1)


def test_sign_up_works_with_the_keyboard_alone(site: Site, reader: Reader) -> None:
    page = reader.page
    open_join(page, site)
    page.keyboard.press("Tab")
    assert "main" in (page.evaluate("document.activeElement.getAttribute('href')") or "")
    page.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("Ivo Reader")
    page.keyboard.press("Tab")
    page.keyboard.type("ivo@example.org")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/c/pay/"))


@pytest.mark.once
@pytest.mark.thorough
@pytest.mark.parametrize("width", [320, 768, 1440])
def test_every_page_fits_its_window_and_passes_axe(
    site: Site, chromium: Browser, width: int
) -> None:
    pages = {
        "article": "/",
        "campaign": "/campaign/birthday/",
        "join": "/campaign/birthday/join/",
        "gift": "/campaign/birthday/gift/",
        "claim-code": "/claim/",
        "mails": "/mails/",
        "admin-login": "/admin/login/",
    }
    window: ViewportSize = {"width": width, "height": 900}
    with open_reader(chromium, viewport=window) as reader:
        for name, path in pages.items():
            reader.page.goto(site.url + path)
            reader.check_page(f"{name}-{width}-light")
            reader.change_window(window, "dark")
            reader.check_page(f"{name}-{width}-dark")
            reader.change_window(window, "light")
