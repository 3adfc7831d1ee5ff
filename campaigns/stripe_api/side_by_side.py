"""Several calls at once: a settlement of one sale reads some lists that don't need each other."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import lru_cache
from os import getpid
from typing import TypeVar

from campaigns.stripe_api.budget import Batch, current_batch, pause, take_calls, wait_for_turn
from campaigns.stripe_api.connection import translated

Answer = TypeVar("Answer")

_THREADS = 32  # in each process, started as they are needed


@lru_cache(maxsize=1)
def _start_threads(process_id: int) -> ThreadPoolExecutor:
    # Once for each process: threads don't survive a fork.
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="stripe")


@translated
def call_together(*calls: Callable[[], Answer]) -> list[Answer]:
    """Make calls side by side and return their answers in order; raises the first error.

    The calls must not use the database, because their threads would keep connections. So their
    turns in the budget are taken before they start, and those of further pages afterwards.
    """
    if len(calls) < 2:
        return [call() for call in calls]
    wait_for_turn(len(calls))
    batch = Batch()
    token = current_batch.set(batch)
    try:
        threads = _start_threads(getpid())
        futures = [threads.submit(copy_context().run, call) for call in calls[1:]]
        try:
            first = calls[0]()
        finally:
            errors = [future.exception() for future in futures]  # waits for all
    finally:
        current_batch.reset(token)
        if batch.pause:
            pause(batch.pause)
        take_calls(max(batch.calls - len(calls), 0))
    if (error := next(filter(None, errors), None)) is not None:
        raise error
    return [first, *(future.result() for future in futures)]
