"""11 Erase a person's data: the request, Stripe, our rows and the stored events.

An erasure does this, in this order; `steps` continues it wherever it stopped:

    requests         write it down, schedule the last e-mail, close the account page
    stripe_data      close open Checkouts, end subscriptions, delete customers
    traces           remove the person from notes that staff wrote on other people's rows
    rows             strip the person's rows, once the last e-mail is sent: in one transaction,
                     under the same locks as settlements, claims, merges and extensions
    events           strip stored events that name the person or one of their Stripe ids

Payments, refunds, disputes, memberships, gifts and tallies stay, with amounts, dates and Stripe's
ids: a later refund finds them and no number changes. A hash of each address stays, so that no
import brings the person back. The member's row stays too, with no name and an address that can't
exist: later events about their Checkouts lead to it. Someone who returns is a new member.
"""

from campaigns.erasures.events import strip_events
from campaigns.erasures.requests import request_erasure
from campaigns.erasures.rows import StillOpen, strip_rows
from campaigns.erasures.steps import carry_out_erasure
from campaigns.erasures.stripe_data import delete_customers, end_purchases
from campaigns.erasures.traces import find_traces, forget_mentions

__all__ = [
    "StillOpen",
    "carry_out_erasure",
    "delete_customers",
    "end_purchases",
    "find_traces",
    "forget_mentions",
    "request_erasure",
    "strip_events",
    "strip_rows",
]
