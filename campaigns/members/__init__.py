"""10 A person's own page: the link that opens it, what it shows, what can be changed on it."""

from campaigns.members.addresses import (
    ChangeClosed,
    TooManyChanges,
    adopt_address,
    claim_address_changes,
    confirm_change,
    find_open_change,
    forget_changes,
    make_change,
    read_change,
    request_address_change,
)
from campaigns.members.customers import claim_customer_updates, sync_customer
from campaigns.members.exports import gather_data
from campaigns.members.merging import (
    CountedIn,
    MergeRefused,
    Rehearsal,
    merge_members,
    rehearse_merge,
)
from campaigns.members.overview import (
    MembershipRow,
    Overview,
    PaymentRow,
    Standing,
    describe_membership,
    load_overview,
)
from campaigns.members.receipts import describe_purpose, render_receipt
from campaigns.members.sign_in import (
    LinkClosed,
    forget_links,
    is_open,
    open_link,
    request_sign_in_link,
)
from campaigns.members.subscriptions import cancel, end_subscription_now, find_membership, keep
from campaigns.members.switches import (
    Switch,
    SwitchClosed,
    make_switch,
    plan_switch,
    prices_to_switch_to,
)

__all__ = [
    "ChangeClosed",
    "CountedIn",
    "LinkClosed",
    "MembershipRow",
    "MergeRefused",
    "Overview",
    "PaymentRow",
    "Rehearsal",
    "Standing",
    "Switch",
    "SwitchClosed",
    "TooManyChanges",
    "adopt_address",
    "cancel",
    "claim_address_changes",
    "claim_customer_updates",
    "confirm_change",
    "describe_membership",
    "describe_purpose",
    "end_subscription_now",
    "find_membership",
    "find_open_change",
    "forget_changes",
    "forget_links",
    "gather_data",
    "is_open",
    "keep",
    "load_overview",
    "make_change",
    "make_switch",
    "merge_members",
    "open_link",
    "plan_switch",
    "prices_to_switch_to",
    "read_change",
    "rehearse_merge",
    "render_receipt",
    "request_address_change",
    "request_sign_in_link",
    "sync_customer",
]
