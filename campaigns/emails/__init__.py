"""E-mails: the outbox, one function for each message, and the signed links in them.

outbox       outgoing mails: which are due, sending, retries, bounces
messages     which function sends which kind of mail
membership   receipt, welcome, past due, lapsed
changes      refund, granted membership and other changes that staff made
gifts        to buyers and recipients of gifts
account      sign-in link, change of address, erasure
staff        disputes, bounced gifts and broken parts
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

__all__ = [
    "deliver_mail",
    "record_bounce",
    "reschedule_mail",
    "send_claimed_mail",
    "stop_reminders",
]
