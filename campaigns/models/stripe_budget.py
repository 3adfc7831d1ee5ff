from django.db import models
from django.utils.translation import gettext_lazy as _


class StripeBudget(models.Model):
    """The one row in which all processes share the calls to Stripe; times are epoch seconds."""

    next_at = models.FloatField(
        _("next call at"), default=0, help_text=_("When the calls made so far are used up.")
    )
    paused_until = models.FloatField(
        _("paused until"), default=0, help_text=_("Stripe asked us to wait until then.")
    )

    class Meta:
        verbose_name = _("budget of calls to Stripe")
        verbose_name_plural = _("budgets of calls to Stripe")

    def __str__(self) -> str:
        return f"next call at {self.next_at:.3f}"
