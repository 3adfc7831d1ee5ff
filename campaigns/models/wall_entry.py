"""The wall: new members who want to be named on the campaign page. Staff decide who appears."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import Campaign
from campaigns.models.copy import find_site_language, list_languages
from campaigns.models.erasure import Erasure
from campaigns.models.member import Member
from campaigns.models.tally import Tally


class WallEntryQuerySet(models.QuerySet["WallEntry"]):
    def visible(self, *, at: datetime) -> "WallEntryQuerySet":
        """Return the approved entries of people who count then, without those being erased."""
        counting = Tally.objects.counting_at(at).filter(campaign=OuterRef("campaign"))
        # Two questions: an index answers each, where one about either would read all tallies.
        counts = Q(Exists(counting.filter(member=OuterRef("member"))))
        claimed = Q(Exists(counting.filter(gift__claimed_by=OuterRef("member"))))
        erased = Erasure.objects.filter(member=OuterRef("member"))
        return self.filter(counts | claimed, ~Exists(erased), status=WallEntry.Status.SHOWN)


class WallEntry(models.Model):
    """The words of one member for the campaign page, in plain text.

    New words are a new row, so that nobody approves words that they haven't read.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SHOWN = "shown", _("shown")
        HIDDEN = "hidden", _("hidden")

    MOVES = {
        Status.WAITING: {Status.SHOWN, Status.HIDDEN},
        Status.SHOWN: {Status.HIDDEN},
        Status.HIDDEN: {Status.SHOWN},
    }
    LONGEST_NAME, LONGEST_TOWN, LONGEST_SENTENCE = 40, 60, 160

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, verbose_name=_("campaign"), related_name="wall_entries"
    )
    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, verbose_name=_("member"), related_name="wall_entries"
    )
    first_name = models.CharField(_("first name"), max_length=LONGEST_NAME)
    town = models.CharField(_("town"), max_length=LONGEST_TOWN, blank=True)
    sentence = models.CharField(_("sentence"), max_length=LONGEST_SENTENCE, blank=True)
    language = models.CharField(
        _("language"), max_length=8, choices=list_languages, default=find_site_language
    )
    status = models.CharField(
        _("status"), max_length=8, choices=Status, default=Status.WAITING, editable=False
    )
    written_at = models.DateTimeField(_("written at"), default=timezone.now, editable=False)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        verbose_name=_("decided by"),
        related_name="+",
        null=True,
        blank=True,
        editable=False,
        db_index=False,
    )

    objects = WallEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("entry on the wall")
        verbose_name_plural = _("entries on the wall")
        indexes = [
            models.Index(fields=["campaign", "status", "-written_at"], name="wall_of_campaign"),
            models.Index(fields=["-written_at", "-id"], name="wall_newest"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "member"], name="wall_entry_once")
        ]

    def __str__(self) -> str:
        return f"wall entry {self.pk}"

    @property
    def is_rtl(self) -> bool:
        return bool(get_language_info(self.language)["bidi"])
