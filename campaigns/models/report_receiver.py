"""Receivers of reports: staff by e-mail, and chats by webhook."""

from datetime import time

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext_lazy as _

from campaigns.models.copy import find_site_language, list_languages
from campaigns.models.due import DueModel
from campaigns.outgoing_addresses import RefusedAddress, read_url


def list_hours() -> list[tuple[int, str]]:
    """Return the hours of the day: 07:00."""
    return [(hour, time_format(time(hour), "H:i")) for hour in range(24)]


def validate_web_address(text: str) -> None:
    """Refuse what is no web address of another system. Its host is looked up when it is called."""
    try:
        read_url(text)
    except RefusedAddress as error:
        raise ValidationError(str(error)) from None


class ReportReceiver(DueModel):
    """The reports that a receiver chose. `due_at` is the time of the next daily or weekly one.

    `chosen_at` is when this was chosen: nobody gets reports of days before.
    """

    daily = models.BooleanField(_("every day"), default=False, db_default=False)
    weekly = models.BooleanField(_("every Monday"), default=False, db_default=False)
    milestones = models.BooleanField(_("milestones"), default=False, db_default=False)
    hour = models.PositiveSmallIntegerField(
        _("hour"), choices=list_hours, default=7, validators=[MaxValueValidator(23)]
    )
    language = models.CharField(
        _("language"), max_length=8, choices=list_languages, default=find_site_language
    )
    chosen_at = models.DateTimeField(_("chosen at"), default=timezone.now, editable=False)

    class Meta:
        abstract = True


class ReportMail(ReportReceiver):
    """The reports that a staff user gets by e-mail."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        verbose_name=_("user"),
        related_name="report_mail",
        editable=False,
    )

    class Meta:
        verbose_name = _("reports by e-mail")
        verbose_name_plural = _("reports by e-mail")
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(due_at__isnull=False), name="report_mail_due"
            )
        ]

    def __str__(self) -> str:
        return f"reports by e-mail {self.pk}"


class ChatWebhook(ReportReceiver):
    """An address that reports are posted to: a channel of a chat, or another system.

    Who has the address can write to the channel, so it is a secret.
    """

    class Kind(models.TextChoices):
        SLACK = "slack", _("Slack or Mattermost")
        TEAMS = "teams", _("Microsoft Teams")
        JSON = "json", _("plain JSON")

    name = models.CharField(_("name"), max_length=60)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    url = models.CharField(_("address"), max_length=2000, validators=[validate_web_address])
    is_active = models.BooleanField(_("active"), default=True, db_default=True)

    class Meta:
        verbose_name = _("chat webhook")
        verbose_name_plural = _("chat webhooks")
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(due_at__isnull=False), name="chat_webhook_due"
            )
        ]

    def __str__(self) -> str:
        return self.name
