from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.copy import Copy, pick_copy


class Phase(models.TextChoices):
    """Where a moment lies against the window; computed, never stored."""

    BEFORE = "before", _("before")
    RUNNING = "running", _("running")
    ENDED = "ended", _("ended")


def validate_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(_("“%(name)s” is no IANA time zone."), params={"name": name})


validate_currency = RegexValidator(
    r"^[a-z]{3}\Z", _("Three small letters of ISO 4217, such as eur.")
)


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def running(self, *, at: datetime) -> "CampaignQuerySet":
        """Campaigns whose window holds that moment, highest priority first."""
        return self.filter(starts_at__lte=at, ends_at__gt=at).order_by("-priority", "starts_at")


class Campaign(models.Model):
    """A campaign with a window `[starts_at, ends_at)`, thought of in its own time zone."""

    slug = models.SlugField(_("slug"), unique=True)
    zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", validators=[validate_zone]
    )
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"))
    currency = models.CharField(
        _("currency"), max_length=3, default="eur", validators=[validate_currency]
    )
    priority = models.SmallIntegerField(
        _("priority"),
        default=0,
        help_text=_("Of two running campaigns the one with the higher priority takes strays."),
    )
    supporters_before = models.PositiveIntegerField(
        _("supporters before"),
        default=0,
        help_text=_("Supporters before the campaign began, for the story."),
    )
    # Once staff close it its numbers are kept; what changes later stands beside them.
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True, editable=False)
    closed_by = models.CharField(
        _("closed by"), max_length=150, blank=True, default="", db_default="", editable=False
    )
    final_counts = models.JSONField(
        _("final counts"),
        null=True,
        blank=True,
        editable=False,
        db_column="closed_numbers",
        help_text=_("What each goal counted, by its kind."),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    # Everybody is to be counted anew, in batches: due, and how far it has come.
    recount_at = models.DateTimeField(_("count anew at"), null=True, blank=True, editable=False)
    recounted_to = models.CharField(
        _("counted anew up to"),
        max_length=64,
        blank=True,
        default="",
        db_default="",
        editable=False,
    )
    publish_at = models.DateTimeField(_("publish at"), null=True, blank=True, editable=False)
    publish_lease_until = models.DateTimeField(
        _("publishing is leased until"), null=True, blank=True, editable=False
    )
    published_at = models.DateTimeField(_("published at"), null=True, blank=True, editable=False)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="campaign_ends_after_it_starts",
                violation_error_message=_("The end has to come after the start."),
            )
        ]

    def __str__(self) -> str:
        return self.slug

    def phase(self, *, at: datetime) -> Phase:
        if at < self.starts_at:
            return Phase.BEFORE
        return Phase.RUNNING if at < self.ends_at else Phase.ENDED

    def holds(self, moment: datetime) -> bool:
        """Whether the moment lies in the window; the end is exclusive."""
        return self.phase(at=moment) is Phase.RUNNING

    @property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def copy_for(self, language: str) -> "CampaignCopy":
        """The wording in that language, or the nearest; an empty one if none was written."""
        return pick_copy(self.copies.all(), language) or CampaignCopy(
            campaign=self, name=self.slug.capitalize()
        )


class CampaignCopy(Copy):
    """What a campaign says of itself; plain text, blank lines part paragraphs."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, verbose_name=_("campaign"), related_name="copies"
    )
    name = models.CharField(_("name"), max_length=80)
    headline = models.CharField(_("headline"), max_length=120, blank=True)
    summary = models.CharField(_("summary"), max_length=300, blank=True)
    story = models.TextField(_("story"), blank=True)
    use_of_money = models.TextField(_("use of money"), blank=True)

    class Meta:
        verbose_name = _("campaign copy")
        verbose_name_plural = _("campaign copies")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "language"], name="campaign_copy_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.language})"
