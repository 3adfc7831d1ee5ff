"""Staff's pages as a browser shows them: under the policy, wide and narrow, by light and dark."""

from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from campaigns import progress
from campaigns.models import Campaign, Gift, PublishedNumber, StripeEvent
from tests.browser import a_reader, run_chromium
from tests.factories import (
    at,
    claim,
    make_campaign,
    make_checkout,
    make_dispute,
    make_gift,
    make_member,
    make_payment,
    make_refund,
)

pytestmark = pytest.mark.django_db(transaction=True)

WINDOWS = {
    "wide-light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "narrow-dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}


@pytest.fixture
def drive_with_rows() -> Campaign:
    campaign = make_campaign()
    ada = make_member("ada@example.org")
    checkout = make_checkout(campaign, member=ada, placement="top")
    payment = make_payment(ada, campaign, "2026-11-10 12:00", checkout=checkout)
    make_refund(payment, "2026-11-11 12:00", 100)
    make_dispute(payment, "2026-11-12 12:00")
    make_payment(make_member(), campaign, "2026-11-09 12:00", currency="usd")
    gift = make_gift(ada, campaign, "2026-11-10 12:00", message="Read it first.")
    claim(gift, make_member("ben@example.org"), "2026-11-13 12:00")
    campaign.banners.create(placement="top", state="running", headline="Three years", text="On.")
    PublishedNumber.objects.create(
        campaign=campaign, published_at=at("2026-11-10 13:00"), counted=2, target=1000
    )
    StripeEvent.objects.create(
        event_id="evt_1",
        type="charge.succeeded",
        payload='{"id": "evt_1"}',
        created_at=at("2026-11-10 12:00"),
        status="done",
        next_attempt_at=None,
    )
    progress.recount_campaign(campaign)
    return campaign


@pytest.fixture
def site(request: pytest.FixtureRequest, clean_ground: None) -> LiveServer:
    """A web server of this process, started once the folder of static files is there."""
    server: LiveServer = request.getfixturevalue("live_server")
    return server


def addresses(campaign: Campaign) -> dict[str, str]:
    """The pages that staff use day by day."""
    gift = Gift.objects.get()
    root = "/admin/campaigns"
    return {
        "first": "/admin/",
        "progress": f"{root}/campaign/{campaign.pk}/progress/",
        "campaigns": f"{root}/campaign/",
        "campaign": f"{root}/campaign/{campaign.pk}/change/",
        "new-campaign": f"{root}/campaign/add/",
        "plan": f"{root}/plan/{gift.price.plan_id}/change/",
        "member": f"{root}/member/{gift.buyer_id}/change/",
        "grant": f"{root}/member/{gift.buyer_id}/membership/",
        "offline-payment": f"{root}/member/{gift.buyer_id}/payment/",
        "payment": f"{root}/payment/{gift.payment_id}/change/",
        "gift": f"{root}/gift/{gift.pk}/change/",
        "event": f"{root}/stripeevent/{StripeEvent.objects.get().pk}/change/",
    }


def test_staffs_pages_hold_to_the_policy_and_to_axe(
    site: LiveServer, client: Client, settings: LazySettings, drive_with_rows: Campaign
) -> None:
    client.force_login(User.objects.create_superuser("editor", "editor@example.org"))
    cookie = {
        "name": settings.SESSION_COOKIE_NAME,
        "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
        "domain": urlsplit(site.url).hostname,
        "path": "/",
    }
    pages = addresses(drive_with_rows)
    with run_chromium() as chromium:
        for window, looks in WINDOWS.items():
            with a_reader(chromium, **looks) as reader:
                reader.context.add_cookies([cookie])  # type: ignore[list-item]
                for name, address in pages.items():
                    answer = reader.page.goto(site.url + address)
                    assert answer is not None
                    assert answer.status == 200, address
                    seen = len(reader.complaints)
                    reader.look(f"staff-{name}-{window}")
                    # Axe loads the page's own styles anew, inline, and is refused as it should be.
                    del reader.complaints[seen:]


@pytest.mark.parametrize("language", ["en", "uk"])
def test_the_progress_page_speaks_every_language(
    client: Client, drive_with_rows: Campaign, language: str
) -> None:
    client.force_login(User.objects.create_superuser("editor", "editor@example.org"))
    page = client.get(addresses(drive_with_rows)["progress"], headers={"Accept-Language": language})
    assert page.status_code == 200
    assert page.headers["Content-Language"] == language


def test_a_claim_code_is_shown_to_no_staff(client: Client, drive_with_rows: Campaign) -> None:
    client.force_login(User.objects.create_superuser("editor", "editor@example.org"))
    gift = Gift.objects.get()
    page = client.get(addresses(drive_with_rows)["gift"]).content.decode()
    assert gift.code_hint in page
    assert gift.code not in page
    assert gift.code.replace("-", "") not in page
    assert gift.code_hash not in page
