"""5 Memberships: access, activation, renewal, lapse and extensions."""

from campaigns.memberships.access import Access, access_until, find_access, has_access
from campaigns.memberships.charges import move_charge
from campaigns.memberships.duplicates import with_duplicate_subscriptions
from campaigns.memberships.extensions import (
    Place,
    add_gift,
    current_memberships,
    find_place,
    is_renewing,
    lock_current_memberships,
    restore_access,
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
    "Access",
    "Place",
    "access_until",
    "add_gift",
    "add_months",
    "current_memberships",
    "find_access",
    "find_place",
    "follow_payment",
    "grant_membership",
    "has_access",
    "is_renewing",
    "lapse_memberships",
    "lock_current_memberships",
    "move_charge",
    "restore_access",
    "revoke_access",
    "upsert_one_off_membership",
    "upsert_subscription_membership",
    "welcome",
    "with_duplicate_subscriptions",
]
