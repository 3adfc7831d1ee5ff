"""7 THE number: who counts and when, how far the goals are, and what is kept when a campaign is over.

The count rule is written once, in `tallies.py`.
"""

from campaigns.progress.closing import (
    AlreadyClosed,
    CannotClose,
    close_campaign,
    fingerprint,
    reopen_campaign,
)
from campaigns.progress.goals import Progress, measure_campaign, measure_goal
from campaigns.progress.money import (
    HeldOf,
    MoneyOf,
    PaidOut,
    held_by_currency,
    money_by_currency,
    money_raised,
    needing_decision,
    paid_out_by_currency,
    paid_out_of,
)
from campaigns.progress.recounting import (
    continue_recount,
    list_due_recounts,
    measure_recount,
    request_recount,
)
from campaigns.progress.tallies import (
    RULE,
    Count,
    count_gift,
    count_people,
    counted_payments,
    tally_gift,
    tally_gifts,
    tally_members,
)

__all__ = [
    "RULE",
    "AlreadyClosed",
    "CannotClose",
    "Count",
    "HeldOf",
    "MoneyOf",
    "PaidOut",
    "Progress",
    "close_campaign",
    "continue_recount",
    "count_gift",
    "count_people",
    "counted_payments",
    "fingerprint",
    "held_by_currency",
    "list_due_recounts",
    "measure_campaign",
    "measure_goal",
    "measure_recount",
    "money_by_currency",
    "money_raised",
    "needing_decision",
    "paid_out_by_currency",
    "paid_out_of",
    "reopen_campaign",
    "request_recount",
    "tally_gift",
    "tally_gifts",
    "tally_members",
]
