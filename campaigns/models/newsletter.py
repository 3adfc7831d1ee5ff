"""Newsletters that readers can sign up for. Another tool of the newspaper sends them."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.safestring import SafeString
from django.utils.translation import get_language_info, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from campaigns.models.copy import find_site_language, list_languages
from campaigns.models.drawings import DrawingRefused, clean_drawing, validate_drawing
from campaigns.spreadsheets import is_formula


def validate_name(name: str) -> None:
    if is_formula(name):  # names end up in spreadsheets
        raise ValidationError(_("A name can’t start with “%(sign)s”.") % {"sign": name[0]})


class NewsletterQuerySet(models.QuerySet["Newsletter"]):
    def offered(self) -> "NewsletterQuerySet":
        """Return the newsletters that readers can sign up for, in their order."""
        return self.filter(is_offered=True).order_by("position", "pk")


class Newsletter(models.Model):
    """A newsletter, with its texts in the language in which it is written."""

    class Frequency(models.TextChoices):
        DAILY = "daily", _("every day")
        WEEKDAYS = "weekdays", _("every weekday")
        WEEKLY = "weekly", _("every week")
        FORTNIGHTLY = "fortnightly", _("every two weeks")
        MONTHLY = "monthly", _("every month")
        IRREGULAR = "irregular", _("when there is news")

    slug = models.SlugField(
        _("short name"),
        unique=True,
        error_messages={
            "unique": _("Another newsletter has this short name. Choose a different one.")
        },
        help_text=_("Names the newsletter in files, for your mailing tool. Don’t change it later."),
    )
    name = models.CharField(
        pgettext_lazy("a newsletter’s", "name"), max_length=80, validators=[validate_name]
    )
    description = models.CharField(
        _("description"),
        max_length=200,
        blank=True,
        help_text=_("One sentence that says what readers get."),
    )
    frequency = models.CharField(
        _("how often"), max_length=12, choices=Frequency, default=Frequency.WEEKLY
    )
    language = models.CharField(
        _("language"),
        max_length=8,
        choices=list_languages,
        default=find_site_language,
        help_text=_("The language in which the newsletter and these texts are written."),
    )
    emblem = models.TextField(
        _("picture"),
        blank=True,
        default="",
        db_default="",
        validators=[validate_drawing],
        help_text=_("A drawing beside the name, as the text of an SVG file. It can be empty."),
    )
    position = models.PositiveSmallIntegerField(
        _("position"), default=0, help_text=_("Newsletters with a lower number come first.")
    )
    is_offered = models.BooleanField(
        _("offered"),
        default=True,
        db_default=True,
        help_text=_(
            "Readers can sign up for it. If you stop offering it, subscribers stay subscribed."
        ),
    )

    ghost_slug = models.SlugField(
        _("newsletter in Ghost"),
        max_length=191,
        blank=True,
        default="",
        db_default="",
        help_text=_(
            "The slug of the same newsletter in your Ghost. Readers who subscribed here get it "
            "there. If it is empty, nothing is sent to Ghost."
        ),
    )

    objects = NewsletterQuerySet.as_manager()

    class Meta:
        verbose_name = _("newsletter")
        verbose_name_plural = _("newsletters")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def drawn_emblem(self) -> SafeString:
        """The picture as an inline SVG; empty without one."""
        try:
            return clean_drawing(self.emblem) if self.emblem else SafeString("")
        except DrawingRefused:  # it was written before a rule existed
            return SafeString("")

    @property
    def is_rtl(self) -> bool:
        return bool(get_language_info(self.language)["bidi"])
