"""Gifts in a browser, from purchase to claim, with a real web server, worker, beat and sandbox.

To move time, a test runs the sweep in a process whose clock shows a later day.
"""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.support.browser import OUTPUT, Reader
from tests.support.journey import (
    buy_gift,
    fill_in_claim,
    fill_in_gift,
    find_link,
    ignore_status,
    join,
    open_gift,
    open_mail,
    send_and_pay,
    send_form,
)
from tests.support.processes import Site, wait_until

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.long, pytest.mark.once]

TWENTY = "\n".join(
    f"Colleague {number}; colleague{number}@example.org; Welcome, number {number}!"
    for number in range(1, 21)
)
SWEEP = """
import time_machine
from datetime import datetime
from campaigns import jobs
with time_machine.travel(datetime.fromisoformat("{at}")):
    jobs.run_due_jobs()
"""


def sweep_at(site: Site, moment: datetime) -> None:
    site.manage("shell", "-c", SWEEP.format(at=moment.isoformat()))


def open_gifts(page: Page, site: Site, *, buyer: str) -> None:
    """Open the buyer's page from the e-mail that confirms the purchase."""
    open_mail(page, site, "(is|are) confirmed", to=buyer)
    page.goto(find_link(page, "/membership/gifts/"))


def find_claim_link(page: Page, site: Site, recipient: str) -> str:
    open_mail(page, site, "Ada Reader", to=recipient)
    return find_link(page, "/claim/")


@pytest.mark.thorough
def test_a_buyer_previews_a_gift_and_prints_its_card(
    site: Site, reader: Reader, tmp_path: Path
) -> None:
    page = reader.page
    open_gift(page, site)
    fill_in_gift(page, buyer="ada1@example.org", recipient="")
    with page.expect_popup() as opened:
        page.get_by_role("button", name=re.compile("mail", re.IGNORECASE)).first.click()
    preview = opened.value
    preview.wait_for_load_state()
    preview.screenshot(path=OUTPUT / "gift-preview-mail.png", full_page=True)
    assert "Happy birthday!" in preview.inner_text("body")
    preview.close()
    send_and_pay(page)
    reader.check_page("gift-thanks")
    open_gifts(page, site, buyer="ada1@example.org")
    reader.check_page("gifts-one")
    card = page.get_by_role("link", name=re.compile("card", re.IGNORECASE)).first
    answer = page.request.get(page.url.rstrip("/") + "/0/card.pdf")
    assert card.get_attribute("href")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.body().startswith(b"%PDF")
    (OUTPUT / "gift-card.pdf").write_bytes(answer.body())


@pytest.mark.thorough
def test_twenty_gifts_are_bought_from_a_pasted_list(site: Site, reader: Reader) -> None:
    page = reader.page
    before = reader.read_count(site.url)
    page.goto(f"{site.url}/campaign/birthday/gifts/")
    reader.check_page("gifts-many-empty")
    page.get_by_role("radio").first.check()
    page.get_by_label("Your name").first.fill("Ada Reader")
    page.get_by_label("Your e-mail").fill("ada20@example.org")
    with_error = TWENTY.replace("colleague7@example.org", "colleague7 at example.org")
    page.locator("textarea[name=paste]").fill(with_error)
    page.get_by_role("button", name="Fill in rows").click()
    assert page.locator("input[name$=recipient_name]").nth(19).input_value() == "Colleague 20"
    send_form(page)
    page.get_by_text(re.compile("Row 7")).first.wait_for()
    reader.check_page("gifts-many-error")
    page.locator("input[name$=recipient_email]").nth(6).fill("colleague7@example.org")
    send_and_pay(page)
    reader.wait_for_count(site.url, before + 20)
    assert site.count("payment", "amount_minor = 20 * 6000") == 1
    open_gifts(page, site, buyer="ada20@example.org")
    reader.check_page("gifts-twenty")
    table = page.request.get(page.url.rstrip("/") + "/links.csv").text()
    assert len(re.findall(r"/claim/[0-9A-Z-]{23}/", table)) == 20
    wait_until(
        lambda: (
            site.count("gift", "status = 'delivered' AND recipient_name LIKE 'Colleague%'") == 20
        ),
        seconds=60,
    )


