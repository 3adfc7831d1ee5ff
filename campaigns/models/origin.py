"""Columns of where a sale came from, for the model that keeps them: the Checkout."""

from dataclasses import asdict, fields
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.origins import LENGTHS, Origin


def _text(label: Any, name: str) -> "models.CharField[str, str]":
    return models.CharField(label, max_length=LENGTHS[name], blank=True, default="", db_default="")


class HasOrigin(models.Model):
    """A row that keeps its origin, one column for each value; see `campaigns/origins.py`."""

    class Device(models.TextChoices):
        PHONE = "phone", _("phone")
        DESK = "desk", _("computer or tablet")

    placement = models.CharField(_("placement"), max_length=LENGTHS["placement"], blank=True)
    page_url = _text(_("article"), "page_url")
    page_title = _text(_("article’s title"), "page_title")
    referrer = _text(_("referring site"), "referrer")
    utm_source = _text(_("UTM source"), "utm_source")
    utm_medium = _text(_("UTM medium"), "utm_medium")
    utm_campaign = _text(_("UTM campaign"), "utm_campaign")
    utm_content = _text(_("UTM content"), "utm_content")
    friend = _text(_("code of the shared link"), "friend")
    device = models.CharField(
        _("device"),
        max_length=5,
        choices=Device,
        blank=True,
        default="",
        db_default="",
    )
    country = models.CharField(
        _("reader’s country"),
        max_length=2,
        blank=True,
        default="",
        db_default="",
    )

    class Meta:
        abstract = True

    @property
    def origin(self) -> Origin:
        return Origin(**{each.name: getattr(self, each.name) for each in fields(Origin)})

    @origin.setter
    def origin(self, origin: Origin) -> None:
        for name, value in asdict(origin).items():
            setattr(self, name, value)
