from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext_lazy as _

from campaigns.models.copy import Copy, pick_copy
from campaigns.models.drawings import DrawingRefused, clean_drawing, validate_drawing
from campaigns.money import CURRENCIES
from campaigns.people import isolate_direction


class Phase(models.TextChoices):
    """The position of a moment relative to the window; computed, never stored."""

    BEFORE = "before", _("not started yet")
    RUNNING = "running", _("running")
    ENDED = "ended", _("ended")


def validate_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(_("Choose a time zone, for example Europe/Berlin."))


def validate_currency(code: str) -> None:
    if code not in CURRENCIES:
        raise ValidationError(_("Choose a currency that Stripe knows, for example eur."))


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def running(self, *, at: datetime) -> "CampaignQuerySet":
        """Return the campaigns that are running at that moment, highest priority first."""
        return self.filter(starts_at__lte=at, ends_at__gt=at).order_by("-priority", "starts_at")


class Campaign(models.Model):
    """A campaign with a window `[starts_at, ends_at)` in its own time zone."""

    slug = models.SlugField(
        _("short name"),
        unique=True,
        error_messages={
            "unique": _("Another campaign has this short name. Choose a different one.")
        },
        help_text=_(
            "The last part of the campaign’s address, and its name in files. Small Latin letters "
            "without spaces, for example birthday. It can’t be changed later."
        ),
    )
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
        help_text=_(
            "If a link names no campaign, the running one with the highest priority gets the sale."
        ),
    )
    supporters_before = models.PositiveIntegerField(
        _("earlier supporters"),
        default=0,
        help_text=_(
            "Number of supporters before the campaign. Banners mention it if it isn’t zero."
        ),
    )
    takes_contributions = models.BooleanField(
        _("accept contributions without membership"),
        default=False,
        db_default=False,
        help_text=_(
            "Readers can give once without becoming a member, at prices of the kind “contribution "
            "without membership”. They count towards a money goal, and never as new members."
        ),
    )
    reminds_unfinished = models.BooleanField(
        _("remind readers of unfinished payments"),
        default=False,
        db_default=False,
        help_text=_(
            "Readers who left the payment page get one e-mail three hours later, at most one in "
            "30 days, with a link to continue. They can opt out."
        ),
    )
    shows_wall = models.BooleanField(
        _("show new members on a wall"),
        default=False,
        db_default=False,
        help_text=_(
            "New members can give their first name, town and a sentence for the campaign page. "
            "They appear once you approve them, beside the true count."
        ),
    )
    friends_for_reward = models.PositiveSmallIntegerField(
        _("friends for a reward"),
        default=0,
        db_default=0,
        help_text=_(
            "Members get months of membership each time this many friends have joined by their "
            "link and weren’t refunded. With 0 they get nothing."
        ),
    )
    reward_months = models.PositiveSmallIntegerField(
        _("months for each reward"),
        default=1,
        db_default=1,
        validators=[MinValueValidator(1), MaxValueValidator(12)],
    )
    most_reward_months = models.PositiveSmallIntegerField(
        _("most months for one member"),
        default=12,
        db_default=12,
        validators=[MinValueValidator(1), MaxValueValidator(120)],
        help_text=_("Months that one member can get for friends in this campaign."),
    )
    # Closing stores the final counts. Later changes are shown separately.
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
        help_text=_("The final count of each goal, by goal kind."),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    # When a recount is due, and how far it has come.
    recount_at = models.DateTimeField(_("recount due at"), null=True, blank=True, editable=False)
    recounted_to = models.CharField(
        _("recounted up to"),
        max_length=64,
        blank=True,
        default="",
        db_default="",
        editable=False,
    )
    publish_at = models.DateTimeField(_("publishing due at"), null=True, blank=True, editable=False)
    publish_lease_until = models.DateTimeField(
        _("publishing lease ends at"), null=True, blank=True, editable=False
    )
    published_at = models.DateTimeField(_("published at"), null=True, blank=True, editable=False)
    # The reason why the last attempt to publish failed, and since when every attempt has failed.
    publish_error = models.CharField(
        _("publishing error"),
        max_length=200,
        blank=True,
        default="",
        db_default="",
        editable=False,
    )
    publish_failed_at = models.DateTimeField(
        _("publishing failed since"), null=True, blank=True, editable=False
    )
    hides_banners = models.BooleanField(
        _("banners hidden"), default=False, db_default=False, editable=False
    )
    # Banners disappear at the beginning of this day in the campaign's zone.
    hide_banners_on = models.DateField(
        _("hide banners on"),
        null=True,
        blank=True,
        help_text=_(
            "After the end, banners show the final count until this day, in the campaign’s time "
            "zone. If it is empty, they stay until you hide them."
        ),
    )
    nearly_percent = models.PositiveSmallIntegerField(
        _("nearly there at"),
        default=90,
        db_default=90,
        validators=[MinValueValidator(1), MaxValueValidator(99)],
        help_text=_("From this percent of the target, banners say that you’re nearly there."),
    )
    emblem = models.TextField(
        _("emblem"),
        blank=True,
        default="",
        db_default="",
        validators=[validate_drawing],
        help_text=_(
            "The drawing beside the campaign’s name in banners and in its picture, as the text of "
            "an SVG file. Leave it empty to use the birthday candles."
        ),
    )

    objects = CampaignQuerySet.as_manager()

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        permissions = [
            ("plan_campaign", _("Can change a campaign’s dates and settings, and recount it")),
            ("publish_banners", _("Can publish, hide and show banners")),
            ("close_campaign", _("Can close and reopen campaigns")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="campaign_ends_after_it_starts",
                violation_error_message=_("The end must be after the start."),
            )
        ]

    def __str__(self) -> str:
        return self.slug

    def phase(self, *, at: datetime) -> Phase:
        if at < self.starts_at:
            return Phase.BEFORE
        return Phase.RUNNING if at < self.ends_at else Phase.ENDED

    def holds(self, moment: datetime) -> bool:
        """Return whether the moment is in the window; the end is exclusive."""
        return self.phase(at=moment) is Phase.RUNNING

    @property
    def last_day(self) -> date:
        """The last day of the window in the campaign's zone; an end at midnight is exclusive."""
        return (self.ends_at - timedelta(microseconds=1)).astimezone(self.zone_info).date()

    @property
    def last_day_begins_at(self) -> datetime:
        return self._begin_day(self.last_day)

    def is_last_day(self, *, at: datetime) -> bool:
        return self.holds(at) and at >= self.last_day_begins_at

    def _begin_day(self, day: date) -> datetime:
        """Return the first moment of a day in the campaign's zone."""
        return datetime.combine(day, time(), self.zone_info).astimezone(UTC)

    @property
    def banners_end_at(self) -> datetime | None:
        """The moment from which there are no banners, if staff set a day for it."""
        return None if self.hide_banners_on is None else self._begin_day(self.hide_banners_on)

    def is_without_banners(self, *, at: datetime) -> bool:
        """Return whether staff have hidden the banners, or set a day for it that has come."""
        ends_at = self.banners_end_at
        return self.hides_banners or (ends_at is not None and at >= ends_at)

    @property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def drawn_emblem(self) -> SafeString:
        """The newsroom's emblem as an inline SVG; empty without one."""
        try:
            return clean_drawing(self.emblem) if self.emblem else SafeString("")
        except DrawingRefused:  # it was written before a rule existed
            return SafeString("")

    def copy_for(self, language: str) -> "CampaignCopy":
        """Return the texts in that language or another one; empty texts if staff wrote none."""
        return pick_copy(self.copies.all(), language) or CampaignCopy(
            campaign=self, name=self.slug.capitalize()
        )


def find_zone(campaign: Campaign | None) -> ZoneInfo:
    """Return the campaign's time zone; without a campaign, the newsroom's."""
    return campaign.zone_info if campaign else ZoneInfo(timezone.get_default_timezone_name())


class CampaignCopy(Copy):
    """The texts of a campaign in one language; plain text, paragraphs separated by blank lines."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, verbose_name=_("campaign"), related_name="copies"
    )
    name = models.CharField(_("name"), max_length=80)
    headline = models.CharField(_("headline"), max_length=120, blank=True)
    summary = models.CharField(_("summary"), max_length=300, blank=True)
    story = models.TextField(_("story"), blank=True)
    use_of_money = models.TextField(_("use of money"), blank=True)

    class Meta:
        verbose_name = _("campaign texts")
        verbose_name_plural = _("campaign texts")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "language"], name="campaign_copy_once")
        ]

    def __str__(self) -> str:
        name = isolate_direction(self.name, rtl=get_language_bidi())
        return f"{name} ({self.get_language_display()})"
