"""Digests: reports sent automatically, to staff by e-mail and to chats by webhook.

receivers    who gets what, and when it is due next
contents     what a daily, weekly or milestone report says
sending      the reports of a day or a week, written once and handed to all who get them
milestones   events that staff are notified of once in a campaign
chats        the posts to webhooks
"""

from campaigns.digests.chats import ChatRefused, post_claimed, post_test
from campaigns.digests.milestones import list_campaigns_to_watch, notice_milestones
from campaigns.digests.receivers import may_get_reports, schedule_receiver, stop_report_mails
from campaigns.digests.sending import clear_old_messages, send_to_chat, send_to_user

__all__ = [
    "ChatRefused",
    "clear_old_messages",
    "list_campaigns_to_watch",
    "may_get_reports",
    "notice_milestones",
    "post_claimed",
    "post_test",
    "schedule_receiver",
    "send_to_chat",
    "send_to_user",
    "stop_report_mails",
]
