"""E-mails: the outbox, one function for each message, and the signed links in them.

outbox       outgoing mails: which are due, sending, retries, bounces
messages     which function sends which kind of mail
membership   receipt, welcome, past due, lapsed
changes      refund, granted membership and other changes that staff made
unfinished   to readers who left the payment page
gifts        to buyers and recipients of gifts
account      sign-in link, change of address, erasure
newsletters  confirmation of newsletters
staff        disputes, bounced gifts and broken parts
reports      reports of campaigns, to staff who chose them
contexts     template values that several messages share
delivery     render the templates and hand the message to the mail provider
links        signed links
"""

from campaigns.emails.outbox import (
    deliver_mail,
    record_bounce,
    reschedule_mail,
    send_claimed_mail,
    stop_reminders,
)
from campaigns.emails.unfinished import list_unfinished, remind_of_checkout

__all__ = [
    "deliver_mail",
    "list_unfinished",
    "record_bounce",
    "remind_of_checkout",
    "reschedule_mail",
    "send_claimed_mail",
    "stop_reminders",
]
