from django.db import models
from django.db.models import Q
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
        target = str(self.target)
        if self.kind == self.Kind.MONEY:
            language = get_language() or "en"
            target = format_money(self.target, self.campaign.currency, language=language)
        return f"{self.campaign}: {target} {self.get_kind_display()}"
