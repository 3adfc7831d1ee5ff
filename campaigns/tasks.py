"""Celery tasks: each takes ids and calls one function.

Nothing depends on a message: due work is a column in the database, and the sweep finds it.
A message only makes it happen sooner.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache, partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

import structlog
from celery import Task, shared_task
from django.db import transaction
from django.utils import timezone

from campaigns import (
    actions,
    banners,
    emails,
    erasures,
    gifts,
    members,
    memberships,
    progress,
    settlement,
    stripe_api,
    webhooks,
)

log = structlog.get_logger(__name__)

Id = TypeVar("Id")

# A sweep works this long on one job. The rest stays due for the next sweep.
TURN = timedelta(seconds=15)
EVENTS_A_MESSAGE = 20
MESSAGE_PAUSE = 0.05  # seconds
_waiting: "SimpleQueue[str]" = SimpleQueue()


def run_soon(task: "Task[Any, Any]", *args: object) -> None:
    """Ask a worker to run a task right after the commit, instead of at the next sweep.

    Without a broker nothing is lost and nobody waits: the sweep finds the work.
    """
    transaction.on_commit(lambda: _send(task, *args), robust=True)


def run_event_soon(event_id: str) -> None:
    """Ask a worker to process an event; a thread sends the message, so that Stripe doesn't wait.

    Events that arrive while a message is being sent share the next one, so a burst needs few.
    """

    def hand_over() -> None:
        _waiting.put(event_id)
        _start_messenger(os.getpid())

    transaction.on_commit(hand_over, robust=True)


@lru_cache(maxsize=1)
def _start_messenger(process_id: int) -> None:
    # Once for each process: threads don't survive a fork.
    Thread(target=_send_messages, name="messenger", daemon=True).start()


def _send_messages() -> None:
    while True:
        event_ids = [_waiting.get()]
        with suppress(Empty):
            while len(event_ids) < EVENTS_A_MESSAGE:
                event_ids.append(_waiting.get_nowait())
        if not _send(work_on_event, *event_ids):
            with suppress(Empty):  # the sweep finds them; here they would pile up
                while True:
                    _waiting.get_nowait()
        time.sleep(MESSAGE_PAUSE)


def _send(task: "Task[Any, Any]", *args: object) -> bool:
    try:
        task.apply_async(args, retry=False)
    except Exception as error:  # every transport has its own errors
        log.warning("broker_unreachable", task=task.name, error=type(error).__name__)
        return False
    return True


def _for_a_turn(due: Iterable[Id]) -> Iterator[Id]:
    """Yield due items until the turn is over, so that a long queue doesn't delay other jobs."""
    ends_at = timezone.now() + TURN
    for item in due:
        if timezone.now() >= ends_at:
            return
        yield item


def _work_through(kind: str, due: Iterable[Id], work: Callable[[Id], object]) -> None:
    """Run one job for a turn; an error with one item doesn't stop the others."""
    for item in _for_a_turn(due):
        try:
            work(item)
        except Exception:
            log.exception("sweep_failed", kind=kind, id=str(item)[:8])


@shared_task(ignore_result=True)
def work_on_event(*event_ids: str) -> None:
    settled = [webhooks.work_on_event(event_id) for event_id in event_ids]
    if any(settled):
        send_and_publish()


@shared_task(ignore_result=True)
def send_and_publish() -> None:
    """Send due e-mails, then publish the banners of campaigns that changed."""
    now = timezone.now()
    gifts.record_bounces()
    due_mails = emails.list_due_mails(at=now)
    delivered = [emails.deliver_mail(mail_id) for mail_id in _for_a_turn(due_mails)]
    gifts.record_deliveries()
    if delivered:
        gifts.record_bounces()
    for campaign in banners.list_campaigns_to_publish(at=now):
        try:
            banners.publish_campaign(campaign.pk)
        except Exception:  # its last good banner stays, and the next campaign is published
            log.exception("campaign_unpublished", campaign=campaign.slug)


@shared_task(ignore_result=True)
def recount() -> None:
    """Recount campaigns for a turn; the next sweep starts another while some are left."""
    until = timezone.now() + TURN
    for campaign_id in progress.list_due_recounts(at=timezone.now()):
        try:
            if progress.continue_recount(campaign_id, until=until):
                banners.request_publishing(campaign_id)
                run_soon(send_and_publish)
        except Exception:  # it continues from there next time
            log.exception("recount_failed", campaign=campaign_id)


@shared_task(ignore_result=True)
def sweep() -> None:
    """Run every job that is due. Runs every 15 seconds."""
    now = timezone.now()
    if progress.list_due_recounts(at=now):
        run_soon(recount)  # a task of its own: it can take minutes
    for event_id in _for_a_turn(webhooks.list_due_events(at=now)):
        webhooks.work_on_event(event_id)
    for checkout_id in _for_a_turn(settlement.claim_due_checkouts(at=now)):
        try:
            settlement.settle_checkout(checkout_id)
        except (stripe_api.StripeError, settlement.SettlementBusy) as error:
            log.warning("checkout_unsettled", checkout=str(checkout_id)[:8], error=str(error))
        except Exception:  # one Checkout must not stop the others
            log.exception("checkout_unsettled", checkout=str(checkout_id)[:8])
    _work_through("refund_order", actions.claim_refund_orders(at=now), actions.execute_refund_order)
    _work_through("stripe_sale", actions.claim_stripe_sales(at=now), actions.adopt_due_sale)
    memberships.lapse_memberships(at=now)
    _work_through("gift", gifts.claim_due_gifts(at=now), partial(gifts.take_steps, at=now))
    due_pushes = memberships.claim_charge_moves(at=now)
    _work_through("next_charge", due_pushes, partial(memberships.move_charge, at=now))
    due_changes = members.claim_address_changes(at=now)
    _work_through("address_change", due_changes, partial(members.make_change, at=now))
    due_at_stripe = members.claim_customer_updates(at=now)
    _work_through("customer", due_at_stripe, partial(members.sync_customer, at=now))
    _work_through("erasure", erasures.claim_erasures(at=now), erasures.carry_out_erasure)
    send_and_publish()
    old_events = webhooks.list_old_events(at=now)
    _work_through("old_event", old_events, partial(webhooks.strip_event, at=now))
    members.delete_old_links(at=now)
    members.delete_old_changes(at=now)


# Acknowledged at once: a broker would give it to a second worker long before it ends. If it stops
# early, the next night continues, since no cursor moves before the end.
@shared_task(ignore_result=True, acks_late=False, soft_time_limit=1200, time_limit=1260)
def reconcile() -> None:
    """Compare our figures with Stripe's, as `manage.py reconcile` does, and log the result."""
    try:
        caught_up = webhooks.catch_up()
        report = settlement.reconcile()
    except stripe_api.StripeError as error:
        log.warning("reconcile_unfinished", error=str(error))
        return
    write = log.info if report.is_equal else log.error
    write(
        "reconciled" if report.is_equal else "figures_differ_from_stripe",
        events_missed=caught_up.missed,
        movements=report.movements,
        imported=report.imported.count,
        corrected=report.corrected.count,
        missing_here=report.missing_here.count,
        missing_there=report.missing_there.count,
        different=report.different.count,
        not_ours=report.not_ours.count,
    )
