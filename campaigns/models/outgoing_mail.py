from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.gift import Gift
from campaigns.models.membership import Membership
from campaigns.models.payment import Payment


class OutgoingMail(models.Model):
    """A message that somebody would miss: due until it was handed to the mail provider.

    A sweep claims it by moving `next_attempt_at` ahead (the lease), so that no crash and no lost
    broker loses it.
    """

    class Kind(models.TextChoices):
        RECEIPT = "receipt", _("receipt")
        WELCOME = "welcome", _("welcome")
        GIFT_BOUGHT = "gift_bought", _("gift bought")
        GIFT_INVITATION = "gift_invitation", _("gift to its recipient")
        GIFT_CLAIMED = "gift_claimed", _("gift claimed")

    key = models.CharField(_("key"), max_length=80, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    payment = models.ForeignKey(
        Payment, on_delete=models.CASCADE, verbose_name=_("payment"), null=True, blank=True
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, verbose_name=_("membership"), null=True, blank=True
    )
    gift = models.ForeignKey(
        Gift, on_delete=models.CASCADE, verbose_name=_("gift"), null=True, blank=True
    )
    language = models.CharField(
        _("language"), max_length=8, choices=settings.LANGUAGES, default="en"
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    next_attempt_at = models.DateTimeField(
        _("next attempt at"), null=True, blank=True, default=timezone.now
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mails")
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="outgoing_mail_due",
            )
        ]

    def __str__(self) -> str:
        return self.key
