from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import validate_currency
from campaigns.models.copy import Copy, pick_copy


class Plan(models.Model):
    """What a reader can become."""

    slug = models.SlugField(_("slug"), unique=True)
    position = models.SmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("on sale"), default=True)
    gift_claimable_days = models.PositiveSmallIntegerField(
        _("days to claim a gift"),
        default=365,
        db_default=365,
        validators=[MinValueValidator(1)],
        help_text=_("From its delivery on; then it expires."),
    )
    stripe_product_id = models.CharField(
        _("product id"), max_length=255, blank=True, editable=False
    )

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["position", "slug"]

    def __str__(self) -> str:
        return self.slug

    def copy_for(self, language: str) -> "PlanCopy":
        """The wording in that language or the nearest there is."""
        return pick_copy(self.copies.all(), language) or PlanCopy(
            plan=self, name=self.slug.capitalize()
        )


class PlanCopy(Copy):
    plan = models.ForeignKey(
        Plan, on_delete=models.CASCADE, verbose_name=_("plan"), related_name="copies"
    )
    name = models.CharField(_("name"), max_length=80)
    benefits = models.TextField(_("benefits"), blank=True, help_text=_("One a line."))

    class Meta:
        verbose_name = _("plan copy")
        verbose_name_plural = _("plan copies")
        constraints = [models.UniqueConstraint(fields=["plan", "language"], name="plan_copy_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def benefit_lines(self) -> list[str]:
        return [line.strip() for line in self.benefits.splitlines() if line.strip()]


class PriceQuerySet(models.QuerySet["Price"]):
    def on_sale(self) -> "PriceQuerySet":
        """What can be bought now: of what Stripe does not know yet nothing can."""
        known = self.exclude(stripe_price_id="")
        return known.filter(is_active=True, plan__is_active=True).select_related("plan")

    def for_joining(self, *, currency: str) -> "PriceQuerySet":
        kinds = [Price.Kind.MONTH, Price.Kind.YEAR, Price.Kind.ONCE]
        return self.on_sale().filter(kind__in=kinds, currency=currency)

    def for_giving(self, *, currency: str) -> "PriceQuerySet":
        return self.on_sale().filter(kind=Price.Kind.GIFT, currency=currency)


class Price(models.Model):
    """One way to buy a plan. The amount is in minor units and never changes: a new one is a row."""

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
        help_text=_("How long it lasts if bought once or as a gift."),
    )
    currency = models.CharField(
        _("currency"), max_length=3, default="eur", validators=[validate_currency]
    )
    amount_minor = models.PositiveBigIntegerField(
        _("amount in minor units"), help_text=_("In minor units: 6000 is €60.")
    )
    is_active = models.BooleanField(_("on sale"), default=True)
    stripe_price_id = models.CharField(_("price id"), max_length=255, blank=True, editable=False)

    objects = PriceQuerySet.as_manager()

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering = ["plan__position", "-amount_minor"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0),
                name="price_above_zero",
                violation_error_message=_("A price is above zero."),
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["month", "year"], months__isnull=True)
                | Q(kind__in=["once", "gift"], months__isnull=False, months__gt=0),
                name="price_months_fit_its_kind",
                violation_error_message=_(
                    "What is bought once or as a gift says for how many months; what renews by "
                    "itself does not."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} {self.lookup_key}"

    @property
    def is_subscription(self) -> bool:
        return self.kind in {self.Kind.MONTH, self.Kind.YEAR}

    @property
    def lookup_key(self) -> str:
        """The name under which `stripe_setup` keeps this price at Stripe."""
        term = f"{self.kind}-{self.months}" if self.months else self.kind
        return f"{self.plan.slug}-{term}-{self.currency}-{self.amount_minor}"
