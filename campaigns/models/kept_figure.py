from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _


class KeptFigure(models.Model):
    """A figure of the home page that takes long to measure; see campaigns/reports/kept.py.

    It is about all people together, never about one.
    """

    key = models.CharField(_("key"), max_length=100, primary_key=True)
    value = models.JSONField(_("value"), encoder=DjangoJSONEncoder)
    measured_at = models.DateTimeField(_("measured at"))

    class Meta:
        verbose_name = _("kept figure")
        verbose_name_plural = _("kept figures")

    def __str__(self) -> str:
        return f"{self.key} at {self.measured_at:%H:%M:%S}"
