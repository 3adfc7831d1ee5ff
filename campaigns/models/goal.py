from django.db import models
from django.db.models import F, Q
from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import Campaign
from campaigns.money import format_money


class Goal(models.Model):
    """A number that a campaign counts, and the target it wants to reach."""

    class Kind(models.TextChoices):
        NEW_MEMBERS = "new_members", _("new members")
        GIFTS = "gifts", _("gift memberships")
        MONEY = "money", _("money raised")

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, verbose_name=_("campaign"), related_name="goals"
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.NEW_MEMBERS)
    # For money, in minor units of the campaign's currency.
    target = models.PositiveBigIntegerField(_("target"))
    # Counted before the campaign, such as 3,120 supporters of the 4,000 that are wanted.
    starts_from = models.PositiveBigIntegerField(
        _("starting number"),
        default=0,
        db_default=0,
        help_text=_(
            "What you had before the campaign. Banners add the count to it and say so. Reports "
            "keep the count alone."
        ),
    )
    # Without one, banners say thanks once the target is reached, and the count goes on.
    stretch_target = models.PositiveBigIntegerField(
        _("next target"),
        null=True,
        blank=True,
        help_text=_(
            "Banners show this target once the first one is reached. Leave it empty to say thanks "
            "and to keep counting."
        ),
    )
    is_primary = models.BooleanField(
        _("primary goal"), default=False, help_text=_("The goal that banners show.")
    )

    class Meta:
        verbose_name = _("goal")
        verbose_name_plural = _("goals")
        constraints = [
            models.CheckConstraint(
                condition=Q(target__gt=0),
                name="goal_target_above_zero",
                violation_error_message=_("The target must be above zero."),
            ),
            models.CheckConstraint(
                condition=Q(stretch_target__isnull=True) | Q(stretch_target__gt=F("target")),
                name="goal_stretch_above_target",
                violation_error_message=_("The next target must be above the first one."),
            ),
            models.CheckConstraint(
                condition=Q(starts_from__lt=F("target")),
                name="goal_starts_below_target",
                violation_error_message=_("The starting number must be below the target."),
            ),
            models.UniqueConstraint(fields=["campaign", "kind"], name="goal_kind_once"),
            models.UniqueConstraint(
                fields=["campaign"],
                condition=Q(is_primary=True),
                name="goal_one_primary",
                violation_error_message=_(
                    "Choose only one primary goal. It is the goal that banners show."
                ),
            ),
        ]

    def __str__(self) -> str:
        target = number_format(self.target, force_grouping=True)
        if self.kind == self.Kind.MONEY:
            language = get_language() or "en"
            target = format_money(self.target, self.campaign.currency, language=language)
        return f"{target} {self.get_kind_display()}"
