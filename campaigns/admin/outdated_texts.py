"""Texts of a campaign with a typed number or date that a new goal or window makes wrong."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.contrib.admin.utils import label_for_field
from django.utils.formats import date_format
from django.utils.translation import gettext, override

from campaigns.models import Campaign, CampaignCopy, Goal
from campaigns.models.banner import LONGEST
from campaigns.money import to_major

_TEXTS = ("name", "headline", "summary", "story", "use_of_money")
_ORDINAL = "(?:st|nd|rd|th)?"


@dataclass(frozen=True)
class Facts:
    """The numbers of a campaign's goals (in major units) and its dates, as a text may name them.

    `targets` are first and next targets and starting numbers.
    """

    targets: frozenset[Decimal]
    days: frozenset[date]


def read_facts(campaign: Campaign) -> Facts:
    """Return what the database has of the goals, and what the object has of the window."""
    zone = ZoneInfo(campaign.zone)
    last = campaign.ends_at - timedelta(microseconds=1)
    moments: tuple[datetime, ...] = (campaign.starts_at, last, campaign.ends_at)
    goals = Goal.objects.filter(campaign=campaign)
    rows = goals.values_list("kind", "target", "stretch_target", "starts_from")
    return Facts(
        frozenset(
            to_major(number, campaign.currency) if kind == Goal.Kind.MONEY else Decimal(number)
            for kind, *numbers in rows
            for number in filter(None, numbers)
        ),
        frozenset(moment.astimezone(zone).date() for moment in moments),
    )


def list_outdated_texts(campaign: Campaign, *, old: Facts, new: Facts) -> list[str]:
    """Return a sentence for each text that has an old target or an old day of the window."""
    words = gettext(
        "%(place)s: the text says “%(typed)s”, but the goals and dates of the campaign are "
        "different now. Change the text, or use a placeholder."
    )
    sentences = []
    for place, language, text in _list_texts(campaign):
        patterns = [
            *(_match_number(target) for target in sorted(old.targets - new.targets)),
            *(_match_day(day, language=language) for day in sorted(old.days - new.days)),
        ]
        found = [match[0] for pattern in patterns if (match := pattern.search(text))]
        if found:
            sentences.append(words % {"place": place, "typed": "”, “".join(found)})
    return sentences


def _list_texts(campaign: Campaign) -> Iterator[tuple[str, str, str]]:
    """Yield the place, the language and the words of each text that staff wrote."""
    for copy in campaign.copies.order_by("pk"):
        for name in _TEXTS:
            label = str(label_for_field(name, CampaignCopy))
            place = f"{label.capitalize()} ({copy.get_language_display()})"
            yield place, copy.language, getattr(copy, name)
    for banner in campaign.banners.order_by("pk"):
        about = (
            banner.get_placement_display(),
            banner.get_state_display(),
            banner.get_language_display(),
        )
        place = f"{gettext('Custom banner text')} ({', '.join(map(str, about))})"
        yield place, banner.language, "\n".join(getattr(banner, name) for name in LONGEST)


def _match_number(number: Decimal) -> re.Pattern[str]:
    """Return a pattern for the number however its digits are grouped: 1000, 1,000, 1 000."""
    whole, _point, part = f"{number:f}".partition(".")
    part = part.rstrip("0")
    grouped = f"{int(whole):,}".replace(",", r"[.,'’\s]?")
    decimals = rf"[.,]{part}0*" if part else r"(?:[.,]00?)?"
    return re.compile(
        rf"(?<!\d)(?<!\d[.,]){grouped}{decimals}(?!\d)(?![.,'’]\d)(?!\s\d{{3}}(?!\d))"
    )


def _match_day(day: date, *, language: str) -> re.Pattern[str]:
    """Return a pattern for the day in words of that language, in figures and as ISO 8601."""
    with override(language):
        months = "|".join(
            sorted({re.escape(date_format(day, form)) for form in "EFM"}, key=len, reverse=True)
        )
    number, month = f"0?{day.day}", f"0?{day.month}"
    forms = (
        rf"(?<!\d){number}{_ORDINAL}\s+(?:of\s+)?(?:{months})(?!\w)",
        rf"(?<!\w)(?:{months})\.?\s+{number}{_ORDINAL}(?!\w)",
        rf"(?<![\d.,/]){number}[./]{month}(?!\d)",
        rf"(?<![\d.,/]){month}/{number}(?!\d)",
        re.escape(day.isoformat()),
    )
    return re.compile("|".join(forms), re.IGNORECASE)
