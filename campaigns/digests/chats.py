"""Posts to webhooks of chats: Slack, Teams and plain JSON.

Slack: https://api.slack.com/messaging/webhooks. Teams, through a workflow: an adaptive card,
https://learn.microsoft.com/en-us/connectors/teams/#adaptivecarditemschema.
Plain JSON is the content as campaigns/digests/contents.py describes it.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from campaigns.digests.contents import Content, describe_test
from campaigns.models import ChatPost, ChatWebhook
from campaigns.outgoing_addresses import RefusedAddress, Unreachable, find_target, write_url
from campaigns.outgoing_requests import Answer, post

LAST_ATTEMPT = 15  # about a day after the first
_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=4)
_MOST_FACTS = 10  # Slack's limit for fields of a section


class ChatRefused(Exception):
    """A webhook can't be reached, or refused a message. Its text is for staff."""


def post_claimed(post_id: int) -> None:
    """Post a claimed message. A failure is saved on it and retried after a growing pause."""
    row = ChatPost.objects.select_related("webhook", "message").get(pk=post_id)
    claimed = ChatPost.objects.filter(pk=post_id, attempts=row.attempts)
    if not row.webhook.is_active or not row.message.content:
        claimed.update(due_at=None, error="no longer wanted")
        return
    now = timezone.now()
    try:
        with override(row.message.language):
            answer = _send(row.webhook, row.message.content)
    except (RefusedAddress, Unreachable) as error:
        _retry_later(row, str(error))
        return
    if answer.is_accepted:
        claimed.update(due_at=None, sent_at=now, error="")
        # It works again: what failed before needs nobody's attention.
        row.webhook.posts.filter(failed_at__isnull=False).update(failed_at=None)
        return
    pause = timedelta(seconds=answer.retry_after) if answer.retry_after else None
    _retry_later(row, f"HTTP {answer.status}", pause=pause)


def post_test(webhook: ChatWebhook) -> None:
    """Post a test at once. Raises ChatRefused."""
    with override(webhook.language):
        content = describe_test()
    try:
        answer = _send(webhook, content)
    except (RefusedAddress, Unreachable) as error:
        raise ChatRefused(str(error)) from None
    if not answer.is_accepted:
        words = _("The server answered with HTTP status %(status)d.")
        raise ChatRefused(words % {"status": answer.status})


def _retry_later(row: ChatPost, error: str, *, pause: timedelta | None = None) -> None:
    now, claimed = timezone.now(), ChatPost.objects.filter(pk=row.pk, attempts=row.attempts)
    if row.attempts >= LAST_ATTEMPT:
        claimed.update(due_at=None, failed_at=now, error=error[:200])
        return
    growing = min(_FIRST_PAUSE * 2 ** min(row.attempts - 1, 12), _LONGEST_PAUSE)
    wanted = min(max(pause or growing, growing), _LONGEST_PAUSE)
    claimed.update(due_at=now + wanted, error=error[:200])


def _send(webhook: ChatWebhook, content: Content) -> Answer:
    target = find_target(write_url(webhook.url))
    body = json.dumps(_WRITERS[webhook.kind](content), ensure_ascii=False).encode()
    return post(target, body, headers={"Content-Type": "application/json; charset=utf-8"})


def write_slack(content: Content) -> dict[str, Any]:
    """Return the message as Slack's blocks, with a line of text for notifications."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": content["title"][:150]}}
    ]
    for campaign in content["campaigns"]:
        lines = [
            f"*<{campaign['url']}|{_escape(campaign['name'])}>*: {_escape(campaign['headline'])}"
        ]
        lines += [_escape(campaign["verdict"])] if campaign["verdict"] else []
        blocks.append({"type": "section", "text": _as_markdown("\n".join(lines))})
        facts = [
            _as_markdown(f"*{_escape(fact['label'])}*\n{_escape(fact['value'])}")
            for fact in campaign["facts"][:_MOST_FACTS]
        ]
        blocks += [{"type": "section", "fields": facts}] if facts else []
    return {"text": _escape(content["title"]), "blocks": blocks}


def _as_markdown(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text[:2000]}


def _escape(text: str) -> str:
    """Escape what Slack reads as links and mentions."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def write_teams(content: Content) -> dict[str, Any]:
    """Return the message as an adaptive card, the form that workflows of Teams take."""
    body: list[dict[str, Any]] = [
        {
            "type": "TextBlock",
            "size": "Medium",
            "weight": "Bolder",
            "wrap": True,
            "text": content["title"],
        }
    ]
    for campaign in content["campaigns"]:
        for text in (f"{campaign['name']}: {campaign['headline']}", campaign["verdict"]):
            body += [{"type": "TextBlock", "wrap": True, "text": text}] if text else []
        facts = [{"title": fact["label"], "value": fact["value"]} for fact in campaign["facts"]]
        body += [{"type": "FactSet", "facts": facts}] if facts else []
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": _("Open report"), "url": content["url"]}],
    }
    return {
        "type": "message",
        "attachments": [
            {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
        ],
    }


def write_json(content: Content) -> dict[str, Any]:
    """Return the content without its pictures."""
    campaigns = [
        {key: value for key, value in campaign.items() if key != "curve"}
        for campaign in content["campaigns"]
    ]
    return content | {"campaigns": campaigns}


_WRITERS: dict[str, Callable[[Content], dict[str, Any]]] = {
    ChatWebhook.Kind.SLACK: write_slack,
    ChatWebhook.Kind.TEAMS: write_teams,
    ChatWebhook.Kind.JSON: write_json,
}
