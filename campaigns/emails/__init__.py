"""What is owed by mail, and sent: the outbox, one function a message, and the links in them."""

from campaigns.emails.outbox import (
    LEASE,
    deliver_mail,
    list_due_mails,
    record_bounce,
    reschedule_mail,
    stop_reminders,
)

__all__ = [
    "LEASE",
    "deliver_mail",
    "list_due_mails",
    "record_bounce",
    "reschedule_mail",
    "stop_reminders",
]
