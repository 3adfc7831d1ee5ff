"""A person is forgotten: the wish, what they are known by, and the rows that tell of them.

What an erasure does, in its order (`campaigns.erasures` walks through it, and may be stopped and
begun again anywhere):

    the wish         is a row that is due until it is done; a last mail is owed; their page closes
    at Stripe        what can still be paid is closed, what runs is cancelled, customers are deleted
    mentions         what staff wrote on other people's rows and names them by address or full name
    rows             once the last mail is gone: in one transaction, under the locks of all who
                     settle, claim, merge and extend
    stored events    all that name one of Stripe's ids or an address of theirs

What stays: the rows of payments, refunds, disputes, memberships, gifts and tallies with amounts,
dates and Stripe's ids, so that a later refund finds them and no number changes; of each address a
hash, by which no import brings it back. The row of the person stays as well, with no name and with
an address that is none: whatever Stripe still tells of their Checkouts leads there. Whoever comes
back is somebody new.
"""

from campaigns.members.erasing.payloads import hashes_in, ids_in, names_erased
from campaigns.members.erasing.rows import StillOpen, strip_rows
from campaigns.members.erasing.traces import (
    Traces,
    checkouts_of,
    find_traces,
    forget_mentions,
    stripe_ids_of,
)
from campaigns.members.erasing.wishes import ask_erasure, erase_again, has_pending_mail

__all__ = [
    "StillOpen",
    "Traces",
    "ask_erasure",
    "checkouts_of",
    "erase_again",
    "find_traces",
    "forget_mentions",
    "has_pending_mail",
    "hashes_in",
    "ids_in",
    "names_erased",
    "strip_rows",
    "stripe_ids_of",
]
