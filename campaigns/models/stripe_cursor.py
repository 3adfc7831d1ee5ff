from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class StripeCursor(models.Model):
    """How far one of Stripe's lists was read: all that is older was brought in or named."""

    class Of(models.TextChoices):
        EVENTS = "events", _("events")
        BALANCE = "balance", _("balance transactions")

    of = models.CharField(_("list"), max_length=8, choices=Of, primary_key=True)
    read_until = models.DateTimeField(_("read until"), help_text=_("By Stripe’s clock."))
    moved_at = models.DateTimeField(_("moved at"), default=timezone.now)

    class Meta:
        verbose_name = _("place in Stripe’s lists")
        verbose_name_plural = _("places in Stripe’s lists")

    def __str__(self) -> str:
        return f"{self.of} until {self.read_until:%Y-%m-%d %H:%M}"
