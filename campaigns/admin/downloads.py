"""Downloads of a list of the admin, as it is filtered, and the filter by campaign."""

import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import structlog
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns import history
from campaigns.admin.base import StaffModelAdmin
from campaigns.admin.identity import confirm_identity, is_confirmed
from campaigns.models import Campaign
from campaigns.reports.lists import members_of
from campaigns.reports.titles import name_row
from campaigns.spreadsheets import (
    ANY_MONEY,
    XLSX,
    Cell,
    count_sheets,
    stream_csv,
    write_xlsx,
)

log = structlog.get_logger(__name__)

PERMISSION = "campaigns.export_member"


class InCampaign(admin.SimpleListFilter):
    """Members who paid in a campaign, count in it, or claimed a gift that was bought in it."""

    title = _("campaign")
    parameter_name = "campaign"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str]]:
        campaigns = Campaign.objects.order_by("-starts_at").prefetch_related("copies")
        return [(campaign.slug, name_row(campaign)) for campaign in campaigns]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        campaign = Campaign.objects.filter(slug=self.value()).first() if self.value() else None
        if campaign is None:
            return queryset
        return members_of(campaign, queryset, at=timezone.now())


class Downloads(StaffModelAdmin):
    """Adds links to the list's page that download all its rows, with the same filters."""

    change_list_template = "campaigns/staff/change_list.html"
    # True: the file names people, so it needs a permission of its own and a recent sign-in.
    has_personal_data = True

    def may_download(self, request: HttpRequest) -> bool:
        may = not self.has_personal_data or request.user.has_perm(PERMISSION)
        return may and self.has_view_permission(request)

    def list_rows(self, rows: QuerySet[Any]) -> Iterator[list[Cell]]:
        """Yield the headings and the rows of the file."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.download)
        return [path("download/<slug:kind>/", view, name=self._url_name), *super().get_urls()]

    @property
    def _url_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_download"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        kinds = ("csv", "xlsx") if self.may_download(request) else ()
        urls = {kind: reverse(f"admin:{self._url_name}", args=[kind]) for kind in kinds}
        return super().changelist_view(request, {"downloads": urls} | (extra_context or {}))

    def download(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """Stream all rows of the list: no file is held in memory."""
        if not self.may_download(request):
            raise PermissionDenied
        if self.has_personal_data and not is_confirmed(request):
            return confirm_identity(request)
        try:
            found = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters as error:
            raise Http404 from error
        # Filters over related rows may repeat a row, and would be joined to each related query.
        rows = self.list_rows(self.model._default_manager.filter(pk__in=found.values("pk")))
        name = f"{self.opts.model_name}s-{timezone.localdate():%Y-%m-%d}.{kind}"
        assert isinstance(request.user, User)
        return send_rows(rows, name, by=request.user, about=request.user, count=found.count)


def send_rows(
    rows: Iterator[list[Cell]],
    name: str,
    *,
    by: User,
    about: Model,
    count: Callable[[], int] = lambda: 0,
    money_format: str = ANY_MONEY,
) -> HttpResponseBase:
    """Send rows as the file that the ending of the name asks for, and note it in a row's history.

    The file is never held in memory. `count` counts the rows, which only a spreadsheet asks for.
    """
    kind = name.rpartition(".")[2]
    if kind not in {"csv", "xlsx"}:
        raise Http404
    history.note_change(about, f"{name} downloaded.", by=by)
    log.info("list_downloaded", file=name, user=by.pk)
    if kind == "csv":
        return StreamingHttpResponse(
            stream_csv(rows),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
    file = tempfile.TemporaryFile()  # noqa: SIM115 (the response closes it)
    write_xlsx(rows, file, sheets=count_sheets(count()), money_format=money_format)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=name, content_type=XLSX)
