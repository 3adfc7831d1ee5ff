"""Endpoints: their secrets, resuming one that was paused, and testing one."""

import time
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from campaigns import outgoing_addresses, outgoing_requests
from campaigns.deliveries.event_types import TEST_EVENT
from campaigns.deliveries.outbox import OF_ERASURE
from campaigns.deliveries.sending import HEADERS, TIME_LIMIT_SECONDS
from campaigns.deliveries.signatures import make_headers
from campaigns.models import OutgoingEvent, WebhookDelivery, WebhookEndpoint
from campaigns.models.webhook import make_webhook_secret

# Time for the receiver to change over to the new secret.
ROTATION = timedelta(days=1)


def rotate_secret(endpoint: WebhookEndpoint) -> bool:
    """Give the endpoint a new secret; the old one signs as well for a day.

    Return False if someone else has just replaced it: doing so again would end the secret that
    the receiver still knows.
    """
    known = WebhookEndpoint.objects.filter(pk=endpoint.pk, secret=endpoint.secret)
    replaced = known.update(
        old_secret=F("secret"),
        old_secret_until=timezone.now() + ROTATION,
        secret=make_webhook_secret(),
    )
    return bool(replaced)


def resume_endpoints(endpoint_ids: Iterable[int]) -> int:
    """Resume paused endpoints and deliver their events; return how many were paused."""
    paused = WebhookEndpoint.objects.filter(pk__in=list(endpoint_ids), paused_at__isnull=False)
    resumed = list(paused.values_list("pk", flat=True))
    waiting = WebhookDelivery.objects.filter(endpoint__in=resumed, due_at__isnull=False)
    waiting.update(due_at=timezone.now(), attempts=0)
    return paused.filter(pk__in=resumed).update(
        paused_at=None, paused_for="", failing_since=None, failures=0, rests_until=None
    )


def resend_deliveries(delivery_ids: Iterable[int]) -> int:
    """Make deliveries due again, delivered or not, with the same ID; return how many.

    About a person who asked to be erased, only the erasure itself is repeated.
    """
    rows = WebhookDelivery.objects.filter(pk__in=list(delivery_ids))
    return rows.filter(OF_ERASURE | Q(member__erasure=None)).update(
        due_at=timezone.now(), attempts=0, delivered_at=None, failed_at=None
    )


def send_test(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Send a test event now and log it; return its delivery, which isn't repeated by itself.

    It is sent to endpoints that are off or paused, too, and leaves their state as it is. It takes
    ten seconds at most once the server's address is found.
    """
    event = OutgoingEvent(type=TEST_EVENT, data={"endpoint": endpoint.name})
    delivery = WebhookDelivery(endpoint=endpoint, event=event, due_at=None, attempts=1)
    now, started = timezone.now(), time.monotonic()
    body = event.body
    secrets = endpoint.list_secrets(at=now)
    headers = make_headers(event.message_id, body, secrets=secrets, at=now) | HEADERS
    try:
        target = outgoing_addresses.find_target(endpoint.url)
        answer = outgoing_requests.post(target, body, headers=headers, seconds=TIME_LIMIT_SECONDS)
    except (outgoing_addresses.RefusedAddress, outgoing_addresses.Unreachable) as error:
        delivery.error = str(error)[:200]
    else:
        delivery.status = answer.status
        delivery.answer = answer.text.replace("\0", "")  # PostgreSQL stores no NUL
        delivery.delivered_at = timezone.now() if answer.is_accepted else None
    delivery.attempted_at = timezone.now()
    delivery.milliseconds = int((time.monotonic() - started) * 1000)
    with transaction.atomic():
        event.save()
        delivery.save()
    return delivery
