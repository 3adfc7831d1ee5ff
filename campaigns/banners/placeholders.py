"""Placeholders in staff's texts: which there are, what they show, and how a text is filled in.

`{remaining}` shows a value. `{remaining|member|members}` shows the word that fits the number, with
one form for each plural form of the language.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from campaigns.dates import write_end
from campaigns.forms.markup import clean_html, escape_text
from campaigns.languages import (
    ENGLISH,
    is_translated,
    list_plural_forms,
    pick_form,
    write_day,
    write_days,
    write_hours,
    write_number,
)
from campaigns.models import Campaign, CampaignCopy, read_newsroom_name
from campaigns.money import format_money
from campaigns.progress import Progress

PLACEHOLDERS = (
    "counted",
    "goal",
    "remaining",
    "percent",
    "days_left",
    "hours_left",
    "supporters",
    "one_in",
    "starts",
    "ends",
    "name",
    "newsroom",
)
# A banner without the number drops sentences with these.
NUMBERS = {"counted", "remaining", "left", "percent"}
# The names of the default texts, and of texts that staff wrote earlier.
_SAME = {"target": "goal", "left": "remaining"}
# From here on the last day counts hours. Before, it is "today".
HOURS_OF_LAST_DAY = 12

# Matches {goal} and the variants that staff may type: { goal }, {goal!s}, {goal:>5}.
_PLACEHOLDER = re.compile(r"\{\s*(\w*)[^{}|]*(?:\|([^{}]*))?\}")
# A sentence ends after its closing quotes and tags. Chinese and Japanese put no space after it.
_SENTENCE_END = re.compile(
    r"""[.!?…؟۔।።]["'”’»)\]]*(?:</(?:em|strong|a)>)*\s+|[。！？][」』）]*(?:</(?:em|strong|a)>)*\s*"""
)
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


class Counted(str):
    """A number in words of a language, such as "1,000" or "21 days"."""

    number: int

    @classmethod
    def write(cls, number: int, words: str) -> "Counted":
        counted = cls(words)
        counted.number = number
        return counted


Values = Mapping[str, str]


def find_values(
    campaign: Campaign,
    progress: Progress | None,
    *,
    name: str,
    language: str,
) -> dict[str, str]:
    """Return the placeholders' values in that language, which has to be the active one.

    A value that doesn't exist is left out: numbers without a goal, the days left before the start.
    """
    now = (progress and progress.moment) or timezone.now()
    values: dict[str, str] = {
        "starts": write_day(
            campaign.starts_at.astimezone(campaign.zone_info).date(), language=language
        ),
        "ends": write_end(campaign.ends_at, zone=campaign.zone_info, at=now),
        "name": name,
        "newsroom": read_newsroom_name(),
    }
    if progress is not None:
        values |= {
            "counted": write_amount(progress, progress.shown, language=language),
            "goal": write_amount(progress, progress.shown_target, language=language),
            "remaining": write_amount(progress, progress.left, language=language),
            "percent": _write_number(progress.percent, language),
        }
    if campaign.supporters_before:
        values["supporters"] = _write_number(campaign.supporters_before, language)
    if settings.READERS_PER_SUPPORTER:
        values["one_in"] = _write_number(settings.READERS_PER_SUPPORTER, language)
    if campaign.holds(now):
        days = count_days(campaign, at=now)
        values["days_left"] = Counted.write(days, write_days(days, language=language))
        if hours := _write_hours_left(campaign, at=now, language=language):
            values["hours_left"] = hours
    return values | {old: values[new] for old, new in _SAME.items() if new in values}


def count_days(campaign: Campaign, *, at: datetime) -> int:
    """Return the days until the last one in the campaign's zone; that day itself is one."""
    return (campaign.last_day - at.astimezone(campaign.zone_info).date()) // _DAY + 1


def list_hour_changes(campaign: Campaign) -> Iterator[datetime]:
    """Yield the moments of the last day at which `{hours_left}` changes."""
    for hours in range(HOURS_OF_LAST_DAY + 1):
        moment = campaign.ends_at - (hours + 1) * _HOUR
        if moment >= campaign.last_day_begins_at:
            yield moment


