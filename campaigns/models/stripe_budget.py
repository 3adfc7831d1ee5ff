from django.db import models
from django.utils.translation import gettext_lazy as _


class StripeBudget(models.Model):
    """The one row in which all processes share the calls to Stripe; times are epoch seconds."""

    next_at = models.FloatField(
        _("next call at"),
        default=0,
        help_text=_("The calls made so far use up the limit until this time."),
    )
    paused_until = models.FloatField(
        _("paused until"), default=0, help_text=_("Stripe asked us to wait until then.")
    )

    class Meta:
        verbose_name = _("limit on calls to Stripe")
        verbose_name_plural = _("limits on calls to Stripe")

    def __str__(self) -> str:
        return f"next call at {self.next_at:.3f}"
