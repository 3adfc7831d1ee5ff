"""The texts of a banner: staff's own or the default ones, with their placeholders filled in."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from campaigns.banners.placeholders import (
    NUMBERS,
    fill_in,
    fill_in_html,
    find_values,
    write_amount,
)
from campaigns.banners.placements import PLACEMENTS, find_default_text
from campaigns.models import Banner, Campaign, CampaignCopy
from campaigns.progress import STATES, Progress, find_goal_kind


@dataclass(frozen=True)
class BannerText:
    """Headline, text and small print are safe HTML with emphasis and links, the others plain."""

    kicker: str
    headline: SafeString
    text: SafeString
    join_label: str
    gift_label: str
    small_print: SafeString


@dataclass(frozen=True)
class Count:
    """The count and the target, written in one language."""

    counted: str
    target: str
    pattern: str
    # Names the starting number that is in the count; empty without one.
    start_note: str = ""

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


def choose_text(
    campaign: Campaign,
    progress: Progress,
    *,
    placement: str,
    copy: CampaignCopy,
    language: str,
    with_number: bool = True,
) -> BannerText:
    """Return staff's texts for this placement, state and language, or else the default texts.

    Each text that staff left empty is the default one, but a headline without a text stays alone.
    The language has to be the active one.
    """
    values = find_values(campaign, progress, name=copy.name, language=language)
    if not with_number:
        values = {name: value for name, value in values.items() if name not in NUMBERS}
    rows = list(_find_rows(campaign, progress.state, placement=placement, language=language))
    entry = PLACEMENTS[placement]
    default = find_default_text(campaign, progress, placement=placement)
    headline, text = str(default.headline), str(default.text)
    if row := next((row for row in rows if row.headline or row.text), None):
        headline, text = row.headline or headline, row.text

    def find(field: str) -> str:
        written = (str(getattr(row, field)) for row in rows)
        return next(filter(None, written), "") or str(getattr(entry, field))

    return BannerText(
        kicker=copy.name,
        headline=fill_in_html(headline, values) or escape(copy.name),
        text=fill_in_html(text, values),
        join_label=fill_in(find("join_label"), values) or str(entry.join_label),
        gift_label=fill_in(find("gift_label"), values) or str(entry.gift_label),
        small_print=fill_in_html(find("small_print"), values),
    )


def _find_rows(
    campaign: Campaign, state: str, *, placement: str, language: str
) -> Iterator[Banner]:
    """Yield staff's texts for the state, and then those for the state that it falls back to."""
    rows = {
        row.state: row
        for row in campaign.banners.all()
        if row.placement == placement and row.language == language
    }
    for name in (state, STATES[state].falls_back_to):
        if name in rows:
            yield rows[name]


def write_count(progress: Progress, *, language: str) -> Count:
    """Return the count in that language, which has to be the active one."""
    kind, target = find_goal_kind(progress.kind), progress.shown_target
    start = write_amount(progress, progress.starts_from, language=language)
    words = gettext("including %(start)s from before the campaign") % {"start": start}
    return Count(
        write_amount(progress, progress.shown, language=language),
        write_amount(progress, target, language=language),
        (kind.get_total_pattern if progress.starts_from else kind.get_count_pattern)(target),
        words if progress.starts_from else "",
    )
