"""The job that carries erasures out, step by step.

Every step can be repeated: after an error of Stripe or a crash, an erasure continues with the
first step that is not done.
"""

from datetime import timedelta

from django.utils import timezone

from campaigns import settlement, stripe_api
from campaigns.erasures import events, requests, rows, stripe_data, traces
from campaigns.models import Erasure

_SOON = timedelta(seconds=10)
_LONGEST_PAUSE = timedelta(hours=1)
_TIME_LIMIT = timedelta(seconds=10)


class _NotYet(Exception):
    """Nothing went wrong; the erasure continues after `pause`."""

    def __init__(self, pause: timedelta = _SOON) -> None:
        super().__init__(str(pause))
        self.pause = pause


def carry_out_erasure(erasure_id: int) -> bool:
    """Continue a claimed erasure as far as possible; return whether it is done.

    Stripe's errors are noted and tried again later, not raised.
    """
    erasure = Erasure.objects.select_related("member").get(pk=erasure_id)
    if erasure.due_at is None:
        return erasure.done_at is not None
    claimed = Erasure.objects.filter(pk=erasure_id, due_at=erasure.due_at)
    try:
        _take_steps(erasure)
    except _NotYet as error:
        claimed.update(due_at=timezone.now() + error.pause, error="")
        return False
    except Exception as error:
        # Only the kind of error is kept: its message may hold an address.
        claimed.update(
            due_at=timezone.now() + _pause_after(erasure.attempts),
            error=type(error).__name__,
        )
        if isinstance(error, stripe_api.StripeError | settlement.SettlementBusy):
            return False
        raise
    return bool(claimed.update(due_at=None, done_at=timezone.now(), error=""))


def _pause_after(attempts: int) -> timedelta:
    return min(_SOON * 2.0 ** min(attempts, 12), _LONGEST_PAUSE)


def _take_steps(erasure: Erasure) -> None:
    if not erasure.events_read_to:
        stripe_data.end_purchases(erasure.member)
        stripe_data.delete_customers(erasure.member)
        _strip_rows(erasure)
    if not events.strip_events(erasure, until=timezone.now() + _TIME_LIMIT):
        raise _NotYet


def _strip_rows(erasure: Erasure) -> None:
    if erasure.member.erased_at is not None:
        return
    now = timezone.now()
    if requests.needs_address(erasure, at=now):
        raise _NotYet(_pause_after(erasure.attempts))
    traces.forget_mentions(traces.find_traces(erasure.member))
    try:
        rows.strip_rows(erasure.member_id, at=now)
    except rows.StillOpen as error:  # a new purchase: the next attempt ends it first
        raise _NotYet from error
