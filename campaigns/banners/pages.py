"""The campaign page and the picture of shared links, the same for every reader."""

from functools import lru_cache
from typing import Any

import resvg_py
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from campaigns import fonts
from campaigns.banners.pictures import read_logo, read_mark, wrap_lines
from campaigns.banners.placeholders import fill_in_copy
from campaigns.banners.texts import write_count
from campaigns.emails import links
from campaigns.models import Campaign
from campaigns.progress import Progress


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
    }


def render_page(campaign: Campaign, goals: list[Progress], *, language: str) -> str:
    """Return the campaign page in that language, without anything of a single reader."""
    addresses = {
        code: settings.SITE_URL
        + reverse("campaigns:page", kwargs={"slug": campaign.slug, "language": code})
        for code, _name in settings.LANGUAGES
    }
    with override(language), timezone.override(campaign.zone_info):
        return render_to_string(
            "campaigns/readers/campaign/page.html",
            {
                **describe_campaign(campaign, goals, language=language),
                "addresses": addresses,
                "page_url": addresses[language],
                "picture_url": settings.SITE_URL
                + reverse(
                    "campaigns:picture", kwargs={"slug": campaign.slug, "language": language}
                ),
                "newsroom_name": settings.NEWSROOM_NAME,
                "newsroom_logo": read_logo(),
                "newspaper_url": links.find_newspaper_url(),
                "is_demo": settings.DEMO,
                "is_rehearsal": settings.REHEARSAL,
            },
        )


def draw_picture(campaign: Campaign, goals: list[Progress], *, language: str) -> bytes:
    """Return the picture of a shared link (PNG, 1200 × 630 px) with the number."""
    with override(language):
        copy = fill_in_copy(campaign, goals[0] if goals else None, language=language)
    name = fonts.drop_missing(copy.name) or fonts.drop_missing(campaign.slug.capitalize())
    headline = fonts.drop_missing(copy.headline) or name
    with override(language):
        svg = render_to_string(
            "campaigns/embed/og.svg",
            {
                "kicker": wrap_lines(name, width=36, most=1),
                "headline": [
                    {"text": line, "y": 222 + 74 * number}
                    for number, line in enumerate(wrap_lines(headline, width=30, most=3))
                ],
                "progress": goals[0] if goals else None,
                "count": write_count(goals[0], language=language) if goals else None,
                "emblem": campaign.drawn_emblem or read_mark("emblem"),
                "newsroom_name": fonts.drop_missing(str(settings.NEWSROOM_NAME)),
            },
        )
    return _draw(svg)


@lru_cache(maxsize=32)
def _draw(svg: str) -> bytes:
    # The number changes less often than files are published.
    folders = [str(folder) for folder in fonts.list_folders(svg)]
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, font_dirs=folders, skip_system_fonts=True))
