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
from campaigns.progress.days import DayTotal, Milestone, list_day_totals, list_milestones
from campaigns.progress.goal_kinds import GOAL_KINDS, UnknownGoalKind, find_goal_kind
from campaigns.progress.goals import Progress, measure_campaign, measure_goal
from campaigns.progress.imagined import imagine_progress
from campaigns.progress.money import (
    HeldTotal,
    MoneyTotal,
    PayoutTotal,
    list_losses,
    select_held_payments,
    select_losses,
    select_payout_rows,
    select_refunds,
    sum_campaign_payouts,
    sum_held_payments,
    sum_money_by_day,
    sum_money_raised,
    sum_payments,
    sum_payouts,
)
from campaigns.progress.quarters import Quarter
from campaigns.progress.recounts import (
    continue_recount,
    list_due_recounts,
    measure_recount,
    request_recount,
)
from campaigns.progress.states import STATES, Stage
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
    "DayTotal",
    "HeldTotal",
    "Milestone",
    "MoneyTotal",
    "PayoutTotal",
    "Progress",
    "Quarter",
    "Stage",
    "UnknownGoalKind",
    "close_campaign",
    "continue_recount",
    "count_gift",
    "count_people",
    "find_goal_kind",
    "fingerprint",
    "imagine_progress",
    "list_day_totals",
    "list_due_recounts",
    "list_losses",
    "list_milestones",
    "measure_campaign",
    "measure_goal",
    "measure_recount",
    "reopen_campaign",
    "request_recount",
    "select_counted_payments",
    "select_held_payments",
    "select_losses",
    "select_payout_rows",
    "select_refunds",
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