@pytest.mark.thorough
def test_a_scheduled_gift_can_be_changed_until_its_day(site: Site, reader: Reader) -> None:
    page = reader.page
    open_gift(page, site)
    fill_in_gift(page, buyer="ada3@example.org", recipient="ben3@example.org")
    day = datetime.now(UTC) + timedelta(days=40)
    page.get_by_label("On a day I choose").check()
    page.locator("input[name=deliver_on]").fill(f"{day:%Y-%m-%d}")
    reader.check_page("gift-on-a-date")
    send_and_pay(page)
    open_gifts(page, site, buyer="ada3@example.org")
    reader.check_page("gifts-scheduled")
    page.get_by_role("link", name=re.compile("^Change")).first.click()
    page.get_by_label("Recipient’s e-mail").fill("ben3@example.com")
    send_form(page)
    assert "ben3@example.com" in page.inner_text("main")
    sweep_at(site, day - timedelta(days=2))
    assert site.count("gift", "recipient_email = 'ben3@example.com' AND status = 'paid'") == 1
    sweep_at(site, day + timedelta(days=1))
    assert site.count("gift", "recipient_email = 'ben3@example.com' AND status = 'delivered'") == 1
    page.goto(find_claim_link(page, site, "ben3@example.com"))
    reader.check_page("claim-scheduled")
    page.goto(f"{site.url}/mails/")
    assert "ben3@example.org" not in page.inner_text("body")
    # Nobody claims it. Two weeks later the recipient gets a reminder that can be stopped.
    sweep_at(site, day + timedelta(days=16))
    open_mail(page, site, "waiting|still|gift", to="ben3@example.com")
    reader.check_page("mail-gift-reminder")
    page.goto(find_link(page, "/no-reminders/"))
    page.locator("main form button").first.click()
    reader.check_page("no-more-reminders")


@pytest.mark.thorough
def test_another_person_claims_with_the_typed_code(site: Site, reader: Reader) -> None:
    page = reader.page
    buy_gift(page, site, buyer="ada4@example.org", recipient="ben4@example.org")
    address = find_claim_link(page, site, "ben4@example.org")
    code = address.rstrip("/").rsplit("/", 1)[1]
    page.goto(f"{site.url}/claim/")
    page.get_by_label("Claim code").fill("WRONG-WRONG-WRONG-WRONG")
    send_form(page)
    reader.check_page("claim-wrong-code")
    page.get_by_label("Claim code").fill(code.lower().replace("-", " ").replace("0", "o"))
    send_form(page)
    assert "Ada Reader" in page.inner_text("h1")
    fill_in_claim(page, name="Cleo Stranger", email="cleo4@example.net")
    send_form(page)
    page.wait_for_url(re.compile(r"/done/$"))
    reader.check_page("claimed-by-another-person")
    page.goto(address)
    ignore_status(reader, 410)
    assert "has already been claimed" in page.inner_text("main")
    open_gifts(page, site, buyer="ada4@example.org")
    reader.check_page("gifts-claimed")
    assert "cleo4" not in page.content()
    assert site.count("membership", "source = 'gift'") >= 1


@pytest.mark.thorough
def test_a_subscriber_confirms_a_claim_by_mail_and_is_charged_later(
    site: Site, reader: Reader
) -> None:
    page = reader.page
    join(page, site, email="dan5@example.org", price="month")
    buy_gift(page, site, buyer="ada5@example.org", recipient="dan5@example.org")
    page.goto(find_claim_link(page, site, "dan5@example.org"))
    fill_in_claim(page, name="Dan", email="dan5@example.org")
    send_form(page)
    reader.check_page("claim-confirmation-sent")
    assert site.count("gift", "status = 'claimed' AND recipient_email = 'dan5@example.org'") == 0
    open_mail(page, site, "add|confirm|membership", to="dan5@example.org")
    page.goto(find_link(page, "/claim/confirm/"))
    reader.check_page("claim-confirm")
    page.locator("main form button[type=submit]").last.dblclick()  # twice is no error
    page.get_by_role("heading", name="added to your membership").wait_for()
    reader.check_page("claim-confirmed")
    assert site.count("gift", "status = 'claimed' AND recipient_email = 'dan5@example.org'") == 1
    wait_until(
        lambda: site.count("membership", "source = 'subscription' AND pushed_until IS NOT NULL"),
        seconds=60,
    )
    moved = site.query(
        "SELECT ends_at, pushed_until FROM campaigns_membership WHERE pushed_until IS NOT NULL"
    )
    assert len(moved) == 1


@pytest.mark.thorough
def test_a_refund_revokes_an_unclaimed_gift(site: Site, reader: Reader) -> None:
    page = reader.page
    before = reader.read_count(site.url)
    buy_gift(page, site, buyer="ada6@example.org", recipient="ben6@example.org")
    reader.wait_for_count(site.url, before + 1)
    address = find_claim_link(page, site, "ben6@example.org")
    site.manage(
        "shell",
        "-c",
        "from campaigns import stripe_api; from campaigns.models import Payment\n"
        "payment = Payment.objects.get(member__email='ada6@example.org')\n"
        "stripe_api.refund_payment(payment.intent_id, amount_minor=payment.amount_minor,"
        " idempotency_key='refund')",
    )
    wait_until(lambda: reader.read_count(site.url) == before, seconds=30)
    page.goto(address)
    ignore_status(reader, 410)
    reader.check_page("claim-revoked")
    assert "revoked" in page.inner_text("h1")
