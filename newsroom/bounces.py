"""What the mail provider tells of mails that came back, by its webhook, through anymail.

Only where MAIL_PROVIDER is set. Anymail checks the provider's signature or the shared secret, and
speaks by a signal of its own: this is the one place that listens.
"""

from typing import Any

from anymail import urls as anymail
from anymail.signals import AnymailTrackingEvent, EventType, tracking
from django.conf import settings
from django.dispatch import receiver
from django.utils import timezone

from campaigns import emails, tasks

CAME_BACK = {EventType.BOUNCED, EventType.REJECTED, EventType.FAILED}
# Whoever calls our mail spam, or unsubscribes at the provider, gets no reminders.
WANT_NO_MORE = {EventType.COMPLAINED, EventType.UNSUBSCRIBED}

urlpatterns = [
    pattern
    for pattern in anymail.urlpatterns
    if str(pattern.pattern).startswith(f"{settings.MAIL_PROVIDER}/")
    and "inbound" not in str(pattern.pattern)
]


@receiver(tracking, dispatch_uid="newsroom.bounces")
def note_what_came_back(sender: object, event: AnymailTrackingEvent, **_: Any) -> None:
    if event.event_type in WANT_NO_MORE and event.recipient:
        emails.stop_reminders(event.recipient)
    if event.event_type in CAME_BACK:
        named = str((event.metadata or {}).get("mail", ""))
        if emails.record_bounce(
            mail_id=int(named) if named.isdecimal() else None,
            provider_id=event.message_id or "",
            at=event.timestamp or timezone.now(),
        ):
            tasks.run_soon(tasks.do_what_followed)