def _write_hours_left(campaign: Campaign, *, at: datetime, language: str) -> str:
    """Return the whole hours left, of the last ones of the last day; else an empty string.

    They are real hours, also where a clock change makes the day longer or shorter.
    """
    hours = (campaign.ends_at - at) // _HOUR
    if hours > HOURS_OF_LAST_DAY or not campaign.is_last_day(at=at):
        return ""
    if hours:
        return Counted.write(hours, write_hours(hours, language=language))
    return gettext("less than an hour") if is_translated(language) else ""


def fill_in(text: str, values: Values) -> str:
    """Return the text with its placeholders filled in, and without single braces.

    A sentence with a placeholder that has no value is dropped, so that a missing value or a typing
    error never makes a banner disappear. A line that becomes empty is dropped, too. Plural forms
    are those of the active language.
    """
    lines = [(line, _drop_sentences(line, values)) for line in text.splitlines()]
    kept = "\n".join(rest for line, rest in lines if rest.strip() or not line.strip())
    filled = _PLACEHOLDER.sub(lambda found: _write_value(found, values), kept)
    return filled.replace("{", "").replace("}", "")


def fill_in_html(text: str, values: Values) -> SafeString:
    """Return the filled text as HTML with staff's emphasis and links, and nothing else in it."""
    escaped = {name: _escape(value) for name, value in values.items()}
    return mark_safe(clean_html(fill_in(escape_text(text), escaped)))  # noqa: S308 (by nh3)


def _escape(value: str) -> str:
    words = escape(value)
    return Counted.write(value.number, words) if isinstance(value, Counted) else words


def _write_value(found: re.Match[str], values: Values) -> str:
    name, forms = found.groups()
    value = values[name]
    if forms is None:
        return value
    words = [form.strip() for form in forms.split("|")]
    number = value.number if isinstance(value, Counted) else 0
    return pick_form(words, number, language=get_language() or ENGLISH)


def _drop_sentences(line: str, values: Values) -> str:
    return "".join(
        sentence
        for sentence in _split_sentences(line)
        if values.keys() >= {found[1] for found in _PLACEHOLDER.finditer(sentence)}
    ).rstrip()


def _split_sentences(line: str) -> Iterator[str]:
    start = 0
    for end in _SENTENCE_END.finditer(line):
        yield line[start : end.end()]
        start = end.end()
    yield line[start:]


def fill_in_copy(campaign: Campaign, progress: Progress | None, *, language: str) -> CampaignCopy:
    """Return the campaign's texts in that language, which has to be the active one, filled in.

    The story and the use of the money are HTML, because they may have emphasis and links.
    """
    copy = campaign.copy_for(language)
    values = find_values(campaign, progress, name=copy.name, language=language)
    texts = {field: fill_in(getattr(copy, field), values) for field in ("headline", "summary")}
    stories = {
        field: fill_in_html(getattr(copy, field), values) for field in ("story", "use_of_money")
    }
    return CampaignCopy(
        campaign=campaign, language=copy.language, name=copy.name, **texts, **stories
    )


def list_unknown(text: str) -> list[str]:
    """Return the placeholders and single braces of the text that nothing would fill in."""
    known = {*PLACEHOLDERS, *_SAME}
    unknown = [found[0] for found in _PLACEHOLDER.finditer(text) if found[1] not in known]
    return unknown + re.findall("[{}]", _PLACEHOLDER.sub("", text))


def list_wrong_forms(text: str, *, language: str) -> list[str]:
    """Return the placeholders that have more or fewer words than the language has plural forms."""
    wanted = len(list_plural_forms(language))
    return [
        found[0]
        for found in _PLACEHOLDER.finditer(text)
        if found[2] is not None and len(found[2].split("|")) != wanted
    ]


def write_amount(progress: Progress, value: int, *, language: str) -> str:
    """Return a value of the goal in its unit: an amount of money, or a number."""
    if progress.is_money:
        return format_money(value, progress.currency, language=language)
    return _write_number(value, language)


def _write_number(value: int, language: str) -> Counted:
    return Counted.write(value, write_number(value, language=language))
