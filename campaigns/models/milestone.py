from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import Campaign


class Milestone(models.Model):
    """An event that staff are notified of once in a campaign, whatever the count does later."""

    class Kind(models.TextChoices):
        PERCENT = "percent", _("part of the goal reached")
        GOAL = "goal", _("goal reached")
        PACE_LOST = "pace_lost", _("behind for three days")
        LAST_DAY = "last_day", _("24 hours left")

    campaign = models.ForeignKey(
        Campaign,
        on_delete=models.CASCADE,
        verbose_name=_("campaign"),
        related_name="+",
        db_index=False,
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    # 10 to 90 for a part of the goal, otherwise 0.
    percent = models.PositiveSmallIntegerField(_("percent"), default=0)
    noticed_at = models.DateTimeField(_("noticed at"), default=timezone.now)

    class Meta:
        verbose_name = _("milestone")
        verbose_name_plural = _("milestones")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "kind", "percent"], name="milestone_once")
        ]

    def __str__(self) -> str:
        return f"{self.campaign} {self.kind} {self.percent or ''}".rstrip()
