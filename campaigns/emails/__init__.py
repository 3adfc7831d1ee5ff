"""What is owed by mail, and sent: the outbox, one function a message, and the links in them."""

from campaigns.emails.outbox import (
    LEASE,
    deliver_mail,
    due_mail_ids,
    note_bounce,
    owe_again,
    stop_reminders,
)

__all__ = ["LEASE", "deliver_mail", "due_mail_ids", "note_bounce", "owe_again", "stop_reminders"]
