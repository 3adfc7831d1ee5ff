from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import Campaign
from campaigns.models.copy import Copy

# The most characters that readers see of each text. The columns have room for links.
LONGEST = {"headline": 70, "text": 240, "join_label": 30, "gift_label": 30, "small_print": 160}


class Banner(Copy):
    """Staff's banner texts for one placement and state; empty texts show the default ones.

    Headline and text belong together: with a headline, an empty text means no text. Placeholders
    are listed in campaigns/banners/placeholders.py, markup in campaigns/forms/markup.py.
    """

    class Placement(models.TextChoices):
        TOP = "top", _("bar at the top")
        INLINE = "inline", _("block inside the article")
        END = "end", _("card at the end of the article")
        CORNER = "corner", _("card in the corner of the window")

    class State(models.TextChoices):
        BEFORE = "before", _("before the campaign")
        RUNNING = "running", _("running")
        NEARLY = "nearly", _("nearly there")
        LAST_DAY = "last_day", _("last day")
        REACHED = "reached", _("goal reached")
        ENDED = "ended", _("ended")

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, verbose_name=_("campaign"), related_name="banners"
    )
    placement = models.CharField(_("placement"), max_length=8, choices=Placement)
    state = models.CharField(_("state"), max_length=8, choices=State)
    headline = models.CharField(_("headline"), max_length=600, blank=True)
    text = models.CharField(_("text"), max_length=1200, blank=True)
    join_label = models.CharField(
        _("first button"), max_length=60, blank=True, default="", db_default=""
    )
    gift_label = models.CharField(
        _("second button"), max_length=60, blank=True, default="", db_default=""
    )
    small_print = models.CharField(
        _("small print"), max_length=600, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("banner text")
        verbose_name_plural = _("banner texts")
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "placement", "state", "language"], name="banner_once"
            )
        ]

    def __str__(self) -> str:
        where = f"{self.get_placement_display()}, {self.get_state_display()}"
        return f"{where} ({self.get_language_display()})"
