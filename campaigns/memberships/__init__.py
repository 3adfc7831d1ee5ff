"""5 Memberships: access, activation, renewal, lapse and extensions."""

from campaigns.memberships.access import (
    Access,
    access_until,
    find_access,
    giving_access,
    has_access,
)
from campaigns.memberships.announcements import (
    Standing,
    announce_access,
    announce_due_access,
    describe_access,
    find_campaigns,
    find_standing,
    find_standing_of,
)
from campaigns.memberships.charges import move_charge
from campaigns.memberships.duplicates import with_duplicate_subscriptions
from campaigns.memberships.extensions import (
    Place,
    add_gift,
    find_place,
    is_renewing,
    list_current_memberships,
    lock_current_memberships,
    restore_access,
    revoke_access,
)
from campaigns.memberships.reminders import list_due_reminders, remind_of_renewal
from campaigns.memberships.subscriptions import (
    follow_payment,
    note_next_payment,
    upsert_one_off_membership,
    upsert_subscription_membership,
    welcome,
)
from campaigns.memberships.terms import add_months, grant_membership, lapse_memberships

__all__ = [
    "Access",
    "Place",
    "Standing",
    "access_until",
    "add_gift",
    "add_months",
    "announce_access",
    "announce_due_access",
    "describe_access",
    "find_access",
    "find_campaigns",
    "find_place",
    "find_standing",
    "find_standing_of",
    "follow_payment",
    "giving_access",
    "grant_membership",
    "has_access",
    "is_renewing",
    "lapse_memberships",
    "list_current_memberships",
    "list_due_reminders",
    "lock_current_memberships",
    "move_charge",
    "note_next_payment",
    "remind_of_renewal",
    "restore_access",
    "revoke_access",
    "upsert_one_off_membership",
    "upsert_subscription_membership",
    "welcome",
    "with_duplicate_subscriptions",
]
