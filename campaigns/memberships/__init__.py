"""5 Activate, renew, lapse and extend memberships."""

from campaigns.memberships.access import Access, access_until, find_access, has_access
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
    keep_subscription,
    upsert_one_off_membership,
    welcome,
)
from campaigns.memberships.terms import add_months, grant_membership, lapse_memberships

__all__ = [
    "Access",
    "Place",
    "access_until",
    "add_gift",
    "add_months",
    "claim_charge_moves",
    "current_memberships",
    "find_access",
    "find_place",
    "follow_payment",
    "give_back",
    "grant_membership",
    "has_access",
    "is_renewing",
    "keep_subscription",
    "lapse_memberships",
    "lock_current_memberships",
    "move_charge",
    "revoke_access",
    "upsert_one_off_membership",
    "welcome",
    "with_duplicate_subscriptions",
]
