"""Languages: their numbers, days and plural forms from Babel, for every code that Django knows.

Our sentences are English where no translation ships. Words that stand inside a text of staff are
then taken from Babel, so that they are in the language of that text.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_timedelta, get_day_names
from babel.numbers import format_decimal
from django.utils.formats import date_format
from django.utils.translation import to_locale

ENGLISH = "en"
_TRANSLATIONS = Path(__file__).resolve().parent / "locale"
_FORMS = ("zero", "one", "two", "few", "many", "other")
_NEVER = 1e12  # Babel then doesn't change to a larger unit: 40 days aren't a month


@cache
def find_locale(language: str) -> Locale:
    """Return Babel's data for a language code of Django, or English if Babel has none."""
    for code in (language, find_base(language)):
        try:
            return Locale.parse(code, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse(ENGLISH)


def list_weekdays(
    language: str, *, width: Literal["wide", "abbreviated"] = "wide", is_alone: bool = False
) -> Mapping[int, str]:
    """Return the days' names, Monday is 0: as they are in a sentence, or each standing alone."""
    context: Literal["format", "stand-alone"] = "stand-alone" if is_alone else "format"
    return get_day_names(width, context=context, locale=find_locale(language))


def find_base(language: str) -> str:
    """Return the language without its country or script: pt-br is pt."""
    return language.partition("-")[0]


@cache
def is_translated(language: str) -> bool:
    """Return whether our own sentences are in this language."""
    names = {to_locale(language), find_base(language)}
    return ENGLISH in names or any((_TRANSLATIONS / name).is_dir() for name in names)


@cache
def list_plural_forms(language: str) -> list[str]:
    """Return the names of the plural forms that whole numbers have, in Unicode's order.

    English has one and other, Ukrainian one, few and many, Arabic all six.
    """
    rule = find_locale(language).plural_form
    used = {rule(number) for number in range(201)}
    return [form for form in _FORMS if form in used]


def pick_form(forms: list[str], number: int, *, language: str) -> str:
    """Return the form that fits the number; the last one if there is none for it."""
    known = list_plural_forms(language)
    form = find_locale(language).plural_form(abs(number))
    position = known.index(form) if form in known else len(known)
    return forms[min(position, len(forms) - 1)]


def write_number(number: int, *, language: str) -> str:
    """Return the number with its digits grouped as in that language: 1,000."""
    return str(format_decimal(number, locale=find_locale(language)))


def write_days(days: int, *, language: str) -> str:
    """Return "21 days" in that language."""
    return _write_duration(timedelta(days=days), "day", language)


def write_hours(hours: int, *, language: str) -> str:
    """Return "5 hours" in that language."""
    return _write_duration(timedelta(hours=hours), "hour", language)


def _write_duration(length: timedelta, unit: Literal["day", "hour"], language: str) -> str:
    # Babel's own format_unit lacks the plural forms of some languages, such as Arabic.
    words = format_timedelta(
        length, granularity=unit, threshold=_NEVER, locale=find_locale(language)
    )
    return str(words).replace(" ", "\xa0")


def write_day(day: date, *, language: str, with_year: bool = False) -> str:
    """Return a day in that language, on one line: 24 December."""
    if find_base(language) == ENGLISH:  # Babel's English is American
        words = date_format(day, "j E Y" if with_year else "j E")
    elif with_year:
        words = format_date(day, "long", locale=find_locale(language))
    else:
        words = format_skeleton("MMMMd", day, locale=find_locale(language))
    return str(words).replace(" ", "\xa0")
