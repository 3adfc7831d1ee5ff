"""5 Activate, renew, lapse and extend memberships."""

from campaigns.memberships.charges import claim_charge_moves, move_charge
from campaigns.memberships.duplicates import with_duplicate_subscriptions
from campaigns.memberships.extensions import (
    Place,
    add_gift,
    current_memberships,
    find_place,
    give_back,
    is_renewing,
    lock_current_memberships,
    revoke_access,
)
from campaigns.memberships.subscriptions import (
    follow_payment,
    upsert_one_off_membership,
    upsert_subscription_membership,
    welcome,
)
from campaigns.memberships.terms import add_months, grant_membership, lapse_memberships

__all__ = [
    "Place",
    "add_gift",
    "add_months",
    "claim_charge_moves",
    "current_memberships",
    "find_place",
    "follow_payment",
    "give_back",
    "grant_membership",
    "is_renewing",
    "lapse_memberships",
    "lock_current_memberships",
    "move_charge",
    "revoke_access",
    "upsert_one_off_membership",
    "upsert_subscription_membership",
    "welcome",
    "with_duplicate_subscriptions",
]
