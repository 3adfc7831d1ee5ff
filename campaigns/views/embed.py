"""Published files for servers other than newsroom.wsgi, and pages and pictures before publishing.

newsroom.wsgi hands the files out before any view is called.
"""

import structlog
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from campaigns import banners, progress
from campaigns.models import Campaign, read_look
from campaigns.views.pages import language as readers_language

log = structlog.get_logger(__name__)


@require_safe
def show_page(request: HttpRequest, slug: str, language: str = "") -> HttpResponse:
    """Show the campaign page in one language, or in the reader's language."""
    answer = _answer_from_file(request)
    if answer is not None:
        return answer
    campaign = get_object_or_404(Campaign, slug=slug)
    goals = progress.measure_campaign(campaign, at=timezone.now())
    page = banners.render_page(campaign, goals, language=language or readers_language())
    return HttpResponse(page)


@require_safe
def show_wall(request: HttpRequest, slug: str, language: str = "") -> HttpResponse:
    """Show the number for a screen on a wall, in one language or in the reader's."""
    answer = _answer_from_file(request)
    if answer is not None:
        return answer
    campaign = get_object_or_404(Campaign, slug=slug)
    goals = progress.measure_campaign(campaign, at=timezone.now())
    page = banners.render_wall(campaign, goals, language=language or readers_language())
    return HttpResponse(page)


@require_safe
def show_look(request: HttpRequest) -> HttpResponse:
    """Show the stylesheet of the newsroom's look. Its address changes with its content."""
    css = banners.write_look(read_look())
    response = HttpResponse(css, content_type="text/css; charset=utf-8")
    patch_cache_control(response, public=True, max_age=86400 if "v" in request.GET else 60)
    return response


@require_safe
def show_picture(request: HttpRequest, slug: str, language: str) -> HttpResponse:
    """Show the picture of a shared link (1200 × 630 px)."""
    answer = _answer_from_file(request)
    if answer is not None:
        return answer
    campaign = get_object_or_404(Campaign, slug=slug)
    goals = progress.measure_campaign(campaign, at=timezone.now())
    picture = banners.draw_picture(campaign, goals, language=language)
    return HttpResponse(picture, content_type="image/png")


@require_safe
def show_icon(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """Show the campaign's icon."""
    answer = _answer_from_file(request)
    if answer is not None:
        return answer
    svg, png = banners.draw_icon(get_object_or_404(Campaign, slug=slug))
    if kind == "svg":
        return HttpResponse(svg, content_type="image/svg+xml")
    return HttpResponse(png, content_type="image/png")


@require_safe
def redirect_to_picture(request: HttpRequest, slug: str) -> HttpResponse:
    """Redirect the address from before December 2026, which had the language in its query."""
    to = {"slug": slug, "language": readers_language()}
    return HttpResponseRedirect(reverse("campaigns:picture", kwargs=to))


@require_safe
def show_file(request: HttpRequest, slug: str, **_: str) -> HttpResponse:
    """Show the number as JSON or a banner, for any page. There is none before publishing."""
    answer = _answer_from_file(request)
    if answer is None:
        raise Http404
    return answer


@require_safe
def show_frame(request: HttpRequest, slug: str, language: str, placement: str) -> HttpResponse:
    """Show a page for an iframe. Without a published banner it is empty, and no article is hurt."""
    answer = _answer_from_file(request)
    if answer is not None:
        return answer
    log.warning("banner_missing", campaign=slug, placement=placement, language=language)
    response = HttpResponse(banners.render_missing_frame(request.path), status=404)
    response["Content-Security-Policy"] = banners.ANY_FRAME
    response.xframe_options_exempt = True
    return response


@require_safe
def show_component(request: HttpRequest) -> HttpResponse:
    """Show the script of one of the web components."""
    answer = _answer_from_file(request)
    if answer is None:
        raise Http404
    return answer


def _answer_from_file(request: HttpRequest) -> HttpResponse | None:
    answer = banners.answer_from_file(
        request.path_info,
        coding=request.headers.get("Accept-Encoding", ""),
        etag=request.headers.get("If-None-Match", ""),
        cookie=request.headers.get("Cookie", ""),
        languages=request.headers.get("Accept-Language", ""),
    )
    if answer is None:
        return None
    response = HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))
    # A page for frames has a policy of its own instead of ours.
    response.xframe_options_exempt = "Content-Security-Policy" in response
    return response
