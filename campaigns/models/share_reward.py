from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import Campaign
from campaigns.models.member import Member
from campaigns.models.membership import Membership


class ShareReward(models.Model):
    """Months that a member was given because friends joined by their link; never withdrawn."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, verbose_name=_("campaign"), related_name="share_rewards"
    )
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, verbose_name=_("member"), related_name="share_rewards"
    )
    # The first, second, ... of the member in the campaign.
    number = models.PositiveSmallIntegerField(_("number of the reward"))
    friends = models.PositiveIntegerField(_("friends who counted then"))
    months = models.PositiveSmallIntegerField(_("months"))
    membership = models.OneToOneField(
        Membership,
        on_delete=models.PROTECT,
        verbose_name=_("membership"),
        related_name="share_reward",
    )
    granted_at = models.DateTimeField(_("granted at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("months for friends")
        verbose_name_plural = _("months for friends")
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "member", "number"], name="share_reward_once"
            )
        ]

    def __str__(self) -> str:
        return f"reward {self.pk}"
