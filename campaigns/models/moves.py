"""Which state may follow which. Each model with a state says so in its MOVES; only those hold."""

from collections.abc import Collection, Mapping
from typing import TypeVar

State = TypeVar("State", bound=str)


class ForbiddenMove(Exception):
    """A state was to change in a way that its model's MOVES do not allow."""


def check_move(moves: Mapping[State, Collection[State]], *, old: str, new: State) -> None:
    """Raise ForbiddenMove unless `new` may follow `old`; staying is always allowed."""
    if new != old and old not in states_before(moves, new):
        raise ForbiddenMove(f"from {old} to {new}")


def states_before(moves: Mapping[State, Collection[State]], new: State) -> list[State]:
    """The states from which `new` can be reached: the condition of an update that moves rows."""
    return [old for old, following in moves.items() if new in following]
