"""Merge two records of one person."""

from django.contrib.auth.models import User

from campaigns import members
from campaigns.members import MergeRefused, Rehearsal
from campaigns.models import Member


def rehearse_merge(*, kept: Member, gone: Member) -> Rehearsal:
    """Return what a merge would change, without changing anything. Raises MergeRefused."""
    return members.rehearse_merge(kept=kept, gone=gone)


def merge_members(*, kept: Member, gone: Member, by: User | None = None, why: str = "") -> None:
    """Merge `gone` into `kept`, recount that person and publish. It can't be undone.

    The person is known by the address of `kept`, and still found by that of `gone`. Raises
    MergeRefused.
    """
    members.merge_members(kept=kept, gone=gone, by=by, why=why)


__all__ = ["MergeRefused", "Rehearsal", "merge_members", "rehearse_merge"]
