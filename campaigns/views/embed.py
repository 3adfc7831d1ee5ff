"""What other pages and services take from us: the drive's picture and its number."""

import resvg_py
from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from campaigns import progress
from campaigns.models import Campaign

FONTS = settings.BASE_DIR / "campaigns" / "static" / "campaigns" / "fonts"


@require_GET
@cache_control(public=True, max_age=60)
def show_picture(request: HttpRequest, slug: str) -> HttpResponse:
    """The picture of a shared link, 1200 by 630 pixels, with the number as it stands."""
    campaign = get_object_or_404(Campaign, slug=slug)
    goals = progress.measure_campaign(campaign, at=timezone.now())
    svg = render_to_string(
        "campaigns/embed/og.svg",
        {
            "campaign": campaign,
            "copy": campaign.copy_for(get_language() or settings.LANGUAGE_CODE),
            "progress": goals[0] if goals else None,
            "newsroom_name": settings.NEWSROOM_NAME,
        },
    )
    png = resvg_py.svg_to_bytes(svg_string=svg, font_dirs=[str(FONTS)], skip_system_fonts=True)
    return HttpResponse(bytes(png), content_type="image/png")


@require_GET
@cache_control(public=True, max_age=15)
def show_number(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The published number as JSON, from its file."""
    campaign = get_object_or_404(Campaign, slug=slug)
    path = settings.PUBLISH_DIR / campaign.slug / "progress.json"
    if not path.is_file():
        raise Http404
    return FileResponse(path.open("rb"), content_type="application/json")
