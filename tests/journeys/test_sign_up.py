"""The whole journey, in a browser: real web server, worker, beat and sandbox, as the demo has them.

Nothing here reaches into the application: what is asserted is what people see.
"""

import re

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browser import Reader, a_reader
from tests.support.processes import Site

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.long, pytest.mark.both_databases]

GOOD_CARD = "4242 4242 4242 4242"
DECLINED_CARD = "4000 0000 0000 0002"
CHECKED_CARD = "4000 0025 0000 3155"  # asks for 3-D Secure


def fill_in_join(page: Page, *, email: str, price: str = "year") -> None:
    page.get_by_role("radio", name=re.compile(price, re.IGNORECASE)).first.check()
    page.get_by_label("Your name").fill("Ada Reader")
    page.get_by_label("Your e-mail").fill(email)


def fill_in_gift(page: Page, *, email: str, recipient: str) -> None:
    page.get_by_role("radio").first.check()
    page.get_by_label("Your name").fill("Ada Reader")
    page.get_by_label("Your e-mail").fill(email)
    page.get_by_label("Recipient’s name").fill("Ben Friend")
    page.get_by_label("Recipient’s e-mail").fill(recipient)
    page.get_by_label("Your message").fill("Happy birthday!\n<b>Read</b> something good.")


def send(page: Page) -> None:
    page.locator("main form button[type=submit]").last.click()


def pay(page: Page, card: str) -> None:
    page.wait_for_url(re.compile(r"/c/pay/"))
    page.get_by_label("Card number").fill(card)
    page.get_by_label("Valid until").fill("04 / 31")
    page.get_by_label("Security code").fill("123")
    page.get_by_label("Name on the card").fill("Ada Reader")
    page.locator("main form button.full").click()


def see_confirmation(page: Page) -> None:
    """Wherever the thank-you page begins, it comes to "confirmed" by itself."""
    page.wait_for_url(re.compile(r"/membership/thanks/"))
    page.get_by_role("heading", name=re.compile("confirmed", re.IGNORECASE)).wait_for(timeout=20000)


def open_mail(page: Page, site: Site, subject: str, *, to: str) -> None:
    """The newest mail of that subject to somebody, in the demo's letter box, once it is there."""
    for _ in range(40):
        page.goto(f"{site.url}/mails/")
        theirs = page.get_by_role("listitem").filter(has_text=to)
        link = theirs.get_by_role("link", name=re.compile(subject, re.IGNORECASE)).first
        if link.count():
            link.click()
            return
        page.wait_for_timeout(500)
    pytest.fail(f"no mail came to {to} with the subject {subject}")


def find_link(page: Page, part: str) -> str:
    """Where a link in the mail that is shown leads."""
    page.frame_locator("iframe").get_by_role("link").first.wait_for()
    links = page.frame_locator("iframe").get_by_role("link").all()
    found = (link.get_attribute("href") or "" for link in links)
    return next(address for address in found if part in address)


def test_from_the_article_to_a_counted_member(site: Site, reader: Reader) -> None:
    page = reader.page
    assert reader.count(site.url) == 0
    reader.look("article-at-0")
    page.get_by_role("link", name="Become a member").first.click()
    reader.look("join")
    send(page)  # empty: every error is beside its field
    reader.look("join-with-errors")
    assert page.locator("[aria-invalid=true]").count() >= 2
    fill_in_join(page, email="ada@example.org")
    send(page)
    pay(page, DECLINED_CARD)
    page.get_by_text("Your card was declined").first.wait_for()
    reader.look("stripe-declined")
    pay(page, GOOD_CARD)
    see_confirmation(page)
    reader.look("thanks")
    reader.wait_for_count(site.url, 1)
    reader.look("article-at-1")
    open_mail(page, site, "receipt", to="ada@example.org")
    reader.look("mail-receipt")


def test_from_a_gift_to_its_claim(site: Site, reader: Reader) -> None:
    page = reader.page
    before = reader.count(site.url)
    page.get_by_role("link", name="Gift membership").first.click()
    reader.look("gift")
    fill_in_gift(page, email="ada@example.org", recipient="ben@example.org")
    send(page)
    pay(page, GOOD_CARD)
    see_confirmation(page)
    reader.wait_for_count(site.url, before + 1)
    open_mail(page, site, "Ada Reader", to="ben@example.org")
    address = find_link(page, "/claim/")
    page.goto(address)
    reader.look("claim")
    assert "<b>Read</b>" in page.inner_text("main")  # shown as it was typed, never as markup
    page.get_by_label("Your name").fill("Ben Friend")
    page.get_by_label("Your e-mail").fill("ben@example.org")
    send(page)
    page.wait_for_url(re.compile(r"/done/$"))
    reader.look("claimed")
    page.goto(address)  # somebody else with the same link
    reader.complaints = [text for text in reader.complaints if "410" not in text]
    reader.look("claimed-already")
    reader.wait_for_count(site.url, before + 1)  # a claim counts nobody twice


