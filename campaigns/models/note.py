from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import Campaign


class Note(models.Model):
    """Something that happened during a campaign, for its report: "newsletter sent"."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, verbose_name=_("campaign"), related_name="notes"
    )
    at = models.DateTimeField(_("when"))
    text = models.CharField(_("note"), max_length=120)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        verbose_name=_("written by"),
        related_name="+",
        null=True,
        blank=True,
        editable=False,
        db_index=False,
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        indexes = [models.Index(fields=["campaign", "at"], name="note_of_campaign")]

    def __str__(self) -> str:
        return self.text
