"""Reports that are sent: what one says, and the posts that bring it to chats."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.copy import list_languages
from campaigns.models.due import DueModel
from campaigns.models.report_receiver import ChatWebhook


class ReportMessage(models.Model):
    """The words of a report in one language. All of its receivers get the same numbers.

    `content` is described in campaigns/digests/contents.py. It names no person.
    """

    class Kind(models.TextChoices):
        DAILY = "daily", _("daily report")
        WEEKLY = "weekly", _("weekly report")
        MILESTONE = "milestone", _("milestone")
        TEST = "test", _("test")

    # The kind, its moment or milestone, and the language: so each is written once.
    key = models.CharField(_("key"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    language = models.CharField(_("language"), max_length=8, choices=list_languages)
    content = models.JSONField(_("content"), default=dict)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("report message")
        verbose_name_plural = _("report messages")
        indexes = [models.Index(fields=["created_at"], name="report_message_by_time")]

    def __str__(self) -> str:
        return self.key


class ChatPost(DueModel):
    """A message for one webhook: it is due until the chat has accepted it."""

    webhook = models.ForeignKey(
        ChatWebhook,
        on_delete=models.CASCADE,
        verbose_name=_("chat webhook"),
        related_name="posts",
        db_index=False,
    )
    message = models.ForeignKey(
        ReportMessage, on_delete=models.CASCADE, verbose_name=_("message"), related_name="posts"
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    due_at = models.DateTimeField(_("next attempt at"), null=True, blank=True, default=timezone.now)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    # When we stopped trying.
    failed_at = models.DateTimeField(_("failed at"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("chat post")
        verbose_name_plural = _("chat posts")
        constraints = [
            models.UniqueConstraint(fields=["webhook", "message"], name="chat_post_once")
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="chat_post_due")
        ]

    def __str__(self) -> str:
        return f"{self.message.key} to {self.webhook.name}"
