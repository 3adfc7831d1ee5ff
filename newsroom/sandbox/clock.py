"""The sandbox's own time, in whole epoch seconds.

It follows the wall clock until a test freezes it or moves it ahead. Webhook signatures always use
the wall clock, because the receiver checks them by its own.
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
    """Return the sandbox's one row of state. It is read once: no other process writes it."""
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
    """Pretend that it is `moment`, for work that is due while the clock jumps ahead."""
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
    """Move the clock ahead. A frozen clock stays frozen; a running one keeps running."""
    state = load_state()
    if state.frozen_at is not None:
        state.frozen_at += seconds
    else:
        state.offset += seconds
    state.save()


def use_wall_clock() -> None:
    """Undo `freeze` and `advance`."""
    state = load_state()
    state.frozen_at, state.offset = None, 0
    state.save()
