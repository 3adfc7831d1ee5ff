"""Test events: sent at once to one endpoint, logged, and never repeated by themselves."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from campaigns import deliveries, jobs
from campaigns.deliveries import endpoints
from campaigns.models import OutgoingEvent, WebhookDelivery, WebhookEndpoint
from campaigns.reports.attention import CONCERNS
from tests.deliveries.conftest import receiver as _receiver
from tests.support.receiver import Receiver, list_faults
from tests.support.staff import admin_url, read_messages, read_page, run_action

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("editor")]
receiver = _receiver  # a fixture


def press(client: Client, endpoint: WebhookEndpoint) -> str:
    """Send a test event in the admin; return the message."""
    url = admin_url(WebhookEndpoint, "test", endpoint.pk)
    return read_messages(client.post(url, follow=True))


def test_staff_send_a_test_event_and_read_the_answer(client: Client, receiver: Receiver) -> None:
    endpoint = receiver.make_endpoint("member.joined", name="CRM")
    own = read_page(client.get(admin_url(WebhookEndpoint, "change", endpoint.pk)))
    assert "Send test event" in own
    assert "webhook.test" in read_page(client.get(admin_url(WebhookEndpoint, "test", endpoint.pk)))
    assert "Test event sent. The server accepted it (200)." in press(client, endpoint)
    assert receiver.forged == 0
    [body] = receiver.bodies
    assert list_faults(body) == []
    assert body["data"] == {"endpoint": "CRM"}
    history = read_page(client.get(admin_url(WebhookEndpoint, "history", endpoint.pk)))
    assert "Test event sent" in history
    delivery = WebhookDelivery.objects.get()
    page = read_page(client.get(admin_url(WebhookDelivery, "change", delivery.pk)))
    for shown in (receiver.ids[0], "webhook.test", "thanks", "delivered"):
        assert shown in page


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (301, "redirects to another address (301)"),
        (400, "has this endpoint’s secret"),
        (401, "has this endpoint’s secret"),
        (404, "no webhooks at this address (404)"),
        (410, "no webhooks at this address (410)"),
        (418, "The server answered 418. It has to answer 200."),
        (429, "too many requests (429)"),
        (503, "had an error (503)"),
        (None, "The server didn’t answer."),
    ],
)
def test_a_refused_test_is_explained_and_not_repeated(
    client: Client, receiver: Receiver, status: int | None, words: str
) -> None:
    endpoint = receiver.make_endpoint()
    before = WebhookEndpoint.objects.values().get()
    receiver.answers = [status]
    shown = press(client, endpoint)
    assert "Test event failed" in shown
    assert words in shown
    jobs.run_due_jobs("webhooks")
    assert receiver.requests == 1
    assert WebhookEndpoint.objects.values().get() == before
    concerns = [each for each in CONCERNS if each.name in {"paused", "given-up"}]
    assert [each.rows().exists() for each in concerns] == [False, False]
    delivery = WebhookDelivery.objects.get()
    assert (delivery.status, delivery.due_at, delivery.attempts) == (status, None, 1)
    page = read_page(client.get(admin_url(WebhookDelivery, "change", delivery.pk)))
    assert "will be retried" not in page


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:9/hook", "The server didn’t answer."),
        ("https://nowhere.invalid/hook", "No server was found at nowhere.invalid"),
        ("https://10.0.0.1/hook", "in a private network"),
    ],
)
def test_an_address_without_a_server_is_explained(
    client: Client, settings: LazySettings, url: str, words: str
) -> None:
    settings.OUTGOING_NETWORKS = ["127.0.0.0/8"]
    endpoint = WebhookEndpoint.objects.create(name="CRM", url=url, events=["member.joined"])
    assert words in press(client, endpoint)
    assert words in WebhookDelivery.objects.get().error


def test_a_slow_server_ends_the_test(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "TIME_LIMIT_SECONDS", 0.2)
    receiver.pause = 0.8
    sent = deliveries.send_test(receiver.make_endpoint())
    assert sent.error == "The server didn’t answer in time."
    assert sent.delivered_at is None


@pytest.mark.parametrize("changes", [{"is_active": False}, {"paused_for": "gone"}])
def test_an_endpoint_that_gets_nothing_is_tested(
    receiver: Receiver, changes: dict[str, Any]
) -> None:
    paused_at = timezone.now() if "paused_for" in changes else None
    endpoint = receiver.make_endpoint(paused_at=paused_at, **changes)
    deliveries.send_test(endpoint)
    assert receiver.types == ["webhook.test"]
    endpoint.refresh_from_db()
    assert endpoint.paused_at == paused_at


def test_a_test_is_signed_with_both_secrets_while_one_is_replaced(receiver: Receiver) -> None:
    endpoint = receiver.make_endpoint()
    assert deliveries.rotate_secret(endpoint)
    endpoint.refresh_from_db()
    deliveries.send_test(endpoint)
    receiver.secrets = [endpoint.secret]
    deliveries.send_test(endpoint)
    assert (len(receiver.ids), receiver.forged) == (2, 0)


def test_a_failed_test_is_resent_from_the_log(client: Client, receiver: Receiver) -> None:
    receiver.answers = [500]
    sent = deliveries.send_test(receiver.make_endpoint())
    run_action(client, WebhookDelivery, "resend", sent.pk)
    jobs.run_due_jobs("webhooks")
    assert receiver.ids == [OutgoingEvent.objects.get().message_id]
