"""Signing in with a browser: a second factor set up, used, lost and restored; a passkey."""

import time

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from playwright.sync_api import ViewportSize
from pytest_django.live_server_helper import LiveServer

from tests.admin.test_second_factor import PASSWORD, make_code
from tests.support.browser import Reader, open_reader, run_chromium
from tests.support.factories import make_campaign
from tests.support.threads import race

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]

DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 320, "height": 720}
PASSKEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def site(request: pytest.FixtureRequest, clean_state: None, settings: LazySettings) -> LiveServer:
    settings.REQUIRE_SECOND_FACTOR = True
    User.objects.create_superuser("ada", password=PASSWORD)
    User.objects.create_superuser("ben", password=PASSWORD)
    server: LiveServer = request.getfixturevalue("live_server")
    return server


def look(reader: Reader, name: str) -> None:
    reader.check_page(f"sign-in-{name}-wide-light")
    reader.change_window(PHONE, "dark")
    reader.check_page(f"sign-in-{name}-narrow-dark")
    reader.change_window(DESKTOP, "light")


def type_password(reader: Reader, site: LiveServer, name: str) -> None:
    reader.page.goto(f"{site.url}/admin/")
    reader.page.get_by_label("User name").fill(name)
    reader.page.get_by_label("Password").fill(PASSWORD)
    reader.page.get_by_role("button", name="Sign in", exact=True).click()


def type_code(reader: Reader, code: str, button: str = "Sign in") -> None:
    reader.page.get_by_label("Code", exact=True).fill(code)
    reader.page.get_by_role("button", name=button, exact=True).click()


def set_up_app(reader: Reader) -> str:
    """Set up an authenticator app; return its secret."""
    reader.page.get_by_role("link", name="Set up app").click()
    secret = reader.page.locator("#secret").inner_text()
    type_code(reader, make_code(secret), "Set up app")
    return secret


@pytest.mark.thorough
def test_a_second_factor_is_set_up_used_lost_and_restored(site: LiveServer) -> None:
    ada = User.objects.get(username="ada").pk
    with run_chromium() as chromium, open_reader(chromium, viewport=DESKTOP) as reader:
        page = reader.page
        page.goto(f"{site.url}/admin/")
        look(reader, "password")
        # Set up.
        type_password(reader, site, "ada")
        look(reader, "nothing-yet")
        page.get_by_role("link", name="Set up app").click()
        look(reader, "app")
        page.go_back()
        secret = set_up_app(reader)
        codes = page.locator(".codes code").all_inner_texts()
        assert len(codes) == 10
        look(reader, "recovery-codes")
        page.get_by_role("link", name="Continue").click()
        page.wait_for_url(f"{site.url}/admin/")
        # Used.
        page.get_by_role("button", name="Sign out").click()
        type_password(reader, site, "ada")
        look(reader, "code")
        type_code(reader, "000000")
        assert "This code is wrong" in page.locator("main").inner_text()
        look(reader, "wrong-code")
        # The code of the next half-minute is accepted already, and wasn't used.
        type_code(reader, make_code(secret, at=time.time() + 30))
        page.wait_for_url(f"{site.url}/admin/")
        page.goto(f"{site.url}/admin/account/sessions/")
        look(reader, "sessions")
        # Lost, with a recovery code left.
        page.get_by_role("button", name="Sign out").click()
        type_password(reader, site, "ada")
        type_code(reader, codes[0])
        page.wait_for_url(f"{site.url}/admin/")
        page.get_by_role("button", name="Sign out").click()
    with run_chromium() as chromium, open_reader(chromium, viewport=DESKTOP) as reader:
        # Lost with the recovery codes: an administrator restores it.
        page = reader.page
        type_password(reader, site, "ben")
        set_up_app(reader)
        page.goto(f"{site.url}/admin/auth/user/{ada}/change/")
        page.get_by_role("link", name="Reset second factor").click()
        page.get_by_label("Internal note").fill("Phone lost. I called back.")
        look(reader, "reset")
        page.get_by_role("button", name="Reset second factor").click()
        page.get_by_text("Second factor reset.").wait_for()
        page.locator("#content").get_by_role("link", name="History").click()
        assert "I called back." in page.locator("#content").inner_text()
        look(reader, "history")
        page.get_by_role("button", name="Sign out").click()
        type_password(reader, site, "ada")
        page.get_by_role("link", name="Set up app").wait_for()


@pytest.mark.thorough
def test_a_passkey_signs_in_alone(site: LiveServer) -> None:
    with run_chromium() as chromium, open_reader(chromium, viewport=DESKTOP) as reader:
        page = reader.page
        device = reader.context.new_cdp_session(page)
        device.send("WebAuthn.enable")
        device.send("WebAuthn.addVirtualAuthenticator", {"options": PASSKEY})
        type_password(reader, site, "ada")
        page.get_by_role("link", name="Add passkey").click()
        look(reader, "passkey")
        page.get_by_label("Allow sign-in without a password").check()
        page.get_by_role("button", name="Add passkey").click()
        page.wait_for_url("**/recovery-codes/")
        page.goto(f"{site.url}/admin/account/second-factor/webauthn/")
        look(reader, "passkeys")
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.wait_for_url(f"{site.url}/admin/")


@pytest.mark.thorough
def test_a_session_that_ends_in_the_middle_of_a_form_loses_nothing(
    site: LiveServer, settings: LazySettings
) -> None:
    """A campaign's form has rows below it, which come back as well."""
    settings.REQUIRE_SECOND_FACTOR = False
    campaign = make_campaign()
    url = f"{site.url}/admin/campaigns/campaign/{campaign.pk}/change/"
    with run_chromium() as chromium, open_reader(chromium, viewport=DESKTOP) as reader:
        page = reader.page
        type_password(reader, site, "ada")
        page.goto(url)
        page.locator("#id_goals-0-target").fill("1234")
        page.get_by_role("button", name="Add a custom banner text").click()
        for name, value in {"placement": "top", "state": "running", "language": "en"}.items():
            page.locator(f"#id_banners-0-{name}").select_option(value)
        page.locator("#id_banners-0-headline").fill("Help us")
        race(lambda: Session.objects.all().delete())
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_label("User name").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(url)
        page.get_by_text("Nothing has been saved yet.").wait_for()
        assert page.locator("#id_banners-0-headline").input_value() == "Help us"
        look(reader, "restored-form")
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_url(f"{site.url}/admin/campaigns/campaign/")
    assert campaign.goals.get(is_primary=True).target == 1234
    assert campaign.banners.get().headline == "Help us"
