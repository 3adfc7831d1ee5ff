"""Work on the database beside the posts, in a thread of its own, one piece after the other.

The caller leaves its connection to that thread and uses the database only through it, so that both
together have no more than one.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, Self, TypeVar

from django.db import connection, connections

Params = ParamSpec("Params")
Result = TypeVar("Result")


class Background:
    """Runs what is submitted in its order. Inside a transaction it runs at once instead."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        if not connection.in_atomic_block:
            connection.close()
            self._pool = ThreadPoolExecutor(max_workers=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.submit(connections.close_all)
            self._pool.shutdown()

    def submit(
        self, work: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs
    ) -> "Future[Result]":
        if self._pool is not None:
            return self._pool.submit(work, *args, **kwargs)
        done: Future[Result] = Future()
        done.set_result(work(*args, **kwargs))
        return done
