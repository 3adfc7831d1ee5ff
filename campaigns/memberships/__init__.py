"""5 Activate, renew, lapse and extend memberships."""

from campaigns.memberships.extensions import (
    add_gift,
    due_push_ids,
    push_charge,
    running_memberships,
)
from campaigns.memberships.subscriptions import (
    follow_payment,
    keep_membership_paid_once,
    keep_subscription,
    welcome,
)
from campaigns.memberships.terms import (
    add_months,
    give_back,
    give_membership,
    lapse_memberships,
    take_back,
)

__all__ = [
    "add_gift",
    "add_months",
    "due_push_ids",
    "follow_payment",
    "give_back",
    "give_membership",
    "keep_membership_paid_once",
    "keep_subscription",
    "lapse_memberships",
    "push_charge",
    "running_memberships",
    "take_back",
    "welcome",
]
