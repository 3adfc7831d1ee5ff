"""Downloads of a campaign's report: the whole report, its charts and the rows behind it."""

from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from campaigns.admin.downloads import PERMISSION, send_rows
from campaigns.admin.pages import ActionPages, Page
from campaigns.admin.report_controls import ControlsForm
from campaigns.models import Campaign
from campaigns.reports.contents import Contents, gather_contents
from campaigns.reports.files import CHARTS, FILES, name_file
from campaigns.reports.rows import ROW_KINDS, Span

# Rows with names and addresses of readers need the permission to download members.
ROW_PERMISSIONS: dict[str, tuple[str, ...]] = {
    "members": (PERMISSION, "campaigns.view_member", "campaigns.view_tally"),
    "gifts": (PERMISSION, "campaigns.view_gift"),
    "payments": ("campaigns.view_payment",),
    "refunds": ("campaigns.view_payment", "campaigns.view_refund"),
    "days": (),
}
_FORMATS = {"pdf": "PDF", "xlsx": "Excel", "html": "HTML", "json": "JSON"}
_ROW_FORMATS = {"csv": "CSV", "xlsx": "Excel"}
_ROWS: dict[str, Promise] = {
    "members": _("Counted sign-ups"),
    "gifts": _("Gifts"),
    "payments": _("Payments"),
    "refunds": _("Refunds and lost disputes"),
    "days": _("Days"),
}


@dataclass(frozen=True)
class Download:
    """Something to download, with a link for each format."""

    label: str
    links: list[tuple[str, str]]  # format, URL


@dataclass(frozen=True)
class Downloads:
    """The downloads of a report that the user may open."""

    report: Download
    charts: list[Download]
    rows: list[Download]


def list_downloads(pages: ActionPages, request: HttpRequest, contents: Contents) -> Downloads:
    """Return the links to the files of the days that the page shows."""
    asked = f"?{request.GET.urlencode()}" if request.GET else ""

    def url(name: str, *args: str) -> str:
        return pages.url_of(contents.campaign, name, *args) + asked

    return Downloads(
        report=Download(
            gettext("Report"), [(label, url("report", kind)) for kind, label in _FORMATS.items()]
        ),
        charts=[
            Download(
                chart.title, [(kind.upper(), url("chart", chart.name, kind)) for kind in CHARTS]
            )
            for chart in contents.charts
        ],
        rows=[
            Download(
                str(label),
                [(text, url(f"rows_{name}", kind)) for kind, text in _ROW_FORMATS.items()],
            )
            for name, label in _ROWS.items()
            if pages.may_open(request, contents.campaign, f"rows_{name}")
        ],
    )


def _gather(request: HttpRequest, campaign: Campaign) -> Contents:
    language = get_language() or settings.LANGUAGE_CODE
    controls = ControlsForm(request.GET or None, campaign=campaign, language=language)
    with timezone.override(campaign.zone_info):
        return gather_contents(
            *(campaign, controls.read()),
            at=timezone.now(),
            language=language,
            may_be_kept=True,
        )


def _download_report(
    pages: ActionPages, request: HttpRequest, campaign: Campaign, kind: str
) -> HttpResponse:
    """Return what `manage.py campaign_report --format` writes, in the user's language."""
    if kind not in FILES:
        raise Http404
    contents = _gather(request, campaign)
    name = name_file(campaign, kind, at=contents.report.as_of)
    return _send(FILES[kind].write(contents), FILES[kind].content_type, name)


def _download_chart(
    pages: ActionPages, request: HttpRequest, campaign: Campaign, chart: str, kind: str
) -> HttpResponse:
    if kind not in CHARTS:
        raise Http404
    contents = _gather(request, campaign)
    found = contents.find_chart(chart)
    if found is None:
        raise Http404
    name = name_file(campaign, kind, at=contents.report.as_of, about=found.name)
    return _send(CHARTS[kind].draw(found), CHARTS[kind].content_type, name)


def _send(content: bytes, content_type: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type=content_type, headers=headers)


def _download_rows(
    pages: ActionPages, request: HttpRequest, campaign: Campaign, rows: str, kind: str
) -> HttpResponseBase:
    """Stream the rows of the days that the page shows."""
    language = get_language() or settings.LANGUAGE_CODE
    choice = ControlsForm(request.GET or None, campaign=campaign, language=language).read()
    at, found = timezone.now(), ROW_KINDS[rows]
    span = Span(campaign, choice.choose_period(campaign, at=at), at)
    assert isinstance(request.user, User)
    return send_rows(
        found.write(span),
        name_file(campaign, kind, at=at, about=rows),
        by=request.user,
        about=campaign,
        count=lambda: found.count_rows(span),
        money_format=found.choose_money_format(span),
    )


REPORT = Page(name="report", path="progress.<slug:kind>", view=_download_report)
CHART = Page(name="chart", path="progress/charts/<slug:chart>.<slug:kind>", view=_download_chart)
ROWS = tuple(
    Page(
        name=f"rows_{name}",
        path=f"progress/rows/{name}.<slug:kind>",
        view=partial(_download_rows, rows=name),
        permissions=permissions,
        confirms=bool(permissions),
    )
    for name, permissions in ROW_PERMISSIONS.items()
)
