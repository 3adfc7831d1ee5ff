from datetime import timedelta

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import validate_currency
from campaigns.models.copy import Copy, pick_copy
from campaigns.money import format_money

KEY_REFUSED = (401, 403)  # HTTP statuses: our key is wrong, or lacks a permission
KEY_PAUSE = timedelta(minutes=5)


class Plan(models.Model):
    """A kind of membership that readers can buy."""

    slug = models.SlugField(_("slug"), unique=True)
    position = models.SmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("on sale"), default=True)
    gift_claimable_days = models.PositiveSmallIntegerField(
        _("days to claim a gift"),
        default=365,
        db_default=365,
        validators=[MinValueValidator(1)],
        help_text=_("Days from the delivery until an unclaimed gift expires."),
    )
    stripe_product_id = models.CharField(
        _("Stripe product ID"), max_length=255, blank=True, editable=False
    )

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["position", "slug"]

    def __str__(self) -> str:
        return self.slug

    def copy_for(self, language: str) -> "PlanCopy":
        """Return the texts in that language or another one; empty texts if staff wrote none."""
        return pick_copy(self.copies.all(), language) or PlanCopy(
            plan=self, name=self.slug.capitalize()
        )


class PlanCopy(Copy):
    """The texts of a plan in one language."""

    plan = models.ForeignKey(
        Plan, on_delete=models.CASCADE, verbose_name=_("plan"), related_name="copies"
    )
    name = models.CharField(_("name"), max_length=80)
    benefits = models.TextField(_("benefits"), blank=True, help_text=_("One per line."))

    class Meta:
        verbose_name = _("plan texts")
        verbose_name_plural = _("plan texts")
        constraints = [models.UniqueConstraint(fields=["plan", "language"], name="plan_copy_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def benefit_lines(self) -> list[str]:
        return [line.strip() for line in self.benefits.splitlines() if line.strip()]


class PriceQuerySet(models.QuerySet["Price"]):
    def on_sale(self) -> "PriceQuerySet":
        """Return the prices that can be bought now: active, created at Stripe and not refused.

        A refusal of our key says nothing about the price, so it is offered again after a pause.
        """
        offered = Q(refused_at__isnull=True) | Q(
            refused_status__in=KEY_REFUSED, refused_at__lte=timezone.now() - KEY_PAUSE
        )
        at_stripe = self.exclude(stripe_price_id="").filter(offered)
        return at_stripe.filter(is_active=True, plan__is_active=True).select_related("plan")

    def refused(self) -> "PriceQuerySet":
        """Return the prices that staff want to sell and Stripe refused."""
        return self.filter(is_active=True, plan__is_active=True, refused_at__isnull=False)

    def for_joining(self, *, currency: str) -> "PriceQuerySet":
        kinds = [Price.Kind.MONTH, Price.Kind.YEAR, Price.Kind.ONCE]
        return self.on_sale().filter(kind__in=kinds, currency=currency)

    def for_giving(self, *, currency: str) -> "PriceQuerySet":
        return self.on_sale().filter(kind=Price.Kind.GIFT, currency=currency)


def _write_months(months: int) -> str:
    return ngettext("%(count)d month", "%(count)d months", months) % {"count": months}


class Price(models.Model):
    """One way to buy a plan. Its amount in minor units never changes; a new price is a new row."""

    class Kind(models.TextChoices):
        MONTH = "month", _("every month")
        YEAR = "year", _("every year")
        ONCE = "once", _("once")
        GIFT = "gift", _("gift")

    plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, verbose_name=_("plan"), related_name="prices"
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    months = models.PositiveSmallIntegerField(
        _("months"),
        null=True,
        blank=True,
        help_text=_("Length of the membership, for one-time prices and gifts."),
    )
    currency = models.CharField(
        _("currency"), max_length=3, default="eur", validators=[validate_currency]
    )
    amount_minor = models.PositiveBigIntegerField(_("amount"))
    is_active = models.BooleanField(_("on sale"), default=True)
    stripe_price_id = models.CharField(
        _("Stripe price ID"), max_length=255, blank=True, editable=False
    )
    # Set while Stripe refuses to sell at this price.
    refused_at = models.DateTimeField(_("refused at"), null=True, blank=True, editable=False)
    refused_status = models.PositiveSmallIntegerField(
        _("HTTP status of the refusal"), default=0, db_default=0, editable=False
    )
    refusal = models.CharField(
        _("Stripe’s reason"), max_length=500, blank=True, default="", db_default="", editable=False
    )

    objects = PriceQuerySet.as_manager()

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering = ["plan__position", "-amount_minor", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0),
                name="price_above_zero",
                violation_error_message=_("The price must be above zero."),
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["month", "year"], months__isnull=True)
                | Q(kind__in=["once", "gift"], months__isnull=False, months__gt=0),
                name="price_months_fit_its_kind",
                violation_error_message=_(
                    "Set the number of months for a one-time price or a gift. Leave it empty for a "
                    "price that renews."
                ),
            ),
        ]

    def __str__(self) -> str:
        amount = format_money(self.amount_minor, self.currency, language=get_language() or "en")
        words = f"{self.plan}: {amount} {self.get_kind_display()}"
        return f"{words}, {_write_months(self.months)}" if self.months else words

    @property
    def is_subscription(self) -> bool:
        return self.kind in {self.Kind.MONTH, self.Kind.YEAR}

    @property
    def lookup_key(self) -> str:
        """Return the name by which `stripe_setup` finds this price at Stripe."""
        term = f"{self.kind}-{self.months}" if self.months else self.kind
        return f"{self.plan.slug}-{term}-{self.currency}-{self.amount_minor}"
