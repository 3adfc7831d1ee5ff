"""7 THE number: who counts and when, how far the goals are, and what is kept when a drive is over.

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
from campaigns.progress.money import MoneyOf, money_by_currency, money_raised
from campaigns.progress.tallies import (
    RULE,
    Count,
    count_gift,
    count_person,
    counted_payments,
    people_who_may_count,
    recount_campaign,
    tally_gift,
    tally_members,
)

__all__ = [
    "RULE",
    "AlreadyClosed",
    "CannotClose",
    "Count",
    "MoneyOf",
    "Progress",
    "close_campaign",
    "count_gift",
    "count_person",
    "counted_payments",
    "fingerprint",
    "measure_campaign",
    "measure_goal",
    "money_by_currency",
    "money_raised",
    "people_who_may_count",
    "recount_campaign",
    "reopen_campaign",
    "tally_gift",
    "tally_members",
]
