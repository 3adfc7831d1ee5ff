"""Newsletters: requests, confirmations and unsubscriptions.

    requests     a form is sent: subscriptions that wait for a confirmation, and the e-mail
    changes      the one function for each change of a subscription
    announcements  the events about it for other systems
    choices      the pages behind signed links: confirm, change, unsubscribe
    lists        subscribers as rows of a file for the mailing tool
    returns      addresses that the mailing tool reports: unsubscribed, bounced

This application sends no newsletters: the newspaper's mailing tool does.
"""

from campaigns.newsletters.changes import (
    confirm_subscription,
    end_left_in_ghost,
    end_subscription,
    erase_subscriptions,
    request_subscription,
)
from campaigns.newsletters.choices import (
    LinkClosed,
    confirm_pending,
    find_subscription,
    list_choices,
    set_choices,
    unsubscribe,
)
from campaigns.newsletters.lists import SUBSCRIBER_COLUMNS, list_subscribers
from campaigns.newsletters.requests import (
    SignUp,
    move_subscriptions,
    request_newsletters,
    select_old_requests,
)
from campaigns.newsletters.returns import Outcome, UnreadableReturns, end_reported, end_returned

__all__ = [
    "SUBSCRIBER_COLUMNS",
    "LinkClosed",
    "Outcome",
    "SignUp",
    "UnreadableReturns",
    "confirm_pending",
    "confirm_subscription",
    "end_left_in_ghost",
    "end_reported",
    "end_returned",
    "end_subscription",
    "erase_subscriptions",
    "find_subscription",
    "list_choices",
    "list_subscribers",
    "move_subscriptions",
    "request_newsletters",
    "request_subscription",
    "select_old_requests",
    "set_choices",
    "unsubscribe",
]
