"""Faults: failures that a test or a demonstration asks for."""

import fnmatch
from dataclasses import dataclass

from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.models import Fault

API_KINDS = frozenset({"delay", "error", "lose_answer"})
WEBHOOK_KINDS = frozenset({"delay", "duplicate", "reorder", "drop", "hold", "error"})


@dataclass
class _Table:
    """Remembers that there are no faults, so that most requests need no query for them."""

    may_have_rows: bool = True


_table = _Table()


def add_fault(
    target: str, *, match: str, kind: str, seconds: float = 0, status: int = 500, times: int = 1
) -> Fault:
    kinds = {"api": API_KINDS, "webhook": WEBHOOK_KINDS}.get(target)
    if kinds is None:
        raise ApiError("target must be api or webhook", param="target")
    if kind not in kinds:
        raise ApiError(f"kind must be one of {', '.join(sorted(kinds))}", param="kind")
    _table.may_have_rows = True
    return Fault.objects.create(
        target=target, match=match, kind=kind, seconds=seconds, status=status, times=times
    )


def take_matching_faults(target: str, subject: str) -> list[Fault]:
    """Return the faults that match `subject`, and count each down.

    A fault's `match` is a prefix, or a pattern with * and ?.
    """
    matching = []
    for fault in Fault.objects.filter(target=target).exclude(times=0).order_by("pk"):
        if subject.startswith(fault.match) or fnmatch.fnmatchcase(subject, fault.match):
            matching.append(fault)
            if fault.times > 0:
                fault.times -= 1
                fault.save(update_fields=["times"])
    return matching


def remove_faults() -> int:
    """Remove all faults and return their number. Call it in a write transaction."""
    removed, _ = Fault.objects.all().delete()
    _table.may_have_rows = False
    return removed


def has_faults(target: str) -> bool:
    return _table.may_have_rows and Fault.objects.filter(target=target).exclude(times=0).exists()
