from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class StripeCursor(models.Model):
    """The position up to which one of Stripe's lists was read and imported or reported."""

    class Of(models.TextChoices):
        EVENTS = "events", _("events")
        BALANCE = "balance", _("balance transactions")

    of = models.CharField(_("list"), max_length=8, choices=Of, primary_key=True)
    read_until = models.DateTimeField(_("read until"), help_text=_("Stripe’s time."))
    moved_at = models.DateTimeField(_("updated at"), default=timezone.now)

    class Meta:
        verbose_name = _("sync position")
        verbose_name_plural = _("sync positions")

    def __str__(self) -> str:
        return f"{self.of} until {self.read_until:%Y-%m-%d %H:%M}"
