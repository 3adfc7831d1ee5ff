"""The sandbox's own time, in whole epoch seconds.

It runs with the wall clock until a test stops it at a moment or moves it ahead. Webhook
signatures alone
use the wall clock, because their receiver does.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from newsroom.sandbox.models import Standing


class _Moment(threading.local):
    at: int | None = None


_moment = _Moment()
_standing: Standing | None = None


def load_standing() -> Standing:
    """The one row, read once: this process is the only one that writes it."""
    global _standing
    if _standing is None:
        _standing, _ = Standing.objects.get_or_create(pk=1)
    return _standing


def now() -> int:
    if _moment.at is not None:
        return _moment.at
    standing = load_standing()
    if standing.frozen_at is not None:
        return standing.frozen_at
    return int(time.time()) + standing.offset


def is_frozen() -> bool:
    return load_standing().frozen_at is not None


@contextmanager
def standing_at(moment: int) -> Iterator[None]:
    """What falls due while the clock jumps ahead happens at its own time, not at the end of the
    jump.
    """
    before = _moment.at
    _moment.at = moment
    try:
        yield
    finally:
        _moment.at = before


def freeze(moment: int) -> None:
    standing = load_standing()
    standing.frozen_at, standing.offset = moment, 0
    standing.save()


def advance(seconds: int) -> None:
    """A stopped clock stays stopped, a running one runs on from the later time."""
    standing = load_standing()
    if standing.frozen_at is not None:
        standing.frozen_at += seconds
    else:
        standing.offset += seconds
    standing.save()


def release() -> None:
    """Back to the wall clock."""
    standing = load_standing()
    standing.frozen_at, standing.offset = None, 0
    standing.save()
