"""Posts to chats: their form, refusals, retries with growing pauses, and private networks."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone

from campaigns import digests, jobs
from campaigns.digests.chats import LAST_ATTEMPT, write_json, write_slack, write_teams
from campaigns.models import ChatPost, ChatWebhook
from campaigns.reports.attention import CONCERNS
from tests.support.chat_server import ChatServer, run_chat_server
from tests.support.factories import make_campaign
from tests.support.reports import make_chat_webhook, make_content, make_message

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def chat(settings: LazySettings) -> Iterator[ChatServer]:
    settings.OUTGOING_NETWORKS = ["127.0.0.0/8"]
    with run_chat_server() as server:
        yield server


def make_post(chat: ChatServer, **choices: Any) -> ChatPost:
    webhook = make_chat_webhook(url=chat.url, **choices)
    return ChatPost.objects.create(webhook=webhook, message=make_message(make_campaign()))


def list_failing() -> list[ChatWebhook]:
    [concern] = [concern for concern in CONCERNS if concern.name == "failing-chat"]
    return list(concern.narrow(ChatWebhook.objects.all()))


@pytest.mark.parametrize("kind", ChatWebhook.Kind.values)
def test_a_message_is_posted_once(chat: ChatServer, kind: str) -> None:
    post = make_post(chat, kind=kind)
    jobs.run_due_jobs("chat_posts")
    jobs.run_due_jobs("chat_posts")
    post.refresh_from_db()
    assert (post.due_at, post.error) == (None, "")
    assert post.sent_at is not None
    [headers] = chat.headers
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert "Third birthday" in json.dumps(chat.messages)
    assert "iVBOR" not in chat.bodies[0].decode()  # the picture


def test_slack_gets_blocks_within_its_limits_and_no_mentions() -> None:
    content = make_content(None)
    content["title"] = "<!channel> & " + "x" * 200
    content["campaigns"][0]["name"] = "<!here>"
    content["campaigns"][0]["facts"] = [{"label": "a", "value": "b"}] * 12
    message = write_slack(content)
    assert message["text"].startswith("&lt;!channel&gt; &amp; x")
    header, section, facts, *_others = message["blocks"]
    assert len(header["text"]["text"]) == 150
    assert "|&lt;!here&gt;>*" in section["text"]["text"]
    assert len(facts["fields"]) == 10


def test_teams_gets_an_adaptive_card() -> None:
    content = make_content(make_campaign())
    [attachment] = write_teams(content)["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert card["body"][0]["text"] == content["title"]
    assert card["body"][-1]["facts"] == [{"title": "To go", "value": "688"}]
    assert card["actions"][0]["url"] == content["url"]


def test_plain_json_is_the_content_without_pictures() -> None:
    content = make_content(make_campaign())
    sent = write_json(content)
    assert set(sent) == {"kind", "title", "url", "campaigns"}
    assert set(sent["campaigns"][0]) == set(content["campaigns"][0]) - {"curve"}


def test_a_refusal_is_retried_after_growing_pauses_and_then_needs_attention(
    chat: ChatServer,
) -> None:
    post, chat.status = make_post(chat), 500
    pauses = []
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for attempt in range(1, LAST_ATTEMPT + 1):
            jobs.run_due_jobs("chat_posts")
            post.refresh_from_db()
            assert (post.attempts, post.error) == (attempt, "HTTP 500")
            assert bool(list_failing()) == (attempt >= 3)
            if post.due_at is not None:
                pauses.append(post.due_at - timezone.now())
                clock.move_to(post.due_at)
        assert post.due_at is None
        assert post.failed_at is not None
        jobs.run_due_jobs("chat_posts")
    assert len(chat.paths) == LAST_ATTEMPT
    assert pauses[:4] == [timedelta(seconds=30 * 2**number) for number in range(4)]
    assert pauses == sorted(pauses)
    assert timedelta(hours=20) < sum(pauses, timedelta()) < timedelta(hours=36)


def test_a_webhook_that_works_again_needs_no_attention(chat: ChatServer) -> None:
    post = make_post(chat)
    ChatPost.objects.update(due_at=None, failed_at=timezone.now(), attempts=LAST_ATTEMPT)
    assert list_failing() == [post.webhook]
    ChatPost.objects.create(webhook=post.webhook, message=make_message())
    jobs.run_due_jobs("chat_posts")
    assert list_failing() == []


def test_a_chat_that_asks_for_a_pause_gets_it(chat: ChatServer) -> None:
    post, chat.status, chat.answer_headers = make_post(chat), 429, {"Retry-After": "600"}
    with time_machine.travel(timezone.now(), tick=False):
        jobs.run_due_jobs("chat_posts")
        post.refresh_from_db()
        assert post.due_at == timezone.now() + timedelta(seconds=600)


def test_a_private_address_gets_nothing(chat: ChatServer, settings: LazySettings) -> None:
    post = make_post(chat)
    settings.OUTGOING_NETWORKS = []
    jobs.run_due_jobs("chat_posts")
    post.refresh_from_db()
    assert "private network" in post.error
    assert post.due_at is not None
    assert chat.paths == []


def test_a_webhook_that_was_made_inactive_gets_nothing(chat: ChatServer) -> None:
    post = make_post(chat, is_active=False)
    jobs.run_due_jobs("chat_posts")
    post.refresh_from_db()
    assert (post.due_at, post.sent_at) == (None, None)
    assert chat.paths == []


def test_a_test_message_is_posted_at_once(chat: ChatServer) -> None:
    webhook = make_chat_webhook(url=chat.url)
    digests.post_test(webhook)
    assert chat.messages[0]["text"] == "This is a test. Reports will arrive here."
    chat.status = 404
    with pytest.raises(digests.ChatRefused, match="404"):
        digests.post_test(webhook)
    assert not ChatPost.objects.exists()