def test_without_any_webhook_the_way_back_brings_the_payment_home(
    site: Site, reader: Reader
) -> None:
    page = reader.page
    before = reader.count(site.url)
    site.sandbox.add_fault("webhook", match="*", kind="drop", times=1000)
    try:
        page.goto(f"{site.url}/campaign/birthday/join/")
        fill_in_join(page, email="cleo@example.org", price="month")
        send(page)
        pay(page, GOOD_CARD)
        see_confirmation(page)
        reader.wait_for_count(site.url, before + 1)
    finally:
        site.sandbox.remove_faults()


def test_without_webhook_or_way_back_the_sweep_brings_the_payment_home(
    site: Site, chromium: Browser
) -> None:
    with a_reader(chromium) as reader:
        before = reader.count(site.url)
        site.sandbox.add_fault("webhook", match="*", kind="drop", times=1000)
        try:
            page = reader.page
            page.goto(f"{site.url}/campaign/birthday/join/")
            fill_in_join(page, email="dora@example.org")
            send(page)
            page.wait_for_url(re.compile(r"/c/pay/"))
            session_id = page.url.rpartition("/")[2].partition("?")[0]
            site.sandbox.pay(session_id, card=GOOD_CARD.replace(" ", ""))
            reader.wait_for_count(site.url, before + 1, seconds=75)
        finally:
            site.sandbox.remove_faults()


def test_a_bank_that_asks_back_is_answered(site: Site, reader: Reader) -> None:
    page = reader.page
    before = reader.count(site.url)
    page.goto(f"{site.url}/campaign/birthday/join/")
    fill_in_join(page, email="emil@example.org")
    send(page)
    pay(page, CHECKED_CARD)
    page.get_by_role("button", name=re.compile("Complete")).wait_for()
    reader.look("stripe-bank-asks")
    page.get_by_role("button", name=re.compile("Complete")).click()
    see_confirmation(page)
    reader.wait_for_count(site.url, before + 1)


def test_from_the_receipt_a_member_comes_to_stripes_own_page(site: Site, reader: Reader) -> None:
    page = reader.page
    page.goto(f"{site.url}/campaign/birthday/join/")
    fill_in_join(page, email="fina@example.org")
    send(page)
    pay(page, GOOD_CARD)
    see_confirmation(page)
    open_mail(page, site, "receipt", to="fina@example.org")
    page.goto(find_link(page, "/membership/manage/"))
    reader.look("portal")
    send(page)
    page.wait_for_url(re.compile(r"/p/session/"))
    assert "fina@example.org" in page.inner_text("main")
    reader.look("stripe-portal")


def test_who_turns_back_at_the_payment_finds_what_was_typed(site: Site, reader: Reader) -> None:
    page = reader.page
    page.goto(f"{site.url}/campaign/birthday/gift/")
    fill_in_gift(page, email="fred@example.org", recipient="gina@example.org")
    send(page)
    page.wait_for_url(re.compile(r"/c/pay/"))
    page.get_by_role("link", name="Back").click()
    page.wait_for_url(re.compile(r"/membership/cancelled/"))
    reader.look("cancelled")
    page.locator("main").get_by_role("link").first.click()
    assert page.get_by_label("Recipient’s e-mail").input_value() == "gina@example.org"
    assert "Happy birthday!" in page.get_by_label("Your message").input_value()


def test_the_journey_works_without_javascript_on_a_phone(site: Site, chromium: Browser) -> None:
    phone = {"viewport": {"width": 320, "height": 640}, "java_script_enabled": False}
    with a_reader(chromium, **phone) as reader:
        page = reader.page
        before = reader.count(site.url)
        page.get_by_role("link", name="Become a member").first.click()
        fill_in_join(page, email="hana@example.org")
        send(page)
        pay(page, GOOD_CARD)
        see_confirmation(page)
        reader.wait_for_count(site.url, before + 1)


def test_the_journey_works_by_keyboard_alone(site: Site, reader: Reader) -> None:
    page = reader.page
    page.goto(f"{site.url}/campaign/birthday/join/")
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
@pytest.mark.parametrize("width", [320, 768, 1440])
def test_every_page_fits_its_window_and_satisfies_axe(
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
    for scheme in ("light", "dark"):
        window = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
        with a_reader(chromium, **window) as reader:
            for name, path in pages.items():
                reader.page.goto(site.url + path)
                reader.look(f"{name}-{width}-{scheme}")
