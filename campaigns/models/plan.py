from dataclasses import dataclass
from datetime import timedelta

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import get_language, get_language_bidi, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import validate_currency
from campaigns.models.copy import Copy, pick_copy
from campaigns.money import charge_step, format_money, largest_charge, smallest_charge
from campaigns.people import isolate_direction

KEY_REFUSED = (401, 403)  # HTTP statuses: our key is wrong, or lacks a permission
KEY_PAUSE = timedelta(minutes=5)


class PlanQuerySet(models.QuerySet["Plan"]):
    def for_members(self) -> "PlanQuerySet":
        """Return the plans on sale that a member can have, not those of contributions alone."""
        own = Price.objects.filter(plan=OuterRef("pk"))
        contributions = own.filter(kind=Price.Kind.CONTRIBUTION)
        others = own.exclude(kind=Price.Kind.CONTRIBUTION)
        return self.filter(~Exists(contributions) | Exists(others), is_active=True)


class Plan(models.Model):
    """A kind of membership that readers can buy."""

    slug = models.SlugField(
        _("short name"),
        unique=True,
        error_messages={"unique": _("Another plan has this short name. Choose a different one.")},
        help_text=_("Names the plan in files and for other systems. Don’t change it later."),
    )
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

    objects = PlanQuerySet.as_manager()

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
        name = isolate_direction(self.name, rtl=get_language_bidi())
        return f"{name} ({self.get_language_display()})"

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

    def for_contributing(self, *, currency: str) -> "PriceQuerySet":
        return self.on_sale().filter(kind=Price.Kind.CONTRIBUTION, currency=currency)


def _write_months(months: int) -> str:
    return ngettext("%(count)d month", "%(count)d months", months) % {"count": months}


class Priced:
    """Facts of a price that hold for each of its amounts."""

    price: "Price"

    @property
    def kind(self) -> str:
        return self.price.kind

    @property
    def months(self) -> int | None:
        return self.price.months

    @property
    def currency(self) -> str:
        return self.price.currency

    @property
    def plan(self) -> Plan:
        return self.price.plan

    @property
    def plan_id(self) -> int:
        return self.price.plan_id

    @property
    def is_subscription(self) -> bool:
        return self.price.is_subscription

    def get_kind_display(self) -> str:
        return self.price.get_kind_display()


@dataclass(frozen=True)
class Terms(Priced):
    """An open price with the amount that a reader chose, in minor units."""

    price: "Price"
    amount_minor: int


class Price(models.Model):
    """One way to buy a plan. Its amount in minor units never changes; a new price is a new row.

    At an open price, readers choose the amount. Its own amount is then the one that is chosen for
    them first.
    """

    class Kind(models.TextChoices):
        MONTH = "month", _("every month")
        YEAR = "year", _("every year")
        ONCE = "once", _("once")
        GIFT = "gift", _("gift")
        CONTRIBUTION = "contribution", _("contribution without membership")

    plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, verbose_name=_("plan"), related_name="prices"
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
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
    is_open = models.BooleanField(_("readers choose the amount"), default=False, db_default=False)
    # Only of an open price, in minor units: amounts to choose from beside its own, and limits.
    suggested_minor = models.JSONField(_("other suggested amounts"), default=list, db_default=[])
    minimum_minor = models.PositiveBigIntegerField(_("smallest amount"), null=True, blank=True)
    maximum_minor = models.PositiveBigIntegerField(_("largest amount"), null=True, blank=True)
    shows_average = models.BooleanField(
        _("show what members pay on average"), default=False, db_default=False
    )
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
                condition=Q(kind__in=["month", "year", "contribution"], months__isnull=True)
                | Q(kind__in=["once", "gift"], months__isnull=False, months__gt=0),
                name="price_months_fit_its_kind",
                violation_error_message=_(
                    "Set the number of months for a one-time price or a gift. Leave it empty for a "
                    "price that renews, and for a contribution."
                ),
            ),
            models.CheckConstraint(
                condition=Q(is_open=False) | ~Q(kind="gift"),
                name="price_of_gift_is_fixed",
                violation_error_message=_("The price of a gift is fixed."),
            ),
            models.CheckConstraint(
                condition=(Q(minimum_minor=None) | Q(amount_minor__gte=F("minimum_minor")))
                & (Q(maximum_minor=None) | Q(amount_minor__lte=F("maximum_minor"))),
                name="price_within_its_limits",
                violation_error_message=_(
                    "The amount must be between the smallest and the largest amount."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.describe(str(self.plan))

    def describe(self, plan: str) -> str:
        """Return the amount and the time it pays for, after the name of its plan."""
        amount = format_money(self.amount_minor, self.currency, language=get_language() or "en")
        if self.is_open:
            amount = gettext("%(amount)s or another amount") % {"amount": amount}
        words = f"{plan}: {amount} {self.get_kind_display()}"
        return f"{words}, {_write_months(self.months)}" if self.months else words

    @property
    def is_subscription(self) -> bool:
        return self.kind in {self.Kind.MONTH, self.Kind.YEAR}

    @property
    def amounts(self) -> list[int]:
        """Return the amounts that readers are offered, in ascending order."""
        return sorted(
            {self.amount_minor, *self.suggested_minor} if self.is_open else {self.amount_minor}
        )

    @property
    def least_minor(self) -> int:
        """Return the smallest amount that readers may choose."""
        return max(self.minimum_minor or 0, smallest_charge(self.currency))

    @property
    def most_minor(self) -> int:
        """Return the largest amount that readers may choose."""
        largest = largest_charge(self.currency)
        return min(self.maximum_minor or largest, largest)

    def allows(self, amount_minor: int) -> bool:
        """Return whether readers may pay this amount."""
        if not self.is_open:
            return amount_minor == self.amount_minor
        is_within = self.least_minor <= amount_minor <= self.most_minor
        return is_within and not amount_minor % charge_step(self.currency)

    def at_amount(self, amount_minor: int | None) -> "Price | Terms":
        """Return the price with the amount that was chosen, or as it is if the price is fixed."""
        return Terms(self, amount_minor) if self.is_open and amount_minor else self

    @property
    def lookup_key(self) -> str:
        """Return the name by which `stripe_setup` finds this price at Stripe."""
        term = f"{self.kind}-{self.months}" if self.months else self.kind
        opened = "-open" if self.is_open else ""
        return f"{self.plan.slug}-{term}-{self.currency}-{self.amount_minor}{opened}"
