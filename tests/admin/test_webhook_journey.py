"""An administrator connects a CRM in a browser: tests it, sees it fail, and mends it."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize
from pytest_django.live_server_helper import LiveServer

from campaigns import deliveries, jobs
from campaigns.models import WebhookDelivery, WebhookEndpoint
from tests.deliveries.conftest import receiver as _receiver
from tests.support.browser import Reader, open_reader, run_chromium
from tests.support.factories import make_member
from tests.support.receiver import Receiver
from tests.support.threads import race

pytestmark = [pytest.mark.once, pytest.mark.thorough, pytest.mark.django_db(transaction=True)]
receiver = _receiver  # a fixture

PASSWORD = "long-and-unguessed"
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture
def reader(
    clean_state: None, settings: Any, request: pytest.FixtureRequest
) -> Iterator[tuple[Reader, str]]:
    """A signed-in administrator, and the address of the admin."""
    settings.REQUIRE_SECOND_FACTOR = False  # test_sign_in_journey.py sets one up
    User.objects.create_superuser("alex", password=PASSWORD)
    site: LiveServer = request.getfixturevalue("live_server")
    with run_chromium() as chromium, open_reader(chromium, viewport=DESK) as reader:
        page = reader.page
        page.goto(f"{site.url}/admin/")
        page.get_by_label("User name").fill("alex")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_selector("#desk-navigation")
        yield reader, f"{site.url}/admin"


def run(work: Callable[[], object]) -> None:
    """Use the database beside the browser, in whose thread Django refuses to."""
    [outcome] = race(work)
    if isinstance(outcome, Exception):
        raise outcome


def deliver() -> None:
    """Let the job run, as if the pause after a failure were over."""
    WebhookDelivery.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
    WebhookEndpoint.objects.update(rests_until=None)
    jobs.run_due_jobs("webhooks")


def announce() -> None:
    with transaction.atomic():
        member = make_member("ada@example.org")
        assert deliveries.write_event("member.lapsed", {}, member=member) is not None
    deliver()


def check(reader: Reader, name: str) -> None:
    reader.check_page(f"webhook-{name}-desk")
    reader.change_window(PHONE, "dark")
    reader.check_page(f"webhook-{name}-phone-dark")
    reader.change_window(DESK, "light")


def add_endpoint(page: Page, url: str) -> None:
    page.get_by_role("textbox", name="Name").fill("CRM")
    page.get_by_role("textbox", name="Address").fill(url)
    page.get_by_label(re.compile("member.lapsed")).check()
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_role("link", name="Send test event").wait_for()


def send_test(page: Page, words: str) -> None:
    page.get_by_role("link", name="Send test event").click()
    page.get_by_role("button", name="Send test event").click()
    page.locator(".messagelist").get_by_text(words).wait_for()


def read_secret(page: Page) -> str:
    found = re.search(r"whsec_[\w+/=]+", page.locator(".field-secret").inner_text())
    assert found
    return found[0]


def test_an_endpoint_from_its_first_test_to_a_new_secret(
    reader: tuple[Reader, str], receiver: Receiver
) -> None:
    window, admin = reader
    page = window.page
    page.goto(f"{admin}/campaigns/webhookendpoint/add/")
    check(window, "add")
    add_endpoint(page, receiver.url)
    own = page.url

    # The receiver doesn't know the secret yet.
    send_test(page, "Check that the receiver has this endpoint’s secret.")
    check(window, "test-refused")
    receiver.secrets = [read_secret(page)]
    page.get_by_role("link", name="Send test event").click()
    page.get_by_role("button", name="Send test event").wait_for()
    check(window, "test")
    page.go_back()
    send_test(page, "Test event sent. The server accepted it (200).")
    check(window, "test-sent")
    assert receiver.types == ["webhook.test"]

    # Both are in the log, with request and answer.
    page.get_by_role("link", name="Show deliveries to this endpoint").click()
    rows = page.locator("#result_list tbody tr")
    rows.first.get_by_text("delivered").wait_for()
    assert ["HTTP 400" in each for each in rows.all_inner_texts()] == [False, True]
    check(window, "log")
    rows.first.get_by_role("link", name="webhook.test").click()
    for shown in (receiver.ids[0], '"endpoint": "CRM"', "thanks", "200"):
        page.get_by_text(shown).first.wait_for()
    check(window, "delivery")

    # The receiver fails, then says that it is gone: staff have to act.
    receiver.answers = [503, 410]
    run(announce)
    page.goto(f"{admin}/campaigns/webhookdelivery/")
    rows.first.get_by_text("failed, will be retried").wait_for()
    page.goto(f"{admin}/campaigns/webhookendpoint/")
    rows.first.get_by_text("failing").wait_for()
    run(deliver)
    page.goto(f"{admin}/")
    attention = page.get_by_role("region", name="Needs attention")
    check(window, "attention")
    attention.get_by_role("link", name=re.compile("Webhook endpoints paused")).first.click()
    page.get_by_role("link", name="CRM").click()
    page.get_by_text("it answered that it no longer exists (410)").wait_for()
    check(window, "paused")
    send_test(page, "Test event sent")  # it is back, so the events can go on
    page.get_by_role("link", name="Resume endpoint").click()
    page.get_by_role("button", name="Resume endpoint").click()
    page.get_by_text("Endpoint resumed.").wait_for()
    run(deliver)
    assert receiver.types[-1] == "member.lapsed"
    page.goto(f"{admin}/")
    page.get_by_role("heading", level=1).first.wait_for()
    assert page.get_by_text("Webhook endpoints paused").count() == 0

    # The receiver lost it: staff send it again, with the same ID.
    receiver.ids, receiver.bodies = receiver.ids[:-1], []
    page.goto(f"{admin}/campaigns/webhookdelivery/?q=ada@example.org")
    rows.first.get_by_role("checkbox").check()
    page.get_by_role("combobox", name="Action").select_option(label="Resend webhooks")
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("1 webhook will be resent.").wait_for()
    run(deliver)
    assert receiver.types == ["member.lapsed"]

    # A new secret: the receiver takes both for a day.
    old = receiver.secrets[0]
    page.goto(own)
    page.get_by_role("link", name="Replace secret").click()
    check(window, "replace-secret")
    page.get_by_role("button", name="Replace secret").click()
    page.get_by_text("Secret replaced.").wait_for()
    new = read_secret(page)
    assert new != old
    send_test(page, "Test event sent")
    receiver.secrets = [new]
    send_test(page, "Test event sent")
    check(window, "secret-replaced")
    assert receiver.forged == 1, "only the first test"
