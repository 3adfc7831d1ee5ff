"""Staff's side: one module a noun; its buttons call the plural modules.

Money and events can only be looked at: Stripe tells them. What staff do to them (replay an event,
settle a Checkout again, send a mail once more) is an action, for those who hold the model's
change permission.
"""

from campaigns.admin import (
    campaigns,
    checkouts,
    gifts,
    inbox,
    mails,
    members,
    payments,
    plans,
    site,
)

__all__ = [
    "campaigns",
    "checkouts",
    "gifts",
    "inbox",
    "mails",
    "members",
    "payments",
    "plans",
    "site",
]
