"""Steps of a reader's journey in a browser: forms, payment, e-mails, pictures of each page."""

import re

import pytest
from playwright.sync_api import Page, ViewportSize

from tests.support.browser import Reader
from tests.support.processes import Site

GOOD_CARD = "4242 4242 4242 4242"
DECLINED_CARD = "4000 0000 0000 0002"
CHECKED_CARD = "4000 0025 0000 3155"  # asks for 3-D Secure
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
SMALL_PHONE: ViewportSize = {"width": 320, "height": 640}


# Forms


def fill_in_join(page: Page, *, email: str, price: str = "year") -> None:
    page.get_by_role("radio", name=re.compile(price, re.IGNORECASE)).first.check()
    page.get_by_label("Your name").fill("Ada Reader")
    page.get_by_label("Your e-mail").fill(email)


def fill_in_gift(page: Page, *, buyer: str, recipient: str) -> None:
    """Fill in a gift for one person. Without a recipient's address the buyer hands it over."""
    page.get_by_role("radio").first.check()
    page.get_by_label("Your name").fill("Ada Reader")
    page.get_by_label("Your e-mail").fill(buyer)
    page.get_by_label("Recipient’s name").fill("Ben Friend")
    if recipient:
        page.get_by_label("Recipient’s e-mail").fill(recipient)
    else:
        page.get_by_label("I’ll hand it over myself").check()
    page.get_by_label("Your message").fill("Happy birthday!\n<b>Read</b> something good.")


def fill_in_claim(page: Page, *, name: str, email: str) -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Your e-mail").fill(email)


def send_form(page: Page) -> None:
    page.locator("main form button[type=submit]").last.click()


# Payment


def pay_by_card(page: Page, card: str) -> None:
    """Fill in and send the form of Stripe Checkout."""
    page.wait_for_url(re.compile(r"/c/pay/"))
    page.get_by_label("Card number").fill(card)
    page.get_by_label("Valid until").fill("04 / 31")
    page.get_by_label("Security code").fill("123")
    page.get_by_label("Name on the card").fill("Ada Reader")
    page.locator("main form button.full").click()


def wait_for_confirmation(page: Page) -> None:
    """Wait until the thank-you page reloads itself and says that the payment is confirmed."""
    page.wait_for_url(re.compile(r"/membership/thanks/"))
    page.get_by_role("heading", name=re.compile("confirmed", re.IGNORECASE)).wait_for(timeout=20000)


def send_and_pay(page: Page) -> None:
    """Send the form on the page, pay with a good card, and wait for the confirmation."""
    send_form(page)
    pay_by_card(page, GOOD_CARD)
    wait_for_confirmation(page)


def open_join(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/campaign/birthday/join/")


def join(page: Page, site: Site, *, email: str, price: str = "year") -> None:
    """Become a member and pay."""
    open_join(page, site)
    fill_in_join(page, email=email, price=price)
    send_and_pay(page)


def open_gift(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/campaign/birthday/gift/")


def buy_gift(page: Page, site: Site, *, buyer: str, recipient: str) -> None:
    open_gift(page, site)
    fill_in_gift(page, buyer=buyer, recipient=recipient)
    send_and_pay(page)


# E-mails


def open_mail(page: Page, site: Site, subject: str, *, to: str) -> None:
    """Wait for an e-mail in the demo's mailbox and open the newest one with this subject."""
    for _ in range(40):
        page.goto(f"{site.url}/mails/")
        received = page.get_by_role("listitem").filter(has_text=to)
        link = received.get_by_role("link", name=re.compile(subject, re.IGNORECASE)).first
        if link.count():
            link.click()
            return
        page.wait_for_timeout(500)
    pytest.fail(f"no e-mail to {to} with the subject {subject}")


def find_link(page: Page, part: str) -> str:
    """Return the first address in the open e-mail that contains `part`."""
    page.frame_locator("iframe").get_by_role("link").first.wait_for()
    links = page.frame_locator("iframe").get_by_role("link").all()
    addresses = (link.get_attribute("href") or "" for link in links)
    return next(address for address in addresses if part in address)


# The account page


def request_sign_in_link(page: Page, site: Site, *, email: str) -> None:
    page.goto(f"{site.url}/membership/account/")
    page.get_by_label("Your e-mail").fill(email)
    send_form(page)
    page.get_by_text("If this address belongs to a membership or a gift").wait_for()


def sign_in(page: Page, site: Site, *, email: str) -> None:
    """Request a link, open it from the e-mail, and wait for the account page."""
    request_sign_in_link(page, site, email=email)
    open_mail(page, site, "Your sign-in link", to=email)
    page.goto(find_link(page, "/membership/account/open/"))
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text(re.compile("Renews on")).wait_for()


# Checked pages


def check_two_sizes(reader: Reader, name: str) -> None:
    """Check the page on a desktop and on a small phone."""
    reader.check_page(name)
    reader.page.set_viewport_size(SMALL_PHONE)
    reader.check_page(f"{name}-phone")
    reader.page.set_viewport_size(DESKTOP)


def check_light_and_dark(reader: Reader, name: str) -> None:
    """Check the page on a desktop in light colours, and on a phone in dark ones."""
    reader.check_page(f"{name}-desktop-light")
    reader.change_window(PHONE, "dark")
    reader.check_page(f"{name}-phone-dark")
    reader.change_window(DESKTOP, "light")


def ignore_status(reader: Reader, status: int) -> None:
    """Drop the browser's complaints about pages that answered with this status."""
    reader.complaints = [text for text in reader.complaints if f"status of {status}" not in text]
