"""The allowed changes of state. Each model with a state lists them in its MOVES."""

from collections.abc import Collection, Mapping
from typing import TypeVar

from django.db.models import TextChoices
from django.utils.translation import gettext
from django_stubs_ext import StrOrPromise

State = TypeVar("State", bound=TextChoices)


class ForbiddenMove(Exception):
    """Raised for a change that the state of a row doesn't allow.

    Its str() is a full sentence in the reader's language. `old` and `new` are the states, if the
    change was one of state.
    """

    def __init__(self, message: StrOrPromise = "", *, old: str = "", new: str = "") -> None:
        super().__init__(message)
        self.old, self.new = old, new


def check_move(moves: Mapping[State, Collection[State]], *, old: str, new: State) -> None:
    """Raise ForbiddenMove unless `new` may follow `old`; keeping the state is always allowed."""
    if new != old and old not in states_before(moves, new):
        raise forbid_move(old=type(new)(old), new=new)


def forbid_move(*, old: TextChoices, new: TextChoices) -> ForbiddenMove:
    """Return the exception for a change from `old` to `new`, in the active language."""
    sentence = gettext("The status can’t change from “%(old)s” to “%(new)s”.")
    return ForbiddenMove(sentence % {"old": old.label, "new": new.label}, old=old, new=new)


def states_before(moves: Mapping[State, Collection[State]], new: State) -> list[State]:
    """Return the states that `new` may follow: the condition of an update that changes rows."""
    return [old for old, following in moves.items() if new in following]
