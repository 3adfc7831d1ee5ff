"""10 Members: the account page, sign-in links, address changes, receipts, data and merges."""

from campaigns.members.addresses import (
    ChangeClosed,
    TooManyChanges,
    confirm_change,
    find_open_change,
    make_change,
    read_change,
    request_address_change,
    select_confirmed_changes,
    select_old_changes,
    set_address,
)
from campaigns.members.customers import sync_customer
from campaigns.members.exports import gather_data
from campaigns.members.merges import (
    CountChange,
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
    is_link_open,
    open_link,
    request_sign_in_link,
    select_old_links,
)
from campaigns.members.subscriptions import (
    cancel_subscription,
    end_subscription_now,
    find_membership,
    resume_subscription,
)
from campaigns.members.switches import (
    PriceRefused,
    Switch,
    SwitchClosed,
    make_switch,
    plan_switch,
    prices_to_switch_to,
)

__all__ = [
    "ChangeClosed",
    "CountChange",
    "LinkClosed",
    "MembershipRow",
    "MergeRefused",
    "Overview",
    "PaymentRow",
    "PriceRefused",
    "Rehearsal",
    "Standing",
    "Switch",
    "SwitchClosed",
    "TooManyChanges",
    "cancel_subscription",
    "confirm_change",
    "describe_membership",
    "describe_purpose",
    "end_subscription_now",
    "find_membership",
    "find_open_change",
    "gather_data",
    "is_link_open",
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
    "resume_subscription",
    "select_confirmed_changes",
    "select_old_changes",
    "select_old_links",
    "set_address",
    "sync_customer",
]
