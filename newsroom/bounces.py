"""Bounces and complaints that the e-mail provider reports by webhook, through anymail.

This module is loaded only if MAIL_PROVIDER is set. Anymail verifies the provider's signature or the
shared secret and sends a signal. This is the only signal receiver in the project.
"""

from typing import Any

from anymail import urls as anymail
from anymail.signals import AnymailTrackingEvent, EventType, tracking
from django.conf import settings
from django.dispatch import receiver
from django.utils import timezone

from campaigns import emails, tasks

BOUNCED = {EventType.BOUNCED, EventType.REJECTED, EventType.FAILED}
# People who mark an e-mail as spam, or unsubscribe at the provider, get no more reminders.
UNWANTED = {EventType.COMPLAINED, EventType.UNSUBSCRIBED}

urlpatterns = [
    pattern
    for pattern in anymail.urlpatterns
    if str(pattern.pattern).startswith(f"{settings.MAIL_PROVIDER}/")
    and "inbound" not in str(pattern.pattern)
]


@receiver(tracking, dispatch_uid="newsroom.bounces")
def record_report(sender: object, event: AnymailTrackingEvent, **_: Any) -> None:
    if event.event_type in UNWANTED and event.recipient:
        emails.stop_reminders(event.recipient)
    if event.event_type in BOUNCED:
        named = str((event.metadata or {}).get("mail", ""))
        if emails.record_bounce(
            mail_id=int(named) if named.isdecimal() else None,
            provider_id=event.message_id or "",
            at=event.timestamp or timezone.now(),
        ):
            tasks.hurry(*tasks.EFFECTS)
