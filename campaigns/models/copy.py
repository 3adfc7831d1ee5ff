"""Texts that staff write, with one row for each language."""

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
    """Return the row in that language, or in the site's language, or any row; None without rows."""
    by_language = {row.language: row for row in rows}
    for code in (language, settings.LANGUAGE_CODE):
        if code in by_language:
            return by_language[code]
    return next(iter(by_language.values()), None)
