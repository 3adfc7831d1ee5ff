"""A morning of each role in a browser: the home page, the own work, and nothing else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, User
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize
from pytest_django.live_server_helper import LiveServer

from campaigns.admin import identity
from campaigns.models import Campaign, Gift, Member, MemberNote, RefundOrder
from tests.admin.test_roles import ADDRESSES, ROLES, SEE_NO_PERSON
from tests.support.browser import Reader, open_reader, run_chromium
from tests.support.factories import (
    make_campaign,
    make_gift,
    make_member,
    make_payment,
    recount_campaign,
)

pytestmark = [pytest.mark.once, pytest.mark.thorough, pytest.mark.django_db(transaction=True)]

PASSWORD = "long-and-unguessed"
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
LISTS = ("payment", "refund", "dispute", "member", "membership", "gift", "checkout", "campaign")
# What each role opens from the home page, and the heading that it reads there.
WORK = {
    "R": ("Third birthday", "Third birthday"),
    "P": ("Campaigns", "Campaigns"),
    "M": ("Campaigns", "Campaigns"),
    "D": ("Members", "Members"),
    "F": ("Refunds", "Refunds"),
    "A": ("Is everything set up?", "Is everything set up?"),
}


@pytest.fixture
def campaign(clean_state: None) -> Campaign:
    now = timezone.now()
    campaign = make_campaign(starts_at=now - timedelta(days=9), ends_at=now + timedelta(days=9))
    for number, address in enumerate(ADDRESSES):
        member = make_member(address)
        Member.objects.filter(pk=member.pk).update(name=address.partition("@")[0].capitalize())
        make_payment(member, campaign, (now - timedelta(hours=number + 1)).isoformat())
    make_gift(make_member(ADDRESSES[0]), campaign, (now - timedelta(hours=5)).isoformat())
    recount_campaign(campaign)
    return campaign


@pytest.fixture
def site(campaign: Campaign, settings: LazySettings, request: pytest.FixtureRequest) -> LiveServer:
    settings.REQUIRE_SECOND_FACTOR = False  # test_sign_in_journey.py sets one up
    for letter, role in ROLES.items():
        user = User.objects.create_user(letter, password=PASSWORD, is_staff=True)
        user.groups.add(Group.objects.get(name=role))
    server: LiveServer = request.getfixturevalue("live_server")
    return server


def sign_in(page: Page, site: LiveServer, name: str) -> None:
    page.goto(f"{site.url}/admin/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_selector("#desk-navigation")


def check_home(reader: Reader, letter: str) -> None:
    page = reader.page
    reader.check_page(f"home-{letter}-desk-light")
    reader.change_window(PHONE, "dark")
    reader.check_page(f"home-{letter}-phone-dark")
    reader.change_window(DESK, "light")
    page.get_by_text("of 1,000 new members").first.wait_for()
    shown = page.content()
    if letter in SEE_NO_PERSON:
        assert not any(address in shown for address in (*ADDRESSES, "Ada", "Ben"))
    else:
        assert "Ada" in shown


@pytest.mark.parametrize("letter", ROLES)
def test_the_morning_of_each_role(site: LiveServer, letter: str) -> None:
    label, heading = WORK[letter]
    with run_chromium() as chromium, open_reader(chromium, viewport=DESK) as reader:
        page = reader.page
        sign_in(page, site, letter)
        check_home(reader, letter)
        page.get_by_role("link", name=label, exact=True).first.click()
        page.get_by_role("heading", level=1, name=heading).wait_for()
        reader.check_page(f"work-{letter}")


def test_rows_of_lists_take_one_line_and_fit_the_window(site: LiveServer) -> None:
    with run_chromium() as chromium, open_reader(chromium, viewport=DESK) as reader:
        page = reader.page
        sign_in(page, site, "A")
        for name in LISTS:
            page.goto(f"{site.url}/admin/campaigns/{name}/")
            heights, sideways = page.evaluate(
                """() => [
                  [...document.querySelectorAll("#result_list tbody tr")].map(r => r.offsetHeight),
                  (box => box ? box.scrollWidth - box.clientWidth : 0)(
                    document.querySelector(".results")),
                ]"""
            )
            assert len(set(heights)) <= 1, (name, heights)
            assert sideways == 0, name


def test_the_supporter_desk_notes_and_refunds_after_confirming_who_is_there(
    site: LiveServer, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REAUTHENTICATE_REFUND_OVER = 10
    with run_chromium() as chromium, open_reader(chromium, viewport=DESK) as reader:
        page = reader.page
        sign_in(page, site, "D")
        page.get_by_role("searchbox").first.fill(ADDRESSES[0])
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Ada", exact=True).first.click()
        page.get_by_role("link", name="Add note").click()
        page.get_by_label("Note").fill("Called, paid by mistake.")
        page.get_by_role("button", name="Add note").click()
        page.get_by_text("Called, paid by mistake.").wait_for()
        reader.check_page("person-with-note")
        page.get_by_role("link", name="Refund €60").first.click()
        page.get_by_label("Internal note").fill("paid by mistake")
        page.get_by_label("Reason").select_option("requested_by_customer")
        with monkeypatch.context() as patch:
            patch.setattr(identity, "CONFIRMED_SECONDS", 0)  # as if the sign-in were long ago
            page.get_by_role("button", name="Refund payment").click()
            page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button").filter(has_text="Confirm").click()
        # The form is as it was typed, and is sent again.
        page.get_by_text("Nothing has been saved yet.").wait_for()
        assert page.get_by_label("Internal note").input_value() == "paid by mistake"
        reader.check_page("refund-after-confirming")
        page.get_by_role("button", name="Refund payment").click()
        page.wait_for_url("**/change/**")
    assert MemberNote.objects.get().written_by == User.objects.get(username="D")
    assert RefundOrder.objects.get().why == "paid by mistake"


def test_a_gift_that_got_lost_is_found_and_sent_again(site: LiveServer) -> None:
    with run_chromium() as chromium, open_reader(chromium, viewport=DESK) as reader:
        page = reader.page
        sign_in(page, site, "D")
        page.get_by_role("searchbox").first.fill("Ben")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Resend gift").first.wait_for()
        reader.check_page("search-by-name")
        page.get_by_role("link", name="Resend gift").first.click()
        page.get_by_label("Internal note").fill("asked by phone")
        page.get_by_role("button", name="Resend gift").click()
        page.locator(".messagelist li").first.wait_for()
    assert Gift.objects.get().changes.get().why == "asked by phone"


def _pay_as_zoe(campaign: Campaign) -> None:
    make_payment(make_member("zoe@example.org"), campaign, timezone.now().isoformat())
    connection.close()


def test_new_sales_appear_on_the_home_page_as_they_come(
    site: LiveServer, campaign: Campaign
) -> None:
    with run_chromium() as chromium, open_reader(chromium, viewport=DESK) as reader:
        page = reader.page
        sign_in(page, site, "D")
        page.clock.install()
        page.goto(f"{site.url}/admin/")
        page.clock.run_for(61_000)
        assert page.get_by_text("zoe@example.org").count() == 0
        with ThreadPoolExecutor(1) as pool:  # Playwright has a loop in this one
            pool.submit(_pay_as_zoe, campaign).result()
        page.clock.run_for(61_000)
        page.get_by_text("zoe@example.org").wait_for()


def test_two_managers_edit_a_campaign_and_the_second_decides(site: LiveServer) -> None:
    url = f"{site.url}/admin/campaigns/campaign/{Campaign.objects.get().pk}/change/"
    with (
        run_chromium() as chromium,
        open_reader(chromium, viewport=DESK) as manager,
        open_reader(chromium, viewport=DESK) as administrator,
    ):
        for reader, name in ((manager, "M"), (administrator, "A")):
            sign_in(reader.page, site, name)
            reader.page.goto(url)
        for reader, words in ((administrator, "Three good years"), (manager, "Still here")):
            reader.page.locator("#copies-0 summary").click()
            reader.page.locator("#id_copies-0-headline").fill(words)
            reader.page.get_by_role("button", name="Save", exact=True).click()
        page = manager.page
        page.get_by_role("heading", name="Nothing was saved").wait_for()
        assert page.locator(".staff-conflict ins", has_text="Three good years").count() == 1
        assert page.locator("#id_copies-0-headline").input_value() == "Still here"
        manager.check_page("conflict-desk-light")
        manager.change_window(PHONE, "dark")
        manager.check_page("conflict-phone-dark")
        page.get_by_label("Save my version over these changes").check()
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_text("was changed successfully").wait_for()
    assert Campaign.objects.get().copies.get().headline == "Still here"
