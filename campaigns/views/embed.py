"""Published files for servers other than newsroom.wsgi, and page and picture before publishing.

newsroom.wsgi hands the files out before any view is called.
"""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from campaigns import banners, progress
from campaigns.models import Campaign
from campaigns.views.pages import language as readers_language


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
    return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))
