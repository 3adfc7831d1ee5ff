"""The sandbox's own time, in whole epoch seconds.

It runs with the wall clock until a test stops it at a moment or moves it ahead. Webhook
signatures alone
use the wall clock, because their receiver does.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from newsroom.sandbox.models import SandboxState


class _Moment(threading.local):
    at: int | None = None


_moment = _Moment()
_state: SandboxState | None = None


def load_state() -> SandboxState:
    """The one row, read once: this process is the only one that writes it."""
    global _state
    if _state is None:
        _state, _ = SandboxState.objects.get_or_create(pk=1)
    return _state


def now() -> int:
    if _moment.at is not None:
        return _moment.at
    state = load_state()
    if state.frozen_at is not None:
        return state.frozen_at
    return int(time.time()) + state.offset


def is_frozen() -> bool:
    return load_state().frozen_at is not None


@contextmanager
def set_moment(moment: int) -> Iterator[None]:
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
    state = load_state()
    state.frozen_at, state.offset = moment, 0
    state.save()


def advance(seconds: int) -> None:
    """A stopped clock stays stopped, a running one runs on from the later time."""
    state = load_state()
    if state.frozen_at is not None:
        state.frozen_at += seconds
    else:
        state.offset += seconds
    state.save()


def use_wall_clock() -> None:
    """Back to the wall clock."""
    state = load_state()
    state.frozen_at, state.offset = None, 0
    state.save()
