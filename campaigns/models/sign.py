from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Sign(models.Model):
    """The last time at which something worked: a process, a webhook, an answer of Stripe."""

    class Of(models.TextChoices):
        WORKER = "worker", _("worker")
        BEAT = "beat", _("beat")
        WEBHOOK = "webhook", _("webhook stored")
        REFUSED_WEBHOOK = "refused", _("webhook refused")

    of = models.CharField(_("seen"), max_length=12, choices=Of, primary_key=True)
    # Since when it is expected.
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    seen_at = models.DateTimeField(_("last seen at"), null=True, blank=True)

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return str(self.of)
