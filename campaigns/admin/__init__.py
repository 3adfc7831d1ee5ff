"""The admin for staff: one module for each kind of row.

Staff can view payments and events but never edit them, because they come from Stripe. Everything
else that staff do is either an action of a list (replay an event, settle a Checkout again, resend
an e-mail) or a page below a row with a form that asks why (refund a payment, change a gift): see
pages.py. Each needs a permission.
"""

from campaigns.admin import (
    campaigns,
    checkouts,
    erasures,
    gifts,
    jobs,
    logins,
    mails,
    members,
    memberships,
    opt_outs,
    payments,
    plans,
    refunds,
    site,
    stripe_events,
    stripe_sales,
    sync_positions,
)

__all__ = [
    "campaigns",
    "checkouts",
    "erasures",
    "gifts",
    "jobs",
    "logins",
    "mails",
    "members",
    "memberships",
    "opt_outs",
    "payments",
    "plans",
    "refunds",
    "site",
    "stripe_events",
    "stripe_sales",
    "sync_positions",
]
