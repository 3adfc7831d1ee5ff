"""5 Activate, renew, lapse and extend memberships."""

from campaigns.memberships.charges import due_push_ids, push_charge
from campaigns.memberships.doubles import doubled
from campaigns.memberships.extensions import (
    Place,
    add_gift,
    current_memberships,
    find_place,
    give_back,
    is_renewing,
    lock_current,
    take_back,
)
from campaigns.memberships.subscriptions import (
    follow_payment,
    keep_membership_paid_once,
    keep_subscription,
    welcome,
)
from campaigns.memberships.terms import add_months, give_membership, lapse_memberships

__all__ = [
    "Place",
    "add_gift",
    "add_months",
    "current_memberships",
    "doubled",
    "due_push_ids",
    "find_place",
    "follow_payment",
    "give_back",
    "give_membership",
    "is_renewing",
    "keep_membership_paid_once",
    "keep_subscription",
    "lapse_memberships",
    "lock_current",
    "push_charge",
    "take_back",
    "welcome",
]
