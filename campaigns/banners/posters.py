"""Pictures with the number, for shared links and newsletters, and the campaign's icon."""

from functools import lru_cache
from html import unescape
from typing import Any

import resvg_py
from django.template.loader import render_to_string
from django.utils.html import strip_tags
from django.utils.translation import override

from campaigns import fonts
from campaigns.banners.pictures import read_mark, wrap_lines
from campaigns.banners.placeholders import fill_in_copy
from campaigns.banners.texts import choose_text, write_count
from campaigns.models import Banner, Campaign, read_look, read_newsroom_name
from campaigns.progress import Progress

# The newsletter's picture: the width of its line of words in px, and of one character in it.
LINE, DIGIT, LETTER = 536, 37, 13
TWICE = 2  # for sharp screens


def draw_picture(campaign: Campaign, goals: list[Progress], *, language: str) -> bytes:
    """Return the picture of a shared link (PNG, 1200 × 630 px) with the number."""
    with override(language):
        poster = _describe_poster(campaign, goals, language=language)
        lines = wrap_lines(poster["headline"], width=30, most=3)
        poster["headline"] = [
            {"text": line, "y": 265 - 21 * (len(lines) - 1) + 74 * number}
            for number, line in enumerate(lines)
        ]
        return _draw(render_to_string("campaigns/embed/og.svg", poster))


def draw_newsletter(campaign: Campaign, goals: list[Progress], *, language: str) -> str:
    """Return the newsletter's picture (SVG, 600 × 300 px): headline, number and its time."""
    with override(language):
        poster = _describe_poster(campaign, goals, language=language)
        poster["lines"] = _write_headline(campaign, goals, language=language)
        if count := poster["count"]:
            needed = DIGIT * len(count.counted) + LETTER * (len(count.words) - len(count.counted))
            poster["scale"] = round(min(1, LINE / needed), 3)
        return render_to_string("campaigns/embed/newsletter.svg", poster)


def _write_headline(
    campaign: Campaign, goals: list[Progress], *, language: str
) -> list[dict[str, Any]]:
    """Return the lines of the headline in the newsletter's picture, one above the other."""
    if not goals:
        return []
    copy = campaign.copy_for(language)
    text = choose_text(
        campaign, goals[0], placement=Banner.Placement.NEWSLETTER, copy=copy, language=language
    )
    words = fonts.drop_missing(unescape(strip_tags(text.headline)))
    lines = wrap_lines(words, width=40, most=2)
    first = 104 - 12 * (len(lines) - 1)
    return [{"text": line, "y": first + 27 * number} for number, line in enumerate(lines)]


def draw_png(newsletter: str) -> bytes:
    """Return the newsletter's picture as a PNG of 1200 × 600 px."""
    return _draw(newsletter, zoom=TWICE)


def draw_icon(campaign: Campaign) -> tuple[str, bytes]:
    """Return the emblem on the newsroom's background: as SVG, and as PNG of 180 × 180 px."""
    svg = render_to_string(
        "campaigns/embed/icon.svg", {"colours": read_look().light, "emblem": find_emblem(campaign)}
    )
    return svg, _draw(svg)


def _describe_poster(campaign: Campaign, goals: list[Progress], *, language: str) -> dict[str, Any]:
    """Return what both pictures show. The language has to be the active one."""
    progress = goals[0] if goals else None
    copy = fill_in_copy(campaign, progress, language=language)
    name = fonts.drop_missing(copy.name) or fonts.drop_missing(campaign.slug.capitalize())
    return {
        "campaign": campaign,
        "kicker": wrap_lines(name, width=36, most=1),
        "headline": fonts.drop_missing(copy.headline) or name,
        "progress": progress,
        "count": write_count(progress, language=language) if progress else None,
        "emblem": find_emblem(campaign),
        "colours": read_look().light,
        "newsroom_name": fonts.drop_missing(read_newsroom_name()),
    }


def find_emblem(campaign: Campaign) -> str:
    """Return the drawing beside the campaign's name, as an inline SVG."""
    return campaign.drawn_emblem or read_mark("emblem")


@lru_cache(maxsize=32)
def _draw(svg: str, *, zoom: int = 1) -> bytes:
    # The number changes less often than files are published.
    folders = [str(folder) for folder in fonts.list_folders(svg)]
    return bytes(
        resvg_py.svg_to_bytes(svg_string=svg, font_dirs=folders, skip_system_fonts=True, zoom=zoom)
    )
