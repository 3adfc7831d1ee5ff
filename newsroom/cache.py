"""A file cache with correct counters when several processes use it at once."""

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
    """Django's file cache with a lock around each change of a counter.

    Django reads and writes a counter in two steps, so two processes can lose a count, and each
    count extends the entry's lifetime. Here the lock covers both steps and the lifetime stays.
    """

    # Attributes of the base class that its type stubs don't list.
    _dir: str
    _createdir: Callable[[], None]
    _key_to_file: Callable[[Any, Any], str]

    def add(
        self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: Any = None
    ) -> bool:
        with self._locked():
            return bool(super().add(key, value, timeout, version))

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        with self._locked():
            count = self.get(key, version=version)
            if count is None:
                raise ValueError(f"Key {key!r} not found")
            count += delta
            self.set(key, count, self._seconds_left(key, version), version)
            return int(count)

    def _seconds_left(self, key: Any, version: Any) -> float | None:
        # The file begins with the time at which the entry expires, or None.
        with suppress(OSError), Path(self._key_to_file(key, version)).open("rb") as entry:
            ends_at = pickle.load(entry)  # noqa: S301 - written by this cache
            return None if ends_at is None else max(0.0, float(ends_at) - time.time())
        return 0.0

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._createdir()
        with (Path(self._dir) / "counting.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
