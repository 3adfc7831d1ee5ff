"""7 THE number: who counts and when, how far the goals are, and the final counts at the end.

The count rule is written once, in `tallies.py`.
"""

from campaigns.progress.closing import (
    AlreadyClosed,
    CannotClose,
    close_campaign,
    fingerprint,
    reopen_campaign,
)
from campaigns.progress.goal_kinds import GOAL_KINDS, UnknownGoalKind, find_goal_kind
from campaigns.progress.goals import Progress, measure_campaign, measure_goal
from campaigns.progress.money import (
    HeldTotal,
    MoneyTotal,
    PayoutTotal,
    select_held_payments,
    sum_campaign_payouts,
    sum_held_payments,
    sum_money_by_day,
    sum_money_raised,
    sum_payments,
    sum_payouts,
)
from campaigns.progress.recounts import (
    continue_recount,
    list_due_recounts,
    measure_recount,
    request_recount,
)
from campaigns.progress.states import STATES
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
    "GOAL_KINDS",
    "RULE",
    "STATES",
    "AlreadyClosed",
    "CannotClose",
    "Count",
    "HeldTotal",
    "MoneyTotal",
    "PayoutTotal",
    "Progress",
    "UnknownGoalKind",
    "close_campaign",
    "continue_recount",
    "count_gift",
    "count_people",
    "find_goal_kind",
    "fingerprint",
    "list_due_recounts",
    "measure_campaign",
    "measure_goal",
    "measure_recount",
    "reopen_campaign",
    "request_recount",
    "select_counted_payments",
    "select_held_payments",
    "sum_campaign_payouts",
    "sum_held_payments",
    "sum_money_by_day",
    "sum_money_raised",
    "sum_payments",
    "sum_payouts",
    "tally_gift",
    "tally_gifts",
    "tally_members",
]
