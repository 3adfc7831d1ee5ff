from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.dealt_with import DealtWith
from campaigns.models.due import DueModel
from campaigns.models.gift import Gift
from campaigns.models.payment import Payment


class RefundOrder(DueModel, DealtWith):
    """A refund that staff order, written before Stripe is asked, and due until Stripe answers.

    Its id and an attempt number make the idempotency key, as for a Checkout, and its id is the
    refund's only metadata. So the money is refunded once, however often Stripe is asked.
    """

    class Reason(models.TextChoices):
        """Stripe's reasons for a refund."""

        REQUESTED = "requested_by_customer", _("requested by the reader")
        DUPLICATE = "duplicate", _("duplicate payment")
        FRAUDULENT = "fraudulent", _("fraud")

    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, verbose_name=_("payment"), related_name="refund_orders"
    )
    amount_minor = models.PositiveBigIntegerField(_("amount"), validators=[MinValueValidator(1)])
    reason = models.CharField(_("reason"), max_length=24, choices=Reason)
    why = models.CharField(_("internal note"), max_length=200)
    gifts = models.ManyToManyField(
        Gift, verbose_name=_("gifts"), related_name="refund_orders", blank=True
    )
    ends_membership = models.BooleanField(_("ends the membership"), default=False, db_default=False)
    ordered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        verbose_name=_("ordered by"),
        null=True,
        blank=True,
    )
    ordered_at = models.DateTimeField(_("ordered at"), default=timezone.now)
    due_at = models.DateTimeField(
        _("next attempt at"),
        null=True,
        blank=True,
        default=timezone.now,
        db_column="next_attempt_at",
    )
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=1)
    refund_id = models.CharField(_("refund ID"), max_length=255, null=True, blank=True, unique=True)
    error = models.CharField(_("error"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("refund order")
        verbose_name_plural = _("refund orders")
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_order_above_zero")
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(due_at__isnull=False),
                name="refund_order_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"
