"""The published pages of a campaign and the files beside them, the same for every reader."""

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import segno
from babel.core import get_global
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import override

from campaigns.banners.charts import describe_days, list_days
from campaigns.banners.files import (
    ICON,
    LOOK,
    NEWSLETTER,
    NUMBER,
    OEMBED,
    PAGE,
    PICTURE,
    WALL,
)
from campaigns.banners.looks import add_version, write_look
from campaigns.banners.numbers import write_json
from campaigns.banners.placeholders import fill_in_copy
from campaigns.banners.posters import (
    draw_icon,
    draw_newsletter,
    draw_picture,
    draw_png,
    find_emblem,
)
from campaigns.banners.texts import write_count
from campaigns.banners.walls import gather_wall
from campaigns.emails import links
from campaigns.models import Campaign, read_look, read_newsroom_name
from campaigns.progress import DayTotal, Progress

_TEMPLATES = {
    PAGE: "campaigns/readers/campaign/page.html",
    WALL: "campaigns/readers/campaign/wall.html",
}


def describe_campaign(
    campaign: Campaign, goals: list[Progress], *, language: str
) -> dict[str, Any]:
    """Return what a page shows about its campaign: texts, goals and links.

    The language has to be the active one.
    """
    slug = {"slug": campaign.slug}
    campaign_url = settings.SITE_URL + reverse("campaigns:campaign", kwargs=slug)
    return {
        "campaign": campaign,
        "copy": fill_in_copy(campaign, goals[0] if goals else None, language=language),
        "goals": goals,
        "progress": goals[0] if goals else None,
        "campaign_url": campaign_url,
        "share_url": campaign_url,
        "join_url": reverse("campaigns:join", kwargs=slug),
        "gift_url": reverse("campaigns:gift", kwargs=slug),
        "contribution_url": reverse("campaigns:contribution", kwargs=slug)
        if campaign.takes_contributions
        else "",
    }


def render_page(campaign: Campaign, goals: list[Progress], *, language: str) -> str:
    """Return the campaign page in that language, without anything of a single reader."""
    days = list_days(campaign, goals)
    return _render_pages(campaign, goals, days, [PAGE], language=language)[PAGE]


def render_wall(campaign: Campaign, goals: list[Progress], *, language: str) -> str:
    """Return the page for a screen on a wall: the number, readable from ten metres."""
    days = list_days(campaign, goals)
    return _render_pages(campaign, goals, days, [WALL], language=language)[WALL]


def _render_pages(
    campaign: Campaign,
    goals: list[Progress],
    days: list[DayTotal],
    names: Iterable[str],
    *,
    language: str,
) -> dict[str, str]:
    with override(language), timezone.override(campaign.zone_info):
        context = _describe_page(campaign, goals, days, language=language)
        return {name: render_to_string(_TEMPLATES[name], context) for name in names}


def render_shared_files(campaign: Campaign, goals: list[Progress]) -> dict[str, bytes]:
    """Return the files that are the same in every language, by name."""
    svg, png = draw_icon(campaign)
    return {
        NUMBER: write_json(goals),
        f"{ICON}.svg": svg.encode(),
        f"{ICON}.png": png,
        LOOK: write_look(read_look()).encode(),
    }


def render_files(
    campaign: Campaign, goals: list[Progress], days: list[DayTotal], *, language: str
) -> dict[str, bytes]:
    """Return the pages of a language and the files beside them, by name."""
    pages = _render_pages(campaign, goals, days, _TEMPLATES, language=language)
    newsletter = draw_newsletter(campaign, goals, language=language)
    files = {
        **{name: page.encode() for name, page in pages.items()},
        PICTURE: draw_picture(campaign, goals, language=language),
        f"{NEWSLETTER}.svg": newsletter.encode(),
        f"{NEWSLETTER}.png": draw_png(newsletter),
        OEMBED: json.dumps(_describe_oembed(campaign, goals, language=language)).encode(),
    }
    return {f"{language}/{name}": content for name, content in files.items()}


def _describe_page(
    campaign: Campaign, goals: list[Progress], days: list[DayTotal], *, language: str
) -> dict[str, Any]:
    addresses = {
        code: _build_url(campaign, "page", language=code) for code, _name in settings.LANGUAGES
    }
    look = read_look()
    here = describe_campaign(campaign, goals, language=language)
    return {
        **here,
        **describe_days(campaign, goals, days, language=language),
        "members_wall": gather_wall(campaign, goals),
        "count": write_count(goals[0], language=language) if goals else None,
        "addresses": addresses,
        "page_url": addresses[language],
        "page_locale": _name_locale(language),
        "other_locales": [_name_locale(code) for code in addresses if code != language],
        "picture_url": _build_url(campaign, "picture", language=language),
        "icon_url": _find_path(campaign, f"{ICON}.svg"),
        "touch_icon_url": _find_path(campaign, f"{ICON}.png"),
        "oembed_url": settings.SITE_URL + reverse("campaigns:oembed"),
        "code": draw_code(here["campaign_url"]),
        "emblem": find_emblem(campaign),
        "look": look,
        "look_url": add_version(_find_path(campaign, LOOK), write_look(look)),
        "newsroom_name": read_newsroom_name(),
        "newsroom_logo": look.shown_logo,
        "newspaper_url": links.find_newspaper_url(),
        "is_demo": settings.DEMO,
        "is_rehearsal": settings.REHEARSAL,
    }


def _describe_oembed(
    campaign: Campaign, goals: list[Progress], *, language: str
) -> dict[str, object]:
    """Return what oEmbed says about the campaign page, without its size and HTML."""
    with override(language):
        here = describe_campaign(campaign, goals, language=language)
    return {
        "title": here["copy"].headline or here["copy"].name,
        "provider_name": read_newsroom_name(),
        "provider_url": links.find_newspaper_url(),
        "thumbnail_url": _build_url(campaign, "picture", language=language),
        "thumbnail_width": 1200,
        "thumbnail_height": 630,
    }


def _find_path(campaign: Campaign, name: str) -> str:
    return reverse("campaigns:file", kwargs={"slug": campaign.slug, "name": name})


def _build_url(campaign: Campaign, route: str, /, **kwargs: str) -> str:
    here = {"slug": campaign.slug, **kwargs}
    return settings.SITE_URL + reverse(f"campaigns:{route}", kwargs=here)


@lru_cache(maxsize=64)
def draw_code(address: str) -> SafeString:
    """Return an address as a QR code."""
    code = segno.make(address, error="m", micro=False)
    svg = code.svg_inline(border=0, omitsize=True)
    return mark_safe(svg)  # noqa: S308 (segno writes shapes alone)


def _name_locale(language: str) -> str:
    """Return the language with the country where most of its speakers live: uk_UA."""
    parts = language.replace("-", "_").split("_")
    if len(parts) > 1:
        return f"{parts[0]}_{parts[-1].upper()}"
    likely = get_global("likely_subtags").get(language, language).split("_")
    return f"{likely[0]}_{likely[-1]}" if len(likely) > 1 else language
