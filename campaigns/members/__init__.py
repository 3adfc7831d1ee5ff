"""10 A person's own page: the link that opens it, what it shows, what can be changed on it."""

from campaigns.members.exports import gather_data
from campaigns.members.overview import (
    MembershipRow,
    Overview,
    PaymentRow,
    Standing,
    describe_membership,
    look_at,
)
from campaigns.members.receipts import render_receipt, tell_what_for
from campaigns.members.sign_in import (
    LinkClosed,
    forget_links,
    is_open,
    open_link,
    owe_link,
)
from campaigns.members.subscriptions import cancel, find_own, keep

__all__ = [
    "LinkClosed",
    "MembershipRow",
    "Overview",
    "PaymentRow",
    "Standing",
    "cancel",
    "describe_membership",
    "find_own",
    "forget_links",
    "gather_data",
    "is_open",
    "keep",
    "look_at",
    "open_link",
    "owe_link",
    "render_receipt",
    "tell_what_for",
]
