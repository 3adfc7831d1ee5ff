"""Texts that staff write, with one row for each language, and the languages there are."""

from collections.abc import Iterable
from typing import TypeVar

from django.conf import settings
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


def list_languages() -> list[tuple[str, str | Promise]]:
    """Return the code and the name of each language.

    Model fields name this function, so a changed setting needs no migration.
    """
    return list(settings.LANGUAGES)


def find_site_language() -> str:
    return str(settings.LANGUAGE_CODE)


class Copy(models.Model):
    language = models.CharField(
        _("language"), max_length=8, choices=list_languages, default=find_site_language
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
