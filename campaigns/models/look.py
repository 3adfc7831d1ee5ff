"""The newsroom's look: its name, logo, colours and fonts, as one row."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from campaigns.colours import is_colour, measure_contrast, mix_colours
from campaigns.models.drawings import DrawingRefused, clean_drawing, read_logo, validate_drawing

AA = 4.5
SERIF = '"Iowan Old Style", Charter, "Bitstream Charter", Georgia, serif'
SANS = 'system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif'
_FAMILY = re.compile(r"[A-Za-z0-9][A-Za-z0-9 -]{0,58}")


def validate_colour(text: str) -> None:
    if not is_colour(text):
        raise ValidationError(_("Write the colour as # and six digits, for example #1d4e89."))


def validate_family(text: str) -> None:
    if not _FAMILY.fullmatch(text):
        raise ValidationError(
            _("Use only letters, digits, spaces and hyphens, for example Source Serif 4.")
        )


@dataclass(frozen=True)
class Palette:
    """The five colours of tokens.css, and those that it derives from them."""

    ink: str
    paper: str
    line: str
    accent: str
    glow: str

    @property
    def quiet(self) -> str:
        return mix_colours(self.ink, 72, self.paper)

    @property
    def edge(self) -> str:
        return mix_colours(self.ink, 55, self.paper)


# As in tokens.css.
LIGHT = Palette("#1b1a17", "#fbfaf7", "#d3cec2", "#1d4e89", "#f2b632")
DARK = Palette("#ece8de", "#171613", "#45423a", "#8fb8e8", "#f2c14e")
COLOURS = tuple(asdict(LIGHT))


@dataclass(frozen=True)
class ContrastRule:
    """Two colours of a palette that need contrast, and the field at which its error is shown."""

    first: str
    second: str
    field: str
    label: StrOrPromise


CONTRAST_RULES = (
    ContrastRule("ink", "paper", "ink", _("Text on the background")),
    ContrastRule("quiet", "paper", "ink", _("Small print on the background")),
    ContrastRule("accent", "paper", "accent", _("Links and buttons on the background")),
)


def _make_colour(label: StrOrPromise) -> "models.CharField[str, str]":
    return models.CharField(
        label, max_length=7, blank=True, default="", db_default="", validators=[validate_colour]
    )


class Look(models.Model):
    """The newsroom's name, logo, colours and fonts. Whatever is empty keeps its default."""

    name = models.CharField(_("name"), max_length=80, blank=True, default="", db_default="")
    logo = models.TextField(
        _("logo"),
        blank=True,
        default="",
        db_default="",
        validators=[validate_drawing],
        help_text=_(
            "The text of an SVG file. It replaces the name on readers’ pages. Leave it empty to "
            "show the name."
        ),
    )
    headline_font = models.CharField(
        _("font of headlines and stories"),
        max_length=60,
        blank=True,
        default="",
        db_default="",
        validators=[validate_family],
    )
    text_font = models.CharField(
        _("font of buttons, forms and notes"),
        max_length=60,
        blank=True,
        default="",
        db_default="",
        validators=[validate_family],
    )
    ink = _make_colour(_("text"))
    paper = _make_colour(_("background"))
    line = _make_colour(_("lines"))
    accent = _make_colour(_("links, bars and buttons"))
    glow = _make_colour(_("goal reached"))
    dark_ink = _make_colour(_("text"))
    dark_paper = _make_colour(_("background"))
    dark_line = _make_colour(_("lines"))
    dark_accent = _make_colour(_("links, bars and buttons"))
    dark_glow = _make_colour(_("goal reached"))
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)

    class Meta:
        verbose_name = _("newsroom’s look")
        verbose_name_plural = _("newsroom’s look")

    def __str__(self) -> str:
        return str(_("Name, logo, colours and fonts"))

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1  # there is one newsroom
        super().save(*args, **kwargs)

    @property
    def light(self) -> Palette:
        return self._build_palette("", LIGHT)

    @property
    def dark(self) -> Palette:
        return self._build_palette("dark_", DARK)

    def _build_palette(self, prefix: str, default: Palette) -> Palette:
        chosen = {name: getattr(self, prefix + name) for name in COLOURS}
        return Palette(**asdict(default) | {name: it for name, it in chosen.items() if it})

    @property
    def serif(self) -> str:
        """The CSS font family of headlines and stories."""
        return f'"{self.headline_font}", {SERIF}' if self.headline_font else SERIF

    @property
    def sans(self) -> str:
        """The CSS font family of everything that people act on."""
        return f'"{self.text_font}", {SANS}' if self.text_font else SANS

    @property
    def drawn_logo(self) -> SafeString:
        """The logo as an inline SVG; empty without one."""
        try:
            return clean_drawing(self.logo) if self.logo else SafeString("")
        except DrawingRefused:  # it was written before a rule existed
            return SafeString("")

    @property
    def shown_logo(self) -> SafeString:
        """The newsroom's logo as an inline SVG: staff's, or NEWSROOM_LOGO, or nothing."""
        return self.drawn_logo or read_logo()

    def list_faults(self) -> Iterator[tuple[str, ContrastRule, float]]:
        """Yield the field, the rule and the contrast of each pair of colours below AA."""
        for prefix, palette in (("", self.light), ("dark_", self.dark)):
            for rule in CONTRAST_RULES:
                ratio = measure_contrast(
                    getattr(palette, rule.first), getattr(palette, rule.second)
                )
                if ratio < AA:
                    yield prefix + rule.field, rule, ratio


_remembered: ContextVar[Look | None] = ContextVar("look", default=None)


def read_look() -> Look:
    """Return the newsroom's look; defaults if staff chose none."""
    return _remembered.get() or Look.objects.first() or Look()


@contextmanager
def remember_look() -> Iterator[None]:
    """Read the look once for everything in the block."""
    token = _remembered.set(read_look())
    try:
        yield
    finally:
        _remembered.reset(token)


def read_newsroom_name() -> str:
    """Return the newspaper's name from the admin, or else from NEWSROOM_NAME."""
    return read_look().name or str(settings.NEWSROOM_NAME)
