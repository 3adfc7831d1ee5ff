"""Staff choose their own reports by e-mail; campaign managers connect chats."""

import re
from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from campaigns.models import ChatPost, ChatWebhook, ReportMail
from tests.support.chat_server import ChatServer, run_chat_server
from tests.support.reports import (
    make_chat_webhook,
    make_message,
    make_reader,
    make_report_mail,
)
from tests.support.staff import admin_url, fill_in, read_page, sign_in_staff

pytestmark = pytest.mark.django_db

OWN = "/admin/campaigns/reportmail/"
CHATS = "/admin/campaigns/chatwebhook/"


@pytest.fixture
def mia(client: Client) -> User:
    user = make_reader()
    sign_in_staff(client, user)
    return user


@pytest.fixture
def manager(client: Client) -> User:
    user = make_reader("max", email="max@example.org")
    user.groups.set([Group.objects.get(name="campaign manager")])
    sign_in_staff(client, user)
    return user


@pytest.fixture
def chat(settings: LazySettings) -> Iterator[ChatServer]:
    settings.OUTGOING_NETWORKS = ["127.0.0.0/8"]
    with run_chat_server() as server:
        yield server


def test_a_report_reader_chooses_reports_and_changes_the_choice(client: Client, mia: User) -> None:
    page = client.get(OWN, follow=True)
    assert page.redirect_chain[-1][0] == f"{OWN}add/"
    assert "Reports go to mia@example.org" in read_page(page)
    assert "Time in" in read_page(page)
    sent = {"weekly": "on", "milestones": "on", "hour": "8", "language": "uk"}
    answer = client.post(f"{OWN}add/", sent, follow=True)
    chosen = ReportMail.objects.get()
    assert "Choice saved." in read_page(answer)
    assert (chosen.user, chosen.daily, chosen.weekly, chosen.milestones) == (mia, False, True, True)
    assert (chosen.hour, chosen.language) == (8, "uk")
    assert chosen.due_at is not None
    assert (chosen.due_at.weekday(), chosen.due_at.hour) == (0, 8)
    url = admin_url(ReportMail, "change", chosen.pk)
    assert client.get(OWN).headers["Location"] == url
    assert client.get(f"{OWN}add/").headers["Location"] == url
    fields = fill_in(client, url)
    del fields["weekly"]
    client.post(url, fields)
    chosen.refresh_from_db()
    assert (chosen.weekly, chosen.milestones) == (False, True)
    assert not chosen.due_at


def test_nobody_sees_or_changes_the_choice_of_others(client: Client, mia: User) -> None:
    other = make_report_mail(make_reader("nora", email="nora@example.org"), daily=True)
    url = admin_url(ReportMail, "change", other.pk)
    assert client.get(url).status_code == 302
    assert client.post(url, {"hour": "1", "language": "en"}).status_code == 302
    other.refresh_from_db()
    assert (other.daily, other.hour) == (True, 7)


def test_an_account_without_an_address_sees_why_it_gets_no_reports(client: Client) -> None:
    sign_in_staff(client, make_reader("nora", email=""))
    assert "Your account has no e-mail address" in read_page(client.get(OWN, follow=True))


def test_a_choice_that_is_no_hour_is_refused(client: Client, mia: User) -> None:
    answer = client.post(f"{OWN}add/", {"daily": "on", "hour": "24", "language": "en"})
    assert answer.status_code == 200
    assert not ReportMail.objects.exists()


def test_the_report_page_leads_to_the_choice(client: Client, mia: User, birthday: object) -> None:
    home = read_page(client.get("/admin/"))
    [campaign] = set(re.findall(r"/admin/campaigns/campaign/\d+/progress/", home))
    assert f'href="{OWN}"' in read_page(client.get(campaign))


def test_a_manager_connects_a_chat_and_tests_it(
    client: Client, manager: User, chat: ChatServer
) -> None:
    sent = {"name": "newsroom", "kind": "slack", "url": chat.url, "is_active": "on"}
    sent |= {"daily": "on", "hour": "9", "language": "en"}
    assert client.post(f"{CHATS}add/", sent).status_code == 302
    webhook = ChatWebhook.objects.get()
    assert webhook.due_at is not None
    url = admin_url(ChatWebhook, "change", webhook.pk)
    assert "Send test message" in read_page(client.get(url))
    assert chat.paths == []
    answer = client.post(f"{CHATS}{webhook.pk}/test/", {"seen": "0"}, follow=True)
    assert "Test message sent." in read_page(answer)
    assert len(chat.paths) == 1
    chat.status = 403
    answer = client.post(f"{CHATS}{webhook.pk}/test/", {"seen": "0"}, follow=True)
    assert "The server answered with HTTP status 403." in read_page(answer)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1/hook", "private network"),
        ("https://169.254.169.254/latest/", "private network"),
        ("https://[::ffff:10.0.0.1]/", "private network"),
        ("ftp://chat.example/", "starts with https"),
        ("https://ada:secret@chat.example/", "without a user name"),
    ],
)
def test_an_address_in_a_private_network_is_refused(
    client: Client, manager: User, url: str, words: str
) -> None:
    sent = {"name": "x", "kind": "json", "url": url, "hour": "9", "language": "en"}
    answer = client.post(f"{CHATS}add/", sent)
    assert answer.status_code == 200
    assert words in read_page(answer)
    assert not ChatWebhook.objects.exists()


def test_a_chat_at_an_address_that_is_refused_now_is_switched_off(
    client: Client, manager: User
) -> None:
    webhook = make_chat_webhook(url="https://127.0.0.1/hook")
    url = f"{CHATS}{webhook.pk}/change/"
    fields = fill_in(client, url)
    del fields["is_active"]
    client.post(url, fields)
    webhook.refresh_from_db()
    assert not webhook.is_active
    refused = client.post(url, fields | {"url": "https://127.0.0.2/hook"})
    assert "private network" in read_page(refused)


def test_the_list_shows_the_last_message_and_error(client: Client, manager: User) -> None:
    webhook = make_chat_webhook()
    post = ChatPost.objects.create(
        webhook=webhook, message=make_message(), error="HTTP 500", attempts=3
    )
    assert "HTTP 500" in read_page(client.get(CHATS))
    assert "HTTP 500" in read_page(client.get(f"{CHATS}?needs=failing-chat"))
    assert "Chat webhooks that reports can’t be sent to" in read_page(client.get("/admin/"))
    ChatPost.objects.filter(pk=post.pk).update(sent_at=timezone.now(), due_at=None, error="")
    assert f"{CHATS}{webhook.pk}/" not in read_page(client.get(f"{CHATS}?needs=failing-chat"))


def test_the_address_of_a_chat_is_in_no_history(client: Client, manager: User) -> None:
    """Anyone who has it can write to the channel."""
    webhook = make_chat_webhook()
    url = admin_url(ChatWebhook, "change", webhook.pk)
    client.post(url, fill_in(client, url) | {"name": "desk"})
    page = read_page(client.get(admin_url(ChatWebhook, "history", webhook.pk)))
    assert "desk" in page
    assert "secret" not in page
