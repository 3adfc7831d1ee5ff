"""Receivers of reports, and campaigns to report on."""

from datetime import datetime
from itertools import count
from typing import Any

from django.contrib.auth.models import Group, User

from campaigns.models import Campaign, ChatWebhook, OutgoingMail, ReportMail, ReportMessage
from tests.support.factories import at, make_member, make_payment, recount_campaign

_number = count(1)
# A PNG of one pixel, in base64.
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)


def make_reader(name: str = "mia", *, email: str = "mia@example.org") -> User:
    """Create a staff user who may see reports and nothing else."""
    user = User.objects.create_user(name, email, "long-and-unguessed", is_staff=True)
    user.groups.add(Group.objects.get(name="report reader"))
    return user


def make_report_mail(user: User | None = None, **choices: Any) -> ReportMail:
    """Create a choice of reports that was made before the campaign."""
    values: dict[str, Any] = {"hour": 7, "language": "en", "chosen_at": at("2026-10-01 12:00")}
    return ReportMail.objects.create(user=user or make_reader(), **values | choices)


def make_chat_webhook(**choices: Any) -> ChatWebhook:
    values: dict[str, Any] = {
        "name": "newsroom",
        "kind": "slack",
        "url": "https://hooks.chat.example/services/T0/B0/secret",
        "hour": 7,
        "language": "en",
        "chosen_at": at("2026-10-01 12:00"),
    }
    return ChatWebhook.objects.create(**values | choices)


def join(campaign: Campaign, day: str, number: int) -> None:
    """Add members who paid on a day, and count them."""
    for _each in range(number):
        make_payment(make_member(f"member{next(_number)}@example.org"), campaign, f"{day} 12:00")
    recount_campaign(campaign)


def make_content(campaign: Campaign | None) -> dict[str, Any]:
    """Return what a report of the campaign says, or of two campaigns without one."""
    described = {
        "slug": "birthday",
        "name": "Third birthday",
        "url": "http://127.0.0.1:8000/admin/",
        "headline": "312 of 1,000 new members (31%)",
        "verdict": "The chance of reaching the goal is about 2 in 10.",
        "facts": [{"label": "To go", "value": "688"}],
        "numbers": {},
        "curve": PIXEL,
        "sentence": "The curve is at 312; the goal is 1,000.",
    }
    campaigns = [described] if campaign else [described, described | {"curve": "", "verdict": ""}]
    title = "Third birthday: 312 of 1,000 new members (31%)"
    return {"kind": "daily", "title": title, "url": described["url"], "campaigns": campaigns}


def make_message(campaign: Campaign | None = None, **changes: Any) -> ReportMessage:
    values: dict[str, Any] = {
        "key": f"daily:{next(_number)}",
        "kind": "daily",
        "language": "en",
        "content": make_content(campaign),
    }
    return ReportMessage.objects.create(**values | changes)


def make_report_outgoing(campaign: Campaign | None, *, language: str = "en") -> OutgoingMail:
    """Create a report that is due to Mia."""
    message = make_message(campaign, language=language)
    receiver = make_report_mail(
        make_reader(f"mia{next(_number)}"), daily=True, milestones=True, language=language
    )
    return OutgoingMail.objects.create(
        key=f"report:{message.key}",
        kind="report",
        language=language,
        report_message=message,
        report_mail=receiver,
    )


def list_reports() -> list[tuple[str, str]]:
    """Return the kind and the receiver's name of each report for the outbox, in order."""
    mails = OutgoingMail.objects.filter(kind="report").order_by("pk")
    return [
        (mail.report_message.kind, mail.report_mail.user.username)
        for mail in mails
        if mail.report_message is not None and mail.report_mail is not None
    ]


def next_due(receiver: ReportMail | ChatWebhook) -> datetime | None:
    receiver.refresh_from_db()
    return receiver.due_at
