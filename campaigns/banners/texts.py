"""The texts of a banner: staff's own or the default ones, with their placeholders filled in."""

import re
from dataclasses import dataclass
from datetime import datetime

from babel.numbers import format_decimal
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_stubs_ext import StrOrPromise

from campaigns.banners.placements import PLACEMENTS
from campaigns.dates import write_end
from campaigns.models import Campaign, CampaignCopy
from campaigns.money import format_money
from campaigns.progress import Progress, find_goal_kind


@dataclass(frozen=True)
class BannerText:
    kicker: str
    headline: str
    text: str


@dataclass(frozen=True)
class Count:
    """The count and the target, written in one language."""

    counted: str
    target: str
    pattern: str

    @property
    def words(self) -> str:
        """ "312 of 1,000 new members"."""
        return self.pattern.format(counted=self.counted, target=self.target)

    @property
    def html(self) -> SafeString:
        """The words for a page, with the count in an element of its own."""
        counted = format_html('<strong class="campaign-number">{}</strong>', self.counted)
        return format_html(self.pattern, counted=counted, target=self.target)

    @property
    def svg(self) -> SafeString:
        """The words for a picture, with the count in an element of its own."""
        counted = format_html('<tspan class="number">{}</tspan>', self.counted)
        return format_html(self.pattern, counted=counted, target=self.target)


# Matches {target} and the variants that staff may type: { target }, {target!s}, {target:>5}.
_PLACEHOLDER = re.compile(r"\{\s*(\w*)[^{}]*\}")


# Sentences with these placeholders are dropped from a banner without the number.
_NUMBERS = {"counted", "left", "percent"}
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")


def choose_text(
    campaign: Campaign,
    progress: Progress,
    *,
    placement: str,
    copy: CampaignCopy,
    language: str,
    with_number: bool = True,
) -> BannerText:
    """Return staff's text for this placement, state and language, or else the default text."""
    custom = campaign.banners.filter(
        placement=placement, state=progress.state, language=language
    ).first()
    headline, text = (
        (custom.headline, custom.text)
        if custom
        else _find_default_text(campaign, progress, placement=placement)
    )
    values = {
        "counted": _write_amount(progress, progress.counted, language=language),
        "target": _write_amount(progress, progress.target, language=language),
        "left": _write_amount(progress, progress.left, language=language),
        "percent": _write_number(progress.percent, language=language),
        "supporters": _write_number(campaign.supporters_before, language=language),
        "starts": _write_day(campaign, campaign.starts_at),
        "ends": write_end(campaign.ends_at, zone=campaign.zone_info, at=timezone.now()),
        "name": copy.name,
    }
    headline, text = str(headline), str(text)
    if not with_number:
        headline, text = _drop_numbers(headline) or "{name}", _drop_numbers(text)
    return BannerText(copy.name, _fill_in(headline, values), _fill_in(text, values))


def _drop_numbers(text: str) -> str:
    """Return the text without the sentences that contain the number."""
    return " ".join(
        sentence
        for sentence in _SENTENCE_END.split(text)
        if _NUMBERS.isdisjoint(_PLACEHOLDER.findall(sentence))
    )


def _find_default_text(
    campaign: Campaign, progress: Progress, *, placement: str
) -> tuple[StrOrPromise, StrOrPromise]:
    default = PLACEMENTS[placement].texts[progress.kind][progress.state]
    if default.text_without_supporters is not None and not campaign.supporters_before:
        return default.headline, default.text_without_supporters
    return default.headline, default.text


def _fill_in(text: str, values: dict[str, str]) -> str:
    """Return the text with its placeholders filled in.

    A typing error never makes a banner disappear: unknown placeholders become empty and single
    braces are removed.
    """
    filled = _PLACEHOLDER.sub(lambda found: values.get(found[1], ""), text)
    return filled.replace("{", "").replace("}", "")


def write_count(progress: Progress, *, language: str) -> Count:
    """Return the count in that language, which has to be the active one."""
    return Count(
        _write_amount(progress, progress.counted, language=language),
        _write_amount(progress, progress.target, language=language),
        find_goal_kind(progress.kind).get_count_pattern(progress.target),
    )


def _write_amount(progress: Progress, value: int, *, language: str) -> str:
    if progress.is_money:
        return format_money(value, progress.currency, language=language)
    return _write_number(value, language=language)


def _write_number(value: int, *, language: str) -> str:
    # Babel groups digits as the language does, with the right kind of space.
    return str(format_decimal(value, locale=language))


def _write_day(campaign: Campaign, moment: datetime) -> str:
    # The no-break space keeps the day and its month on one line.
    return date_format(moment.astimezone(campaign.zone_info), "j\xa0E")
