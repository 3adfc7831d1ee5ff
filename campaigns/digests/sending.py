"""Reports that are due: each is written once in a language, then handed to all who get it.

Nothing is sent twice after an outage, because a message, an e-mail and a post each have a key with
the moment at which the report was due. After a long outage only the latest report is sent.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import override

from campaigns.digests.contents import describe_period, list_campaigns_of
from campaigns.digests.receivers import find_last_moment, find_next_report, may_get_reports
from campaigns.models import ChatPost, ChatWebhook, OutgoingMail, ReportMail, ReportMessage
from campaigns.models.report_receiver import ReportReceiver

# A weekly report that comes later than this would be about a week that nobody asks about.
_LATEST = timedelta(days=2)
# Messages are kept this long; the curves in them are large.
_KEPT = timedelta(days=35)


def send_to_user(report_mail_id: int) -> None:
    """Hand the reports that are due for a user to the outbox, and plan the next ones."""
    receiver = ReportMail.objects.select_related("user").get(pk=report_mail_id)
    if may_get_reports(receiver.user):
        for message in _list_due(receiver):
            hand_to_user(message, receiver)
    _plan_next(receiver)


def send_to_chat(webhook_id: int) -> None:
    """Hand the reports that are due for a webhook to its posts, and plan the next ones."""
    webhook = ChatWebhook.objects.get(pk=webhook_id)
    if webhook.is_active:
        for message in _list_due(webhook):
            hand_to_chat(message, webhook)
    _plan_next(webhook)


def hand_to_user(message: ReportMessage, receiver: ReportMail) -> None:
    """Make the e-mail due, unless it was made before."""
    OutgoingMail.objects.get_or_create(
        key=f"report:{message.key}:{receiver.pk}",
        defaults={
            "kind": OutgoingMail.Kind.REPORT,
            "report_message": message,
            "report_mail": receiver,
            "language": message.language,
        },
    )


def hand_to_chat(message: ReportMessage, webhook: ChatWebhook) -> ChatPost:
    """Make the post due, unless it was made before."""
    post, _is_new = ChatPost.objects.get_or_create(message=message, webhook=webhook)
    return post


def _list_due(receiver: ReportReceiver) -> Iterator[ReportMessage]:
    now = timezone.now()
    for kind, is_wanted in (
        (ReportMessage.Kind.DAILY, receiver.daily),
        (ReportMessage.Kind.WEEKLY, receiver.weekly),
    ):
        moment = find_last_moment(kind, receiver.hour, at=now)
        if not is_wanted or moment <= receiver.chosen_at or now - moment > _LATEST:
            continue
        message = _write(kind, moment, now, find_language(receiver))
        if message is not None:
            yield message


def find_language(receiver: ReportReceiver) -> str:
    """Return the chosen language, or the site's if it was removed from LANGUAGES since."""
    known = dict(settings.LANGUAGES)
    return receiver.language if receiver.language in known else settings.LANGUAGE_CODE


def _write(
    kind: ReportMessage.Kind, moment: datetime, at: datetime, language: str
) -> ReportMessage | None:
    """Return the message of that moment, written now if it is the first; None if nothing ran."""
    key = f"{kind}:{moment.astimezone(timezone.get_default_timezone()):%Y-%m-%dT%H}:{language}"
    known = ReportMessage.objects.filter(key=key).first()
    if known is not None:
        return known
    campaigns = list_campaigns_of(moment, kind)
    if not campaigns:
        return None
    with override(language):
        content = describe_period(campaigns, kind, moment=moment, at=at, language=language)
    return write_message(key, kind, language, content)


def write_message(
    key: str, kind: ReportMessage.Kind, language: str, content: dict[str, object]
) -> ReportMessage:
    """Store a message, unless another worker was first; return it."""
    message, _is_new = ReportMessage.objects.get_or_create(
        key=key, defaults={"kind": kind, "language": language, "content": content}
    )
    return message


def _plan_next(receiver: ReportReceiver) -> None:
    # Not `save`: the choices may have changed since the row was read.
    type(receiver)._default_manager.filter(pk=receiver.pk, chosen_at=receiver.chosen_at).update(
        due_at=find_next_report(receiver, after=timezone.now())
    )


def clear_old_messages(*, at: datetime) -> None:
    """Empty what old reports say. Their rows stay, so that none is sent again."""
    old = ReportMessage.objects.filter(created_at__lte=at - _KEPT).exclude(content={})
    old.update(content={})
