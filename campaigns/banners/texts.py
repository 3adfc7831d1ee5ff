"""The texts of a banner: staff's own or the default ones, with their placeholders filled in."""

from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_stubs_ext import StrOrPromise

from campaigns.banners.placeholders import NUMBERS, fill_in, find_values, write_amount
from campaigns.banners.placements import PLACEMENTS
from campaigns.models import Campaign, CampaignCopy
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
    values = find_values(campaign, progress, name=copy.name, language=language)
    if not with_number:
        values = {name: value for name, value in values.items() if name not in NUMBERS}
    return BannerText(
        copy.name,
        fill_in(str(headline), values) or copy.name,
        fill_in(str(text), values),
    )


def _find_default_text(
    campaign: Campaign, progress: Progress, *, placement: str
) -> tuple[StrOrPromise, StrOrPromise]:
    default = PLACEMENTS[placement].texts[progress.kind][progress.state]
    if default.text_without_supporters is not None and not campaign.supporters_before:
        return default.headline, default.text_without_supporters
    return default.headline, default.text


def write_count(progress: Progress, *, language: str) -> Count:
    """Return the count in that language, which has to be the active one."""
    return Count(
        write_amount(progress, progress.counted, language=language),
        write_amount(progress, progress.target, language=language),
        find_goal_kind(progress.kind).get_count_pattern(progress.target),
    )
