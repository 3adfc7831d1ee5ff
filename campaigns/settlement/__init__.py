"""3 Turn Stripe's objects into our rows, for webhooks, the thank-you page and jobs alike.

An event is only a hint which object to fetch. Settling a Checkout reads everything that Stripe has
for it, then writes it under the Checkout's lock. If another settlement wrote in between, what was
read may be older than our rows, so it is read again. Every order and repetition of events
therefore ends in the same rows.
"""

from campaigns.settlement.checkouts import (
    SettlementBusy,
    covers,
    is_being_read,
    next_settlement_at,
    settle_checkout,
    settle_object,
    write_snapshot,
)
from campaigns.settlement.differences import Figures, Group, Reconciliation
from campaigns.settlement.lookup import Found, find_checkout, is_confirmed
from campaigns.settlement.reconciliation import find_start, move_cursor, reconcile
from campaigns.settlement.snapshots import Snapshot, read_snapshot
from campaigns.settlement.stripe_sales import find_own_price, note_stripe_sale

__all__ = [
    "Figures",
    "Found",
    "Group",
    "Reconciliation",
    "SettlementBusy",
    "Snapshot",
    "covers",
    "find_checkout",
    "find_own_price",
    "find_start",
    "is_being_read",
    "is_confirmed",
    "move_cursor",
    "next_settlement_at",
    "note_stripe_sale",
    "read_snapshot",
    "reconcile",
    "settle_checkout",
    "settle_object",
    "write_snapshot",
]
