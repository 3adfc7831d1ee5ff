"""Staff connect other systems: webhook endpoints, the log of deliveries, tokens for questions."""

import re
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns import jobs, newsletters
from campaigns.models import (
    ApiClient,
    OutgoingEvent,
    Subscription,
    WebhookDelivery,
    WebhookEndpoint,
)
from tests.support.factories import make_member
from tests.support.newsletters import make_newsletter, make_subscription
from tests.support.receiver import LOOPBACK, run_receiver
from tests.support.staff import admin_url, fill_in, read_messages, read_page, run_action

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("editor")]

ADD = "/admin/campaigns/webhookendpoint/add/"


def add(client: Client, url: str, **typed: Any) -> Any:
    fields = fill_in(client, ADD)
    chosen = {"name": "CRM", "url": url, "events": ["member.joined", "member.lapsed"]}
    return client.post(ADD, {**fields, **chosen, **typed}, follow=True)


def test_an_endpoint_is_added_and_shows_its_secret(client: Client, settings: LazySettings) -> None:
    settings.OUTGOING_NETWORKS = LOOPBACK
    add(client, "http://127.0.0.1:9/hook?key=1")
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.events == ["member.joined", "member.lapsed"]
    page = read_page(client.get(admin_url(WebhookEndpoint, "change", endpoint.pk)))
    assert endpoint.secret in page
    assert 'value="member.lapsed"' in page
    listed = read_page(client.get(admin_url(WebhookEndpoint, "changelist")))
    assert endpoint.secret not in listed
    assert "key=1" not in listed, "the path can be a password"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1/hook", "private network"),
        ("https://169.254.169.254/latest", "private network"),
        ("https://[::1]/", "private network"),
        ("ftp://example.org/", "starts with https://"),
        ("https://nowhere.invalid/", "No server was found"),
        ("https://user:secret@example.org/", "without a user name"),
    ],
)
def test_an_address_that_must_not_be_called_is_refused(
    client: Client, url: str, words: str
) -> None:
    response = add(client, url)
    assert words in read_page(response)
    assert not WebhookEndpoint.objects.exists()


def test_an_endpoint_without_events_is_refused(client: Client, settings: LazySettings) -> None:
    settings.OUTGOING_NETWORKS = LOOPBACK
    assert "required" in read_page(add(client, "http://127.0.0.1:9/", events=[]))


def make_endpoint(**changes: Any) -> WebhookEndpoint:
    values = {"name": "CRM", "url": "https://crm.example.org/hook", "events": ["member.joined"]}
    return WebhookEndpoint.objects.create(**values | changes)


def test_an_endpoint_whose_server_is_gone_is_switched_off(client: Client) -> None:
    endpoint = make_endpoint(url="https://nowhere.invalid/hook")
    page = admin_url(WebhookEndpoint, "change", endpoint.pk)
    fields = fill_in(client, page) | {"events": endpoint.events}
    del fields["is_active"]
    client.post(page, fields)
    endpoint.refresh_from_db()
    assert not endpoint.is_active
    refused = client.post(page, fields | {"url": "https://other.invalid/hook"})
    assert "No server was found" in read_page(refused)


def test_a_secret_is_replaced_and_never_in_the_history(client: Client) -> None:
    endpoint = make_endpoint()
    old = endpoint.secret
    url = admin_url(WebhookEndpoint, "rotate", endpoint.pk)
    assert "one day" in read_page(client.get(url))
    assert "Secret replaced" in read_messages(client.post(url, follow=True))
    endpoint.refresh_from_db()
    assert endpoint.list_secrets(at=timezone.now()) == [endpoint.secret, old]
    assert endpoint.secret != old
    history = read_page(client.get(admin_url(WebhookEndpoint, "history", endpoint.pk)))
    assert "Secret replaced" in history
    assert not any(secret in history for secret in (old, endpoint.secret))


def test_a_paused_endpoint_needs_attention_and_is_resumed(client: Client) -> None:
    endpoint = make_endpoint(paused_at=timezone.now(), paused_for="failing")
    assert "Webhook endpoints paused" in read_page(client.get("/admin/"))
    page = read_page(client.get(admin_url(WebhookEndpoint, "change", endpoint.pk)))
    assert "it failed for three days" in page
    response = client.post(admin_url(WebhookEndpoint, "resume", endpoint.pk), follow=True)
    assert "Endpoint resumed" in read_messages(response)
    assert "Webhook endpoints paused" not in read_page(client.get("/admin/"))


def test_the_log_shows_request_and_answer_and_resends(
    client: Client, settings: LazySettings
) -> None:
    settings.OUTGOING_NETWORKS = LOOPBACK
    with run_receiver() as receiver:
        endpoint = receiver.make_endpoint()
        event = OutgoingEvent.objects.create(
            type="member.joined", member=make_member("ada@example.org"), data={"member": {"id": 7}}
        )
        delivery = WebhookDelivery.objects.create(
            endpoint=endpoint, event=event, member=event.member
        )
        receiver.answer = b"<b>stored</b>"
        jobs.run_due_jobs("webhooks")
        page = read_page(client.get(admin_url(WebhookDelivery, "change", delivery.pk)))
        assert "&lt;b&gt;stored&lt;/b&gt;" in page
        assert event.message_id in page
        assert "&quot;id&quot;: 7" in page
        found = client.get(admin_url(WebhookDelivery, "changelist"), {"q": " ADA@example.org"})
        assert event.type in read_page(found)
        response = run_action(client, WebhookDelivery, "resend", delivery.pk)
        assert "1 webhook will be resent" in read_messages(response)
        jobs.run_due_jobs("webhooks")
        assert receiver.requests == 2
        assert receiver.ids == [event.message_id]


def test_a_token_is_shown_once(client: Client, editor: User) -> None:
    response = client.post("/admin/campaigns/apiclient/add/", {"name": "Paywall"})
    [token] = re.findall(r'value="(nra_[\w-]+)"', read_page(response))
    assert "no-store" in response["Cache-Control"]
    row = ApiClient.objects.get()
    assert row.created_by == editor
    for page in ("change", "history"):
        shown = read_page(client.get(admin_url(ApiClient, page, row.pk)))
        assert token not in shown
        assert row.token_hash not in shown
    question = "/api/access?email=ada@example.org"
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get(question, headers=headers).status_code == 200
    response = client.post(admin_url(ApiClient, "revoke", row.pk), follow=True)
    assert "Token revoked" in read_messages(response)
    assert client.get(question, headers=headers).status_code == 401


def test_the_log_is_searched_by_a_subscribers_address(client: Client) -> None:
    make_endpoint(events=["newsletter.confirmed"])
    newsletter = make_newsletter()
    for address in ("nora@example.org", "ben@example.org"):
        asked = make_subscription(newsletter, address, status="pending")
        proof = Subscription.Proof.LINK
        assert newsletters.confirm_subscription(asked, proof=proof, at=timezone.now())
    url = admin_url(WebhookDelivery, "changelist")
    for typed, number in (("Nora@example.org", 1), ("nobody@example.org", 0), ("", 2)):
        answer: Any = client.get(url, {"q": typed})
        assert answer.context["cl"].result_count == number, typed
