"""Threads that start at the same time, each with its own database connection."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import connections

TIMEOUT = 120.0  # seconds
Item = TypeVar("Item")


def race(*works: Callable[[], object]) -> list[object]:
    """Run the functions at the same time. Return their results or exceptions, in order."""
    outcomes: list[object] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(position: int) -> None:
        try:
            start.wait(TIMEOUT)
            outcomes[position] = works[position]()
        except Exception as error:  # the test checks it
            outcomes[position] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(position,)) for position in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
    assert not any(thread.is_alive() for thread in threads), "a thread didn't finish"
    return outcomes


def race_through(
    items: Sequence[Item], work: Callable[[Item], object], *, threads: int
) -> list[Exception]:
    """Let every thread work on all items in the same order. Return the exceptions."""

    def run() -> list[Exception]:
        raised: list[Exception] = []
        for item in items:
            try:
                work(item)
            except Exception as error:  # the test checks it
                raised.append(error)
        return raised

    raised_by: list[list[Exception]] = []
    for outcome in race(*[run] * threads):
        assert isinstance(outcome, list), outcome
        raised_by.append(outcome)
    return [error for raised in raised_by for error in raised]
