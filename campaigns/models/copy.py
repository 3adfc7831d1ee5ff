"""Wording that staff write, one row a language."""

from collections.abc import Iterable
from typing import TypeVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Copy(models.Model):
    language = models.CharField(
        _("language"), max_length=8, choices=settings.LANGUAGES, default="en"
    )

    class Meta:
        abstract = True


CopyRow = TypeVar("CopyRow", bound=Copy)


def pick_copy(rows: Iterable[CopyRow], language: str) -> CopyRow | None:
    """The row in that language, else in the site's own, else any; None if staff wrote none."""
    by_language = {row.language: row for row in rows}
    for wanted in (language, settings.LANGUAGE_CODE):
        if wanted in by_language:
            return by_language[wanted]
    return next(iter(by_language.values()), None)
