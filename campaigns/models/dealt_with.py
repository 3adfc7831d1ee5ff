from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class DealtWith(models.Model):
    """A row that staff can clear from "Needs attention"; who did it, and when."""

    dealt_with_at = models.DateTimeField(_("dealt with at"), null=True, blank=True, editable=False)
    dealt_with_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        verbose_name=_("dealt with by"),
        related_name="+",
        null=True,
        blank=True,
        editable=False,
        db_index=False,
    )

    class Meta:
        abstract = True
