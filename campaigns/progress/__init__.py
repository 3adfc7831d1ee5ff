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
    HeldTotal,
    MoneyTotal,
    PayoutTotal,
    money_raised,
    select_held_payments,
    sum_campaign_payouts,
    sum_held_payments,
    sum_payments,
    sum_payouts,
)
from campaigns.progress.recounts import (
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
    select_counted_payments,
    tally_gift,
    tally_gifts,
    tally_members,
)

__all__ = [
    "RULE",
    "AlreadyClosed",
    "CannotClose",
    "Count",
    "HeldTotal",
    "MoneyTotal",
    "PayoutTotal",
    "Progress",
    "close_campaign",
    "continue_recount",
    "count_gift",
    "count_people",
    "fingerprint",
    "list_due_recounts",
    "measure_campaign",
    "measure_goal",
    "measure_recount",
    "money_raised",
    "reopen_campaign",
    "request_recount",
    "select_counted_payments",
    "select_held_payments",
    "sum_campaign_payouts",
    "sum_held_payments",
    "sum_payments",
    "sum_payouts",
    "tally_gift",
    "tally_gifts",
    "tally_members",
]
