"""3 Stripe's objects become our rows: the one road for webhooks, thank-you page and sweeps.

Nothing is taken from an event but the hint where to look. Settling a Checkout reads everything
that Stripe has of it, then writes it under the Checkout's lock, unless another settlement wrote
in between: then what was read may be older than what stands, and it is read again. So every order
and repetition of hints ends in the same rows.
"""

from campaigns.settlement.drift import Figures, Group, Reconciliation
from campaigns.settlement.finding import Found, find_checkout
from campaigns.settlement.reading import Snapshot, read_snapshot
from campaigns.settlement.reconciling import find_start, move_cursor, reconcile
from campaigns.settlement.settling import (
    LEASE,
    SettlementBusy,
    claim_due_checkouts,
    next_settlement_at,
    settle_checkout,
    settle_object,
    write_snapshot,
)

__all__ = [
    "LEASE",
    "Figures",
    "Found",
    "Group",
    "Reconciliation",
    "SettlementBusy",
    "Snapshot",
    "claim_due_checkouts",
    "find_checkout",
    "find_start",
    "move_cursor",
    "next_settlement_at",
    "read_snapshot",
    "reconcile",
    "settle_checkout",
    "settle_object",
    "write_snapshot",
]
