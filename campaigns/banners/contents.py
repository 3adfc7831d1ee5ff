"""The content of a banner: everything it shows, once for fragment, component, frame and preview."""

from dataclasses import dataclass, replace
from datetime import datetime
from html import unescape
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape, strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language_info, gettext, ngettext, override

from campaigns.banners.assets import read_style
from campaigns.banners.pictures import CARDS, read_mark
from campaigns.banners.placements import PLACEMENTS
from campaigns.banners.texts import BannerText, Count, choose_text, write_count
from campaigns.dates import write_offset
from campaigns.models import Banner, Campaign, read_look
from campaigns.progress import Progress


@dataclass(frozen=True)
class BannerContent:
    """One placement in one state and language. Empty texts and None are not shown."""

    campaign: str  # its slug
    placement: str
    state: str
    language: str
    direction: str  # "ltr" or "rtl"
    label: str  # for screen readers
    kicker: str
    headline: SafeString
    text: SafeString
    join_label: str
    gift_label: str
    small_print: SafeString
    page_label: str  # of the link to the campaign page
    starts: SafeString  # "Starts on 1 November", before the campaign
    count: Count | None
    as_of: SafeString  # "as of 24 November, 14:00 (UTC+2)", with a <time>
    note: str  # why the count is provisional
    bar_percent: int
    is_reached: bool
    join_url: str
    gift_url: str
    campaign_url: str
    emblem: SafeString
    cards: tuple[SafeString, ...]
    hide_days: int | None  # None: readers can't hide it
    hide_label: str
    show_label: str
    published_at: datetime | None  # None: its number never grows old
    style: SafeString  # in the newsroom's look

    @property
    def bar_start(self) -> int:
        """The start of the bar's filled part, in percent from the left."""
        return 100 - self.bar_percent if self.direction == "rtl" else 0


def describe_banner(
    campaign: Campaign,
    progress: Progress,
    *,
    placement: str,
    language: str,
    with_number: bool = True,
    published_at: datetime | None = None,
) -> BannerContent:
    """Return the content of a banner, in that language and the campaign's time zone.

    Without the number, it drops the sentences that need it. With a number that can grow old, it
    names the time of its publishing.
    """
    with override(language), timezone.override(campaign.zone_info):
        text = choose_text(
            campaign,
            progress,
            placement=placement,
            copy=campaign.copy_for(language),
            language=language,
            with_number=with_number,
        )
        shows_count = progress.shows_count and with_number
        is_closable = PLACEMENTS[placement].is_closable
        is_card = placement == Banner.Placement.END
        return BannerContent(
            campaign=campaign.slug,
            placement=placement,
            state=progress.state,
            language=language,
            direction="rtl" if get_language_info(language)["bidi"] else "ltr",
            label=_find_label(text, placement),
            kicker=text.kicker,
            headline=text.headline,
            text=text.text,
            join_label=text.join_label,
            gift_label=text.gift_label,
            small_print=text.small_print,
            page_label=gettext("How we use your money") if is_card else "",
            starts=SafeString("") if progress.shows_count else _write_start(campaign),
            count=write_count(progress, language=language) if shows_count else None,
            as_of=_write_as_of(progress) if shows_count else SafeString(""),
            note=_write_note(progress) if shows_count and progress.is_provisional else "",
            bar_percent=progress.bar_percent,
            is_reached=progress.is_reached,
            join_url=_link("join", campaign, placement),
            gift_url=_link("gift", campaign, placement),
            campaign_url=_link("campaign", campaign, placement),
            emblem=campaign.drawn_emblem or read_mark("emblem"),
            cards=tuple(read_mark(card) for card in CARDS) if is_card else (),
            hide_days=settings.BANNER_HIDE_DAYS if is_closable else None,
            hide_label=_write_hide_label() if is_closable else "",
            show_label=gettext("Show the banner") if is_closable else "",
            published_at=None if progress.is_final or not with_number else published_at,
            style=read_style(placement, read_look()),
        )


def thank_member(banner: BannerContent) -> BannerContent:
    """Return the banner for a member: thanks, no number, and a gift as the only offer."""
    with override(banner.language):
        return replace(
            banner,
            label=banner.kicker,
            headline=escape(gettext("Thank you for being a member")),
            text=escape(gettext("You pay for what everyone can read here.")),
            join_label="",
            small_print=SafeString(""),
            page_label="",
            starts=SafeString(""),
            count=None,
            as_of=SafeString(""),
            note="",
            cards=(),
            published_at=None,
        )


def _find_label(text: BannerText, placement: str) -> str:
    """Return the name of the bar, and of other banners their headline, so that they differ."""
    is_bar = placement == Banner.Placement.TOP
    return text.kicker if is_bar else unescape(strip_tags(text.headline))


def _link(name: str, campaign: Campaign, placement: str) -> str:
    path = reverse(f"campaigns:{name}", kwargs={"slug": campaign.slug})
    return f"{settings.SITE_URL}{path}?{urlencode({'from': placement})}"


def _write_hide_label() -> str:
    days = settings.BANNER_HIDE_DAYS
    return ngettext("Hide for %(days)s day", "Hide for %(days)s days", days) % {"days": days}


def _write_start(campaign: Campaign) -> SafeString:
    starts_at = timezone.localtime(campaign.starts_at)
    html = gettext('Starts on <time class="campaign-number" datetime="%(iso)s">%(day)s</time>')
    return _fill(html, iso=starts_at.isoformat(), day=date_format(starts_at, "j E"))


def _write_as_of(progress: Progress) -> SafeString:
    as_of = timezone.localtime(progress.as_of)
    html = (
        gettext('final count as of <time datetime="%(iso)s">%(when)s</time>')
        if progress.is_final
        else gettext('as of <time datetime="%(iso)s">%(when)s</time>')
    )
    when = f"{date_format(as_of, 'j E, H:i')} ({write_offset(as_of)})"
    return _fill(html, iso=as_of.isoformat(), when=when)


def _fill(html: str, **times: str) -> SafeString:
    # In a language without our translation, words and time can run in opposite directions.
    isolated = html.replace("<time ", '<time dir="auto" ')
    return mark_safe(isolated % times)  # noqa: S308 (our own words and times)


def _write_note(progress: Progress) -> str:
    if progress.pending:
        return ngettext(
            "Provisional: %(pending)s bank payment is pending.",
            "Provisional: %(pending)s bank payments are pending.",
            progress.pending,
        ) % {"pending": progress.pending}
    return gettext("Provisional: the campaign is over, but this is not the final count yet.")
