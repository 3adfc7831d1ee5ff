"""The life of a gift, in a browser: real web server, worker, beat and sandbox, as in the demo.

Only time is moved, and then for everybody: what is due in the database is swept by a process whose
clock stands on that day.
"""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page

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
from tests.support.processes import Site, wait_until

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.long, pytest.mark.once]

TWENTY = "\n".join(
    f"Colleague {number}; colleague{number}@example.org; Welcome, number {number}!"
    for number in range(1, 21)
)
SWEEP = """
import time_machine
from datetime import datetime
from campaigns import tasks
with time_machine.travel(datetime.fromisoformat("{at}")):
    tasks.sweep()
"""


def sweep_at(site: Site, moment: datetime) -> None:
    site.manage("shell", "-c", SWEEP.format(at=moment.isoformat()))


def start_gift(page: Page, site: Site, *, buyer: str, recipient: str) -> None:
    page.goto(f"{site.url}/campaign/birthday/gift/")
    page.get_by_role("radio").first.check()
    page.get_by_label("Your name").fill("Ada Reader")
    page.get_by_label("Your e-mail").fill(buyer)
    page.get_by_label("Recipient’s name").fill("Ben Friend")
    if recipient:
        page.get_by_label("Recipient’s e-mail").fill(recipient)
    else:
        page.get_by_label("I’ll hand it over myself").check()
    page.get_by_label("Your message").fill("Happy birthday!\nRead something good.")


def buy_gift(page: Page, site: Site, *, buyer: str, recipient: str) -> None:
    start_gift(page, site, buyer=buyer, recipient=recipient)
    send(page)
    pay(page, GOOD_CARD)
    see_confirmation(page)


def open_gifts(page: Page, site: Site, *, buyer: str) -> None:
    """The buyer's own page, by the link in the mail that confirms the purchase."""
    open_mail(page, site, "(is|are) confirmed", to=buyer)
    page.goto(find_link(page, "/membership/gifts/"))


def claim_link(page: Page, site: Site, recipient: str) -> str:
    open_mail(page, site, "Ada Reader", to=recipient)
    return find_link(page, "/claim/")


def claim(page: Page, *, name: str, email: str) -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Your e-mail").fill(email)
    send(page)


def forgive(reader: Reader, status: int) -> None:
    """What is answered with this status is noted by the browser as a failed load."""
    reader.complaints = [text for text in reader.complaints if f"status of {status}" not in text]


def test_a_gift_is_seen_before_it_is_paid_and_can_be_printed(
    site: Site, reader: Reader, tmp_path: Path
) -> None:
    page = reader.page
    start_gift(page, site, buyer="ada1@example.org", recipient="")
    with page.expect_popup() as opened:
        page.get_by_role("button", name=re.compile("mail", re.IGNORECASE)).first.click()
    preview = opened.value
    preview.wait_for_load_state()
    preview.screenshot(path=OUTPUT / "gift-preview-mail.png", full_page=True)
    assert "Happy birthday!" in preview.inner_text("body")
    preview.close()
    send(page)
    pay(page, GOOD_CARD)
    see_confirmation(page)
    reader.look("gift-thanks")
    open_gifts(page, site, buyer="ada1@example.org")
    reader.look("gifts-one")
    card = page.get_by_role("link", name=re.compile("card", re.IGNORECASE)).first
    answer = page.request.get(page.url.rstrip("/") + "/0/card.pdf")
    assert card.get_attribute("href")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.body().startswith(b"%PDF")
    (OUTPUT / "gift-card.pdf").write_bytes(answer.body())


def test_twenty_gifts_from_a_pasted_list(site: Site, reader: Reader) -> None:
    page = reader.page
    before = reader.count(site.url)
    page.goto(f"{site.url}/campaign/birthday/gifts/")
    reader.look("gifts-many-empty")
    page.get_by_role("radio").first.check()
    page.get_by_label("Your name").first.fill("Ada Reader")
    page.get_by_label("Your e-mail").fill("ada20@example.org")
    spoilt = TWENTY.replace("colleague7@example.org", "colleague7 at example.org")
    page.locator("textarea[name=paste]").fill(spoilt)
    page.get_by_role("button", name="Fill in rows").click()
    assert page.locator("input[name$=recipient_name]").nth(19).input_value() == "Colleague 20"
    send(page)
    page.get_by_text(re.compile("Row 7")).first.wait_for()
    reader.look("gifts-many-error")
    page.locator("input[name$=recipient_email]").nth(6).fill("colleague7@example.org")
    send(page)
    pay(page, GOOD_CARD)
    see_confirmation(page)
    reader.wait_for_count(site.url, before + 20)
    assert site.count("payment", "amount_minor = 20 * 6000") == 1
    open_gifts(page, site, buyer="ada20@example.org")
    reader.look("gifts-twenty")
    table = page.request.get(page.url.rstrip("/") + "/links.csv").text()
    assert len(re.findall(r"/claim/[0-9A-Z-]{23}/", table)) == 20
    wait_until(
        lambda: (
            site.count("gift", "status = 'delivered' AND recipient_name LIKE 'Colleague%'") == 20
        ),
        seconds=60,
    )


