"""How a campaign goes, for staff: the figures as a page, and as files to take away."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import get_language, gettext

from campaigns.models import Campaign, Phase
from campaigns.reports import Figures, formats, gather_figures

FILES: dict[str, tuple[Callable[[Figures], str], str]] = {
    "json": (formats.as_json, "application/json"),
    "csv": (formats.as_csv, "text/csv; charset=utf-8"),
}
PUBLISHED_SHOWN = 20


class ProgressPages(admin.ModelAdmin[Campaign]):
    """Two addresses more below each campaign's own."""

    def get_urls(self) -> list[URLPattern]:
        here = self.admin_site.admin_view
        return [
            path(
                "<int:campaign_id>/progress/",
                here(self.show_progress),
                name="campaigns_campaign_progress",
            ),
            path(
                "<int:campaign_id>/progress.<slug:kind>",
                here(self.download_report),
                name="campaigns_campaign_report",
            ),
            *super().get_urls(),
        ]

    def show_progress(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        """The number large, with the rule by which it counts, and all that it is made of."""
        campaign = self._find(request, campaign_id)
        language = get_language() or settings.LANGUAGE_CODE
        figures = gather_figures(campaign, at=timezone.now(), language=language)
        primary = figures.primary
        # A target of money has no place on a scale of members.
        target = None if primary is None or primary.is_money else primary.target
        return TemplateResponse(
            request,
            "campaigns/staff/progress.html",
            {
                **self.admin_site.each_context(request),
                "title": gettext("Progress of %(campaign)s") % {"campaign": figures.name},
                "opts": self.opts,
                "campaign": campaign,
                "figures": figures,
                "primary": primary,
                "others": figures.goals[1:],
                "phase": campaign.phase(at=figures.as_of).label,
                "may_close": (
                    self.has_change_permission(request, campaign)
                    and campaign.closed_at is None
                    and primary is not None
                    and primary.phase is Phase.ENDED
                ),
                "chart": formats.chart_days(figures.days, target=target),
                "latest_first": figures.days[::-1],
                "published": campaign.published.order_by("-published_at", "-pk")[:PUBLISHED_SHOWN],
            },
        )

    def download_report(self, request: HttpRequest, campaign_id: int, kind: str) -> HttpResponse:
        """What `manage.py campaign_report --format` writes, as a file."""
        campaign = self._find(request, campaign_id)
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

    def _find(self, request: HttpRequest, campaign_id: int) -> Campaign:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(Campaign.objects.prefetch_related("copies"), pk=campaign_id)
