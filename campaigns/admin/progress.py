"""A campaign's progress for staff: the figures as a page, and as files to download."""

from collections.abc import Callable
from dataclasses import replace

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from campaigns.admin.pages import ActionPages, Page
from campaigns.models import Campaign
from campaigns.reports import Figures, formats, gather_figures

FILES: dict[str, tuple[Callable[[Figures], str], str]] = {
    "json": (formats.as_json, "application/json"),
    "csv": (formats.as_csv, "text/csv; charset=utf-8"),
}
PUBLISHED_SHOWN = 20


def _show_progress(pages: ActionPages, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the number, the rule by which it counts, and everything that it is made of."""
    language = get_language() or settings.LANGUAGE_CODE
    figures = gather_figures(campaign, at=timezone.now(), language=language)
    primary = figures.primary
    days = figures.days
    if primary is not None and primary.is_money:  # the chart shows what the goal counts
        days = [replace(day, total=day.raised_total_minor) for day in days]
    return TemplateResponse(
        request,
        "campaigns/staff/progress.html",
        {
            **pages.admin_site.each_context(request),
            "title": gettext("Progress of %(campaign)s") % {"campaign": figures.name},
            "opts": pages.opts,
            "campaign": campaign,
            "figures": figures,
            "primary": primary,
            "others": figures.goals[1:],
            "phase": campaign.phase(at=figures.as_of).label,
            "may_close": pages.is_offered(request, campaign, "close"),
            "chart": formats.chart_days(days, target=primary.target if primary else None),
            "latest_first": figures.days[::-1],
            "published": campaign.published.order_by("-published_at", "-pk")[:PUBLISHED_SHOWN],
        },
    )


def _download_report(
    pages: ActionPages, request: HttpRequest, campaign: Campaign, kind: str
) -> HttpResponse:
    """Return what `manage.py campaign_report --format` writes, as a file."""
    if kind not in FILES:
        raise Http404
    write, content_type = FILES[kind]
    figures = gather_figures(campaign, at=timezone.now())
    day = figures.as_of.astimezone(campaign.zone_info).date()
    name = f"{campaign.slug}-{day.isoformat()}.{kind}"
    return HttpResponse(
        write(figures),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


PROGRESS = Page(name="progress", path="progress/", view=_show_progress, label=_("See progress"))
REPORT = Page(name="report", path="progress.<slug:kind>", view=_download_report)
