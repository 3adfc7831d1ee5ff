"""Ghost: people with access here have complimentary access in the newspaper's own Ghost.

api       calls of Ghost's Admin API, and what it answers
site      Ghost as a whole: its tier, and when it needs a rest
plans     what to change for one person; compares, and changes nothing
members   the job: bring one person in Ghost in line with us
drift     compare all people with Ghost, every night and by `manage.py sync_ghost`

Everything that changes access makes the person's row due (`GhostMember.objects.note_changes`). The
job reads the access when it writes, so changes can't overtake each other. Only what came from us is
ever changed in Ghost.
"""

from campaigns.ghost.api import (
    ERRORS,
    GhostDown,
    GhostRefused,
    GhostRefusesKey,
    GhostUnusable,
    is_connected_to_stripe,
    make_token,
    read_key,
)
from campaigns.ghost.drift import Comparison, compare_with_ghost
from campaigns.ghost.members import select_due_members, sync_member
from campaigns.ghost.site import explain, find_trouble, is_in_use, stop_resting

__all__ = [
    "ERRORS",
    "Comparison",
    "GhostDown",
    "GhostRefused",
    "GhostRefusesKey",
    "GhostUnusable",
    "compare_with_ghost",
    "explain",
    "find_trouble",
    "is_connected_to_stripe",
    "is_in_use",
    "make_token",
    "read_key",
    "select_due_members",
    "stop_resting",
    "sync_member",
]
