from django.db import models
from django.utils.translation import gettext_lazy as _


class AttemptCount(models.Model):
    """The number of attempts under one name until a time; see campaigns/attempts.py."""

    # A hash: names contain IP addresses.
    key = models.CharField(_("key"), max_length=64, primary_key=True)
    count = models.PositiveIntegerField(_("count"))
    ends_at = models.DateTimeField(_("ends at"), db_index=True)

    class Meta:
        verbose_name = _("number of attempts")
        verbose_name_plural = _("attempt counts")

    def __str__(self) -> str:
        return f"{self.count} until {self.ends_at:%H:%M:%S}"
