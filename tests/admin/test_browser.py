"""The admin in a browser: content policy, accessibility, wide and narrow, light and dark."""

from typing import Any
from urllib.parse import urlsplit

import pypdfium2
import pytest
from django.conf import LazySettings
from django.test import Client
from playwright.sync_api import ViewportSize
from pytest_django.live_server_helper import LiveServer

from campaigns.models import Campaign, Gift, Member, Refund, StripeEvent
from tests.support.browser import open_reader, run_chromium
from tests.support.factories import make_payment, recount_campaign
from tests.support.staff import ATTENTION_BUYER, make_attention_cases

pytestmark = pytest.mark.once

ACCENT = (29, 78, 137)  # of the bars
BAR = 500  # pixels
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture
def site(request: pytest.FixtureRequest, clean_state: None) -> LiveServer:
    """A web server in this process, started after `clean_state` has created the static folder."""
    server: LiveServer = request.getfixturevalue("live_server")
    return server


def attention_addresses() -> dict[str, str]:
    """Return the pages of rows that need attention."""
    root = "/admin/campaigns"
    undecided = Gift.objects.get(reversed_at__isnull=False)
    bounced = Gift.objects.get(bounced_at__isnull=False)
    refund = Refund.objects.get(payment__gifts=bounced)
    return {
        "gifts": f"{root}/gift/",
        "gift-undecided": f"{root}/gift/{undecided.pk}/change/",
        "gift-revoke": f"{root}/gift/{undecided.pk}/change/revoke/",
        "gift-keep": f"{root}/gift/{undecided.pk}/change/keep/",
        "gift-reassign": f"{root}/gift/{undecided.pk}/change/reassign/",
        "gift-bounced": f"{root}/gift/{bounced.pk}/change/",
        "gift-date": f"{root}/gift/{bounced.pk}/change/date/",
        "gift-recipient": f"{root}/gift/{bounced.pk}/change/recipient/",
        "payment-unnamed": f"{root}/payment/{bounced.payment_id}/change/",
        "payment-name-gifts": f"{root}/payment/{bounced.payment_id}/refunds/{refund.pk}/",
        "mails": f"{root}/outgoingmail/",
    }


def addresses(campaign: Campaign) -> dict[str, str]:
    """Return the pages that staff use every day."""
    gift = Gift.objects.exclude(buyer__email=ATTENTION_BUYER).get()
    root = "/admin/campaigns"
    return {
        "first": "/admin/",
        "progress": f"{root}/campaign/{campaign.pk}/progress/",
        "campaigns": f"{root}/campaign/",
        "campaign": f"{root}/campaign/{campaign.pk}/change/",
        "plan": f"{root}/plan/{gift.price.plan_id}/change/",
        "member": f"{root}/member/{gift.buyer_id}/change/",
        "grant": f"{root}/member/{gift.buyer_id}/membership/",
        "offline-payment": f"{root}/member/{gift.buyer_id}/payment/",
        "payments": f"{root}/payment/",
        "payment": f"{root}/payment/{gift.payment_id}/change/",
        "event": f"{root}/stripeevent/{StripeEvent.objects.get().pk}/change/",
    }


def merge_addresses(campaign: Campaign) -> dict[str, str]:
    """Return the pages on which two paying members are merged."""
    gift = Gift.objects.get(claimed_by__email="ben@example.org")
    make_payment(Member.objects.get(email="ben@example.org"), campaign, "2026-11-09 12:00")
    recount_campaign(campaign)
    root = f"/admin/campaigns/member/{gift.buyer_id}/merge/"
    return {"merge-find": root, "merge": f"{root}{gift.claimed_by_id}/"}


def make_cookie(site: LiveServer, client: Client, settings: LazySettings) -> Any:
    """Return the cookie that signs a browser in as the client's user."""
    return {
        "name": settings.SESSION_COOKIE_NAME,
        "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
        "domain": urlsplit(site.url).hostname,
        "path": "/",
    }


@pytest.mark.thorough
@pytest.mark.usefixtures("editor")
@pytest.mark.django_db(transaction=True)
def test_admin_pages_are_accessible_and_follow_the_content_policy(
    site: LiveServer, client: Client, settings: LazySettings, rows: Campaign
) -> None:
    cookie = make_cookie(site, client, settings)
    make_attention_cases(rows)
    pages = addresses(rows) | attention_addresses()
    payment = Gift.objects.exclude(buyer__email=ATTENTION_BUYER).get().payment_id
    pages |= merge_addresses(rows)
    pages["payment-refund"] = f"/admin/campaigns/payment/{payment}/refund/"
    with run_chromium() as chromium, open_reader(chromium, viewport=DESKTOP) as reader:
        reader.context.add_cookies([cookie])
        for name, address in pages.items():
            answer = reader.page.goto(site.url + address)
            assert answer is not None
            assert answer.status == 200, address
            reader.check_page(f"staff-{name}-wide-light")
            reader.change_window(PHONE, "dark")
            reader.check_page(f"staff-{name}-narrow-dark")
            reader.change_window(DESKTOP, "light")


@pytest.mark.thorough
@pytest.mark.usefixtures("editor")
@pytest.mark.django_db(transaction=True)
def test_pages_are_printed_with_their_number_and_bar_on_the_first_sheet(
    site: LiveServer, client: Client, settings: LazySettings, rows: Campaign
) -> None:
    rows.goals.update(target=4)  # half of it is reached
    pages = (addresses(rows)["progress"], "/campaign/birthday/")
    cookie = make_cookie(site, client, settings)
    with run_chromium() as chromium, open_reader(chromium) as reader:
        reader.context.add_cookies([cookie])
        for address in pages:
            reader.page.goto(site.url + address)
            with pypdfium2.PdfDocument(reader.page.pdf(format="A4")) as pdf:
                text = pdf[0].get_textpage().get_text_bounded()
                colours = pdf[0].render().to_pil().convert("RGB").getcolors(1 << 24)
            assert "of 4 new members" in text
            assert {colour: count for count, colour in colours}[ACCENT] > BAR, address


@pytest.mark.usefixtures("editor")
@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "uk"])
def test_the_progress_page_is_shown_in_each_language(
    client: Client, rows: Campaign, language: str
) -> None:
    page = client.get(addresses(rows)["progress"], headers={"Accept-Language": language})
    assert page.status_code == 200
    assert page.headers["Content-Language"] == language
