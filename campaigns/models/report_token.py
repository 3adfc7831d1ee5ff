from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ReportToken(models.Model):
    """A user's key to reports at a stable address, for spreadsheets and other systems.

    Only a hash of its secret is stored, so that reading the table opens no report. It gives no
    more than the user may see at the time of each request, and never personal data.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        verbose_name=_("user"),
        related_name="report_tokens",
        editable=False,
    )
    name = models.CharField(
        _("used by"), max_length=60, help_text=_("For example “Google Sheets of the news desk”.")
    )
    secret_hash = models.CharField(
        _("hash of the secret"), max_length=64, unique=True, editable=False
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    used_at = models.DateTimeField(_("last used at"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("report address")
        verbose_name_plural = _("report addresses")

    def __str__(self) -> str:
        return self.name
