from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import Campaign
from campaigns.models.copy import Copy


class Banner(Copy):
    """Staff's banner text for one placement and state; without a row, the default text is used.

    Its placeholders are listed in campaigns/banners/placeholders.py.
    """

    class Placement(models.TextChoices):
        TOP = "top", _("bar at the top")
        INLINE = "inline", _("block inside the article")
        END = "end", _("card at the end of the article")

    class State(models.TextChoices):
        BEFORE = "before", _("before the campaign")
        RUNNING = "running", _("running")
        REACHED = "reached", _("goal reached")
        ENDED = "ended", _("ended")

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, verbose_name=_("campaign"), related_name="banners"
    )
    placement = models.CharField(_("placement"), max_length=8, choices=Placement)
    state = models.CharField(_("state"), max_length=8, choices=State)
    headline = models.CharField(_("headline"), max_length=70)
    text = models.CharField(_("text"), max_length=240, blank=True)

    class Meta:
        verbose_name = _("banner text")
        verbose_name_plural = _("banner texts")
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "placement", "state", "language"], name="banner_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.campaign} {self.placement} {self.state} ({self.language})"
