from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.checkout import Checkout
from campaigns.models.due import DueModel
from campaigns.models.plan import Price


class StripeSale(DueModel):
    """A subscription at one of our prices that was sold at Stripe, for example in its dashboard.

    Nobody is a member by it until staff adopt it, or the job does if ADOPT_STRIPE_SALES is set.
    """

    # Stripe's statuses of a subscription that can be adopted: its first payment was made.
    ADOPTABLE = ("trialing", "active", "past_due", "unpaid", "paused")

    subscription_id = models.CharField(_("subscription ID"), max_length=255, unique=True)
    customer_id = models.CharField(_("customer ID"), max_length=255)
    # Only until it is adopted: then the member has it.
    email = models.EmailField(_("e-mail"), max_length=254, blank=True)
    price = models.ForeignKey(
        Price, on_delete=models.PROTECT, verbose_name=_("price"), related_name="+"
    )
    status = models.CharField(_("status at Stripe"), max_length=40)
    started_at = models.DateTimeField(_("started at"))
    found_at = models.DateTimeField(_("found at"), default=timezone.now)
    checkout = models.OneToOneField(
        Checkout,
        on_delete=models.PROTECT,
        verbose_name=_("checkout"),
        null=True,
        blank=True,
        related_name="stripe_sale",
    )
    adopted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        verbose_name=_("adopted by"),
        null=True,
        blank=True,
    )
    left_out_at = models.DateTimeField(_("left out at"), null=True, blank=True)
    due_at = models.DateTimeField(
        _("next work due at"),
        null=True,
        blank=True,
        db_index=True,
        editable=False,
        db_column="adopt_at",
    )
    error = models.CharField(_("error"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("subscription sold at Stripe")
        verbose_name_plural = _("subscriptions sold at Stripe")
        constraints = [
            models.CheckConstraint(
                condition=Q(checkout__isnull=True) | Q(left_out_at__isnull=True, email=""),
                name="stripe_sale_adopted_or_left_out",
            )
        ]

    def __str__(self) -> str:
        return self.subscription_id

    @property
    def is_open(self) -> bool:
        """Return whether it can be adopted, and nobody has decided yet."""
        return self.checkout_id is None and not self.left_out_at and self.status in self.ADOPTABLE
