"""Placeholders in staff's texts: which there are, what they show, and how a text is filled in."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from babel.numbers import format_decimal
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import ngettext

from campaigns.dates import write_end
from campaigns.models import Campaign, CampaignCopy
from campaigns.money import format_money
from campaigns.progress import Progress

PLACEHOLDERS = (
    "counted",
    "goal",
    "remaining",
    "percent",
    "days_left",
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

# Matches {goal} and the variants that staff may type: { goal }, {goal!s}, {goal:>5}.
_PLACEHOLDER = re.compile(r"\{\s*(\w*)[^{}]*\}")
_SENTENCE_END = re.compile(r"((?<=[.!?…])\s+)")
_DAY = timedelta(days=1)

Values = Mapping[str, str]


def find_values(
    campaign: Campaign, progress: Progress | None, *, name: str, language: str
) -> dict[str, str]:
    """Return the placeholders' values in that language, which has to be the active one.

    A value that doesn't exist is left out: numbers without a goal, the days left before the start.
    """
    now = timezone.now()
    values = {
        "starts": _write_day(campaign.starts_at.astimezone(campaign.zone_info)),
        "ends": write_end(campaign.ends_at, zone=campaign.zone_info, at=now),
        "name": name,
        "newsroom": str(settings.NEWSROOM_NAME),
    }
    if progress is not None:
        values |= {
            "counted": write_amount(progress, progress.counted, language=language),
            "goal": write_amount(progress, progress.target, language=language),
            "remaining": write_amount(progress, progress.left, language=language),
            "percent": write_number(progress.percent, language=language),
        }
    if campaign.supporters_before:
        values["supporters"] = write_number(campaign.supporters_before, language=language)
    if settings.READERS_PER_SUPPORTER:
        values["one_in"] = write_number(settings.READERS_PER_SUPPORTER, language=language)
    if campaign.holds(now):
        days = _count_days(campaign, at=now)
        words = ngettext("%(days)s day", "%(days)s days", days)
        values["days_left"] = words % {"days": write_number(days, language=language)}
    return values | {old: values[new] for old, new in _SAME.items() if new in values}


def _count_days(campaign: Campaign, *, at: datetime) -> int:
    """Return the days until the last one in the campaign's zone; that day itself is one."""
    last = campaign.ends_at - timedelta(microseconds=1)
    zone = campaign.zone_info
    return (last.astimezone(zone).date() - at.astimezone(zone).date()) // _DAY + 1


def fill_in(text: str, values: Values) -> str:
    """Return the text with its placeholders filled in, and without single braces.

    A sentence with a placeholder that has no value is dropped, so that a missing value or a typing
    error never makes a banner disappear. A line that becomes empty is dropped, too.
    """
    lines = [(line, _drop_sentences(line, values)) for line in text.splitlines()]
    kept = "\n".join(rest for line, rest in lines if rest.strip() or not line.strip())
    filled = _PLACEHOLDER.sub(lambda found: values[found[1]], kept)
    return filled.replace("{", "").replace("}", "")


def _drop_sentences(line: str, values: Values) -> str:
    parts = _SENTENCE_END.split(line)  # sentences, and the spaces between them
    sentences = [
        (sentence, space)
        for sentence, space in zip(parts[::2], [*parts[1::2], ""], strict=True)
        if values.keys() >= set(_PLACEHOLDER.findall(sentence))
    ]
    return "".join(sentence + space for sentence, space in sentences).rstrip()


def fill_in_copy(campaign: Campaign, progress: Progress | None, *, language: str) -> CampaignCopy:
    """Return the campaign's texts in that language, which has to be the active one, filled in."""
    copy = campaign.copy_for(language)
    values = find_values(campaign, progress, name=copy.name, language=language)
    texts = {
        field: fill_in(getattr(copy, field), values)
        for field in ("headline", "summary", "story", "use_of_money")
    }
    return CampaignCopy(campaign=campaign, language=copy.language, name=copy.name, **texts)


def list_unknown(text: str) -> list[str]:
    """Return the placeholders and single braces of the text that nothing would fill in."""
    known = {*PLACEHOLDERS, *_SAME}
    unknown = [found[0] for found in _PLACEHOLDER.finditer(text) if found[1] not in known]
    return unknown + re.findall("[{}]", _PLACEHOLDER.sub("", text))


def write_amount(progress: Progress, value: int, *, language: str) -> str:
    """Return a value of the goal in its unit: an amount of money, or a number."""
    if progress.is_money:
        return format_money(value, progress.currency, language=language)
    return write_number(value, language=language)


def write_number(value: int, *, language: str) -> str:
    """Return the number with its digits grouped as in that language."""
    # Babel groups digits as the language does, with the right kind of space.
    return str(format_decimal(value, locale=language))


def _write_day(day: datetime) -> str:
    # The no-break space keeps the day and its month on one line.
    return date_format(day, "j\xa0E")
