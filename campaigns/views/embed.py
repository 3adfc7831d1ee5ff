"""The campaign's picture and its number, for other pages and services."""

import resvg_py
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import override
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from campaigns import banners, progress
from campaigns.models import Campaign

FONTS = settings.BASE_DIR / "campaigns" / "static" / "campaigns" / "fonts"


@require_safe
@cache_control(public=True, max_age=60)
def show_picture(request: HttpRequest, slug: str) -> HttpResponse:
    """Draw the picture of a shared link (1200 × 630 px) with the current number."""
    campaign = get_object_or_404(Campaign, slug=slug)
    goals = progress.measure_campaign(campaign, at=timezone.now())
    # The language is part of the URL because caches share the picture between readers.
    language = request.GET.get("language", "")
    if language not in dict(settings.LANGUAGES):
        language = settings.LANGUAGE_CODE
    copy = campaign.copy_for(language)
    with override(language):
        svg = render_to_string(
            "campaigns/embed/og.svg",
            {
                "kicker": banners.wrap_lines(copy.name, width=36, most=1),
                "headline": [
                    {"text": line, "y": 222 + 74 * number}
                    for number, line in enumerate(
                        banners.wrap_lines(copy.headline or copy.name, width=30, most=3)
                    )
                ],
                "progress": goals[0] if goals else None,
                "count": banners.write_count(goals[0], language=language) if goals else None,
                "emblem": banners.read_mark("emblem"),
                "newsroom_name": settings.NEWSROOM_NAME,
            },
        )
    png = resvg_py.svg_to_bytes(svg_string=svg, font_dirs=[str(FONTS)], skip_system_fonts=True)
    return HttpResponse(bytes(png), content_type="image/png")


@require_safe
@cache_control(public=True, max_age=15)
def show_number(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the published number as JSON from its file, for any page."""
    try:
        number = (settings.PUBLISH_DIR / slug / "progress.json").read_bytes()
    except OSError as error:
        raise Http404 from error
    return HttpResponse(
        number, content_type="application/json", headers={"Access-Control-Allow-Origin": "*"}
    )
