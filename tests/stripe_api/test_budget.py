"""The limit on calls to Stripe: one for all processes, readers first, pauses honoured."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from django.conf import LazySettings
from django.db import transaction

from campaigns import stripe_api
from campaigns.models import Campaign, StripeBudget
from campaigns.stripe_api import budget
from newsroom.sandbox.control import SandboxControl
from tests.support.threads import race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@contextmanager
def timed() -> Iterator[list[float]]:
    took: list[float] = []
    started = time.monotonic()
    yield took
    took.append(time.monotonic() - started)


def make_calls(times: int) -> None:
    for _ in range(times):
        budget.wait_for_turn()


def test_all_workers_together_keep_to_the_budget(settings: LazySettings) -> None:
    settings.STRIPE_CALLS_PER_SECOND = 50
    with timed() as took:
        assert race(*[partial(make_calls, 20)] * 4) == [None] * 4
    # 80 calls at 50 a second, of which the first half second's may be made at once.
    assert 1.0 <= took[0] <= 3.0
    assert StripeBudget.objects.count() == 1


def test_a_reader_goes_ahead_of_waiting_workers(settings: LazySettings) -> None:
    settings.STRIPE_CALLS_PER_SECOND = 10
    budget.take_calls(20)  # workers have taken the next two seconds
    with timed() as took, stripe_api.readers_first():
        budget.wait_for_turn()
    assert took[0] < 0.5
    with timed() as took:
        budget.wait_for_turn()
    assert took[0] >= 1.0


def test_no_limit_and_no_transaction_take_nothing(settings: LazySettings) -> None:
    settings.STRIPE_CALLS_PER_SECOND = 0
    budget.wait_for_turn()
    settings.STRIPE_CALLS_PER_SECOND = 10
    with transaction.atomic():
        budget.wait_for_turn()
    assert not StripeBudget.objects.exists()


def test_a_refusal_for_too_many_calls_pauses_workers_and_not_readers(
    settings: LazySettings, campaign: Campaign, sandbox: SandboxControl
) -> None:
    settings.STRIPE_CALLS_PER_SECOND = 1000
    sandbox.add_fault("api", match="GET /v1/charges", kind="error", status=429)
    with pytest.raises(stripe_api.StripeUnavailable):
        stripe_api.fetch_charge("ch_1")
    with timed() as took, stripe_api.readers_first(), pytest.raises(stripe_api.StripeRefused):
        stripe_api.fetch_charge("ch_1")
    assert took[0] < 0.7
    with timed() as took, pytest.raises(stripe_api.StripeRefused):
        stripe_api.fetch_charge("ch_1")
    assert 0.2 <= took[0] <= 2


@pytest.mark.parametrize(
    ("answered", "seconds"),
    [
        ({}, 1),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0"}, 1),
        ({"Retry-After": "99999"}, 300),
        ({"Retry-After": "nan"}, 1),
        ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, 1),
    ],
)
def test_the_pause_is_what_stripe_asks_for_within_reason(
    answered: dict[str, str], seconds: float
) -> None:
    assert budget.read_pause(answered) == seconds


def test_a_worker_does_not_sleep_through_a_long_pause(settings: LazySettings) -> None:
    settings.STRIPE_CALLS_PER_SECOND = 1000
    budget.pause(60)
    with timed() as took, pytest.raises(stripe_api.StripeUnavailable):
        stripe_api.fetch_charge("ch_1")
    assert took[0] < 1
    with pytest.raises(stripe_api.StripeUnavailable):
        stripe_api.call_together(lambda: 1, lambda: 2)


def test_calls_side_by_side_take_their_turns_and_pauses(
    settings: LazySettings, campaign: Campaign, sandbox: SandboxControl
) -> None:
    settings.STRIPE_CALLS_PER_SECOND = 10
    sandbox.add_fault("api", match="GET /v1/disputes", kind="delay", seconds=1, times=3)
    with timed() as took:
        answers = stripe_api.call_together(*[partial(stripe_api.list_disputes, "ch_none")] * 3)
    assert answers == [[], [], []]
    assert took[0] < 2.5
    assert StripeBudget.objects.get().next_at > 0
    sandbox.add_fault("api", match="GET /v1/disputes", kind="error", status=429, times=2)
    with pytest.raises(stripe_api.StripeUnavailable):
        stripe_api.call_together(*[partial(stripe_api.list_disputes, "ch_none")] * 2)
    row = StripeBudget.objects.get()
    assert row.paused_until > row.next_at
