"""Staff's side: one module a noun; its buttons call the plural modules.

Money and events can only be looked at: Stripe tells them. What staff do to them is an action
(replay an event, settle a Checkout again, send a mail once more) or a form that asks why (change a
gift, give money back), for those who hold the permission.
"""

from campaigns.admin import (
    campaigns,
    checkouts,
    erasures,
    gifts,
    mails,
    members,
    memberships,
    opt_outs,
    payments,
    plans,
    refunds,
    site,
    stripe_events,
    sync_positions,
)

__all__ = [
    "campaigns",
    "checkouts",
    "erasures",
    "gifts",
    "mails",
    "members",
    "memberships",
    "opt_outs",
    "payments",
    "plans",
    "refunds",
    "site",
    "stripe_events",
    "sync_positions",
]
