"""10 Members: the account page, sign-in links, address changes, receipts, data and merges.

`receipts.py` is imported by itself, because only views need typst, which takes 7 MB.
"""

from campaigns.members.access_answers import answer_access
from campaigns.members.access_tokens import (
    BadToken,
    add_token,
    describe_keys,
    is_allowed_return,
    read_token,
)
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
from campaigns.members.amounts import can_change_amount, change_amount
from campaigns.members.api_clients import find_client, make_token, revoke_client
from campaigns.members.customers import sync_customer
from campaigns.members.exports import gather_data
from campaigns.members.merges import (
    CountChange,
    MergeRefused,
    Rehearsal,
    merge_members,
    rehearse_merge,
)
from campaigns.members.next_payments import refresh_next_payments
from campaigns.members.overview import (
    MembershipRow,
    Overview,
    PaymentRow,
    Standing,
    describe_membership,
    load_overview,
)
from campaigns.members.purposes import describe_purpose
from campaigns.members.sharing import (
    Reward,
    count_friends,
    count_joined_by,
    count_rewards,
    describe_reward,
    list_due_rewards,
)
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
    "BadToken",
    "ChangeClosed",
    "CountChange",
    "LinkClosed",
    "MembershipRow",
    "MergeRefused",
    "Overview",
    "PaymentRow",
    "PriceRefused",
    "Rehearsal",
    "Reward",
    "Standing",
    "Switch",
    "SwitchClosed",
    "TooManyChanges",
    "add_token",
    "answer_access",
    "can_change_amount",
    "cancel_subscription",
    "change_amount",
    "confirm_change",
    "count_friends",
    "count_joined_by",
    "count_rewards",
    "describe_keys",
    "describe_membership",
    "describe_purpose",
    "describe_reward",
    "end_subscription_now",
    "find_client",
    "find_membership",
    "find_open_change",
    "gather_data",
    "is_allowed_return",
    "is_link_open",
    "list_due_rewards",
    "load_overview",
    "make_change",
    "make_switch",
    "make_token",
    "merge_members",
    "open_link",
    "plan_switch",
    "prices_to_switch_to",
    "read_change",
    "read_token",
    "refresh_next_payments",
    "rehearse_merge",
    "request_address_change",
    "request_sign_in_link",
    "resume_subscription",
    "revoke_client",
    "select_confirmed_changes",
    "select_old_changes",
    "select_old_links",
    "set_address",
    "sync_customer",
]