def test_a_scheduled_gift_arrives_on_its_day_and_can_be_changed_until_then(
    site: Site, reader: Reader
) -> None:
    page = reader.page
    start_gift(page, site, buyer="ada3@example.org", recipient="ben3@example.org")
    day = datetime.now(UTC) + timedelta(days=40)
    page.get_by_label("On a day I choose").check()
    page.locator("input[name=deliver_on]").fill(f"{day:%Y-%m-%d}")
    reader.look("gift-on-a-date")
    send(page)
    pay(page, GOOD_CARD)
    see_confirmation(page)
    open_gifts(page, site, buyer="ada3@example.org")
    reader.look("gifts-scheduled")
    page.get_by_role("link", name=re.compile("^Change")).first.click()
    page.get_by_label("Recipient’s e-mail").fill("ben3@example.com")
    send(page)
    assert "ben3@example.com" in page.inner_text("main")
    sweep_at(site, day - timedelta(days=2))
    assert site.count("gift", "recipient_email = 'ben3@example.com' AND status = 'paid'") == 1
    sweep_at(site, day + timedelta(days=1))
    assert site.count("gift", "recipient_email = 'ben3@example.com' AND status = 'delivered'") == 1
    page.goto(claim_link(page, site, "ben3@example.com"))
    reader.look("claim-scheduled")
    page.goto(f"{site.url}/mails/")
    assert "ben3@example.org" not in page.inner_text("body")
    # Nobody claims it: a fortnight later its recipient is reminded, with a way to say no more.
    sweep_at(site, day + timedelta(days=16))
    open_mail(page, site, "waiting|still|gift", to="ben3@example.com")
    reader.look("mail-gift-reminder")
    page.goto(find_link(page, "/no-reminders/"))
    page.locator("main form button").first.click()
    reader.look("no-more-reminders")


def test_a_stranger_claims_by_the_typed_code_and_again(site: Site, reader: Reader) -> None:
    page = reader.page
    buy_gift(page, site, buyer="ada4@example.org", recipient="ben4@example.org")
    address = claim_link(page, site, "ben4@example.org")
    code = address.rstrip("/").rsplit("/", 1)[1]
    page.goto(f"{site.url}/claim/")
    page.get_by_label("Claim code").fill("WRONG-WRONG-WRONG-WRONG")
    send(page)
    reader.look("claim-wrong-code")
    page.get_by_label("Claim code").fill(code.lower().replace("-", " ").replace("0", "o"))
    send(page)
    assert "Ada Reader" in page.inner_text("h1")
    claim(page, name="Cleo Stranger", email="cleo4@example.net")
    page.wait_for_url(re.compile(r"/done/$"))
    reader.look("claimed-by-a-stranger")
    page.goto(address)
    forgive(reader, 410)
    assert "has already been claimed" in page.inner_text("main")
    open_gifts(page, site, buyer="ada4@example.org")
    reader.look("gifts-claimed")
    assert "cleo4" not in page.content()
    assert site.count("membership", "source = 'gift'") >= 1


def test_a_subscriber_who_claims_is_asked_at_their_address_and_charged_later(
    site: Site, reader: Reader
) -> None:
    page = reader.page
    page.goto(f"{site.url}/campaign/birthday/join/")
    fill_in_join(page, email="dan5@example.org", price="month")
    send(page)
    pay(page, GOOD_CARD)
    see_confirmation(page)
    buy_gift(page, site, buyer="ada5@example.org", recipient="dan5@example.org")
    page.goto(claim_link(page, site, "dan5@example.org"))
    claim(page, name="Dan", email="dan5@example.org")
    reader.look("claim-confirmation-owed")
    assert site.count("gift", "status = 'claimed' AND recipient_email = 'dan5@example.org'") == 0
    open_mail(page, site, "add|confirm|membership", to="dan5@example.org")
    page.goto(find_link(page, "/claim/confirm/"))
    reader.look("claim-confirm")
    for _ in range(2):  # a second press is no error
        confirm = page.locator("main form button[type=submit]")
        if confirm.count():
            confirm.last.click()
        page.reload()
    reader.look("claim-confirmed")
    assert site.count("gift", "status = 'claimed' AND recipient_email = 'dan5@example.org'") == 1
    wait_until(
        lambda: site.count("membership", "source = 'subscription' AND pushed_until IS NOT NULL"),
        seconds=60,
    )
    moved = site.query(
        "SELECT ends_at, pushed_until FROM campaigns_membership WHERE pushed_until IS NOT NULL"
    )
    assert len(moved) == 1


def test_a_refund_takes_an_unclaimed_gift_back(site: Site, reader: Reader) -> None:
    page = reader.page
    before = reader.count(site.url)
    buy_gift(page, site, buyer="ada6@example.org", recipient="ben6@example.org")
    reader.wait_for_count(site.url, before + 1)
    address = claim_link(page, site, "ben6@example.org")
    site.manage(
        "shell",
        "-c",
        "from campaigns import stripe_api; from campaigns.models import Payment\n"
        "payment = Payment.objects.get(member__email='ada6@example.org')\n"
        "stripe_api.refund_payment(payment.intent_id, amount_minor=payment.amount_minor,"
        " idempotency_key='back')",
    )
    wait_until(lambda: reader.count(site.url) == before, seconds=30)
    page.goto(address)
    forgive(reader, 410)
    reader.look("claim-revoked")
    assert "taken back" in page.inner_text("h1")
