"""6 Buy, deliver, remind and expire gifts; find them by their claim code.

Exported here are reads, deliveries, and the jobs of `tasks.py`. The inner steps that change who
counts are in `claims.py`, `decisions.py` and `sales.py`: use `campaigns.actions`. `cards.py` is
imported by itself, because only views need typst, which takes 7 MB.
"""

from campaigns.gifts.changes import ChangedMeanwhile
from campaigns.gifts.deliveries import record_bounces, record_deliveries
from campaigns.gifts.invitations import (
    change_delivery,
    change_recipient,
    forget_recipient,
    resend_gift,
)
from campaigns.gifts.lookups import (
    ConfirmationRequired,
    GiftNotClaimable,
    find_gift,
    is_replaced,
    read_confirmation,
    refuse_unless_claimable,
)
from campaigns.gifts.sales import valid_interval_of
from campaigns.gifts.timeline import take_steps

__all__ = [
    "ChangedMeanwhile",
    "ConfirmationRequired",
    "GiftNotClaimable",
    "change_delivery",
    "change_recipient",
    "find_gift",
    "forget_recipient",
    "is_replaced",
    "read_confirmation",
    "record_bounces",
    "record_deliveries",
    "refuse_unless_claimable",
    "resend_gift",
    "take_steps",
    "valid_interval_of",
]
