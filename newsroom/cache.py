"""A cache in files that counts right when several processes count together."""

import fcntl
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache


class CountingFileCache(FileBasedCache):
    """Django's own reads, adds and writes in two steps, and a count prolongs its entry's life.

    Here both steps stand under one lock, and what is counted ends when it was to end.
    """

    # The parent's own, which its type stubs leave out.
    _dir: str
    _createdir: Callable[[], None]
    _key_to_file: Callable[[Any, Any], str]

    def add(
        self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: Any = None
    ) -> bool:
        with self._counting():
            return bool(super().add(key, value, timeout, version))

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        with self._counting():
            count = self.get(key, version=version)
            if count is None:
                raise ValueError(f"Key {key!r} not found")
            count += delta
            self.set(key, count, self._seconds_left(key, version), version)
            return int(count)

    def _seconds_left(self, key: Any, version: Any) -> float | None:
        # The file begins with the time of its end, or None for never.
        with suppress(OSError), Path(self._key_to_file(key, version)).open("rb") as entry:
            ends_at = pickle.load(entry)  # noqa: S301 - written by this cache
            return None if ends_at is None else max(0.0, float(ends_at) - time.time())
        return 0.0

    @contextmanager
    def _counting(self) -> Iterator[None]:
        self._createdir()
        with (Path(self._dir) / "counting.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
