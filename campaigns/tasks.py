"""Celery's doors: each takes ids and calls one function.

No message is needed for anything: whatever is due stands in a column, and the sweep finds it.
A message only hurries it.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import structlog
from celery import Task, shared_task
from django.db import transaction
from django.utils import timezone

from campaigns import banners, emails, gifts, memberships, settlement, stripe_api, webhooks

log = structlog.get_logger(__name__)

Id = TypeVar("Id")

# After so long a sweep turns to its next duty; what is left is the next sweep's, due as before.
TURN = timedelta(seconds=15)


def hurry(task: "Task[Any, Any]", *args: object) -> None:
    """Ask a worker to do now, after the commit, what the sweep would do soon.

    Without a broker nothing is lost and nobody waits: the sweep finds the work by itself.
    """

    def send() -> None:
        try:
            task.apply_async(args, retry=False)
        except Exception as error:  # every transport has errors of its own
            log.warning("broker_unreachable", task=task.name, error=type(error).__name__)

    transaction.on_commit(send, robust=True)


def _for_a_turn(due: Iterable[Id]) -> Iterator[Id]:
    """As many of them as a turn allows, so that a long queue of one kind holds up no other."""
    over = timezone.now() + TURN
    for each in due:
        if timezone.now() >= over:
            return
        yield each


@shared_task(ignore_result=True)
def work_on_event(event_id: str) -> None:
    if webhooks.work_on_event(event_id) is not None:
        do_what_followed()


@shared_task(ignore_result=True)
def settle_checkout(checkout_id: str) -> None:
    settlement.settle_checkout(UUID(checkout_id))
    do_what_followed()


@shared_task(ignore_result=True)
def do_what_followed() -> None:
    """The effects of a commit, each claimed by a column: mails, then banners."""
    now = timezone.now()
    owed = emails.due_mail_ids(at=now)
    delivered = [emails.deliver_mail(mail_id) for mail_id in _for_a_turn(owed)]
    if any(delivered):
        gifts.note_deliveries()
    for campaign in banners.due_campaigns(at=now):
        banners.publish_campaign(campaign.pk)


@shared_task(ignore_result=True)
def sweep() -> None:
    """Every 15 s: all that is due, whoever forgot it."""
    now = timezone.now()
    for event_id in _for_a_turn(webhooks.due_event_ids(at=now)):
        webhooks.work_on_event(event_id)
    for checkout_id in _for_a_turn(settlement.due_checkout_ids(at=now)):
        try:
            settlement.settle_checkout(checkout_id)
        except (stripe_api.StripeError, settlement.SettlementBusy) as error:
            log.warning("checkout_unsettled", checkout=str(checkout_id), error=str(error))
    memberships.lapse_memberships(at=now)
    do_what_followed()
