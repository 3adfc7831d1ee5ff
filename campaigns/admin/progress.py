"""A campaign's report for staff: its questions on one page."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from campaigns.admin.notes import NoteForm, delete_note, save_note
from campaigns.admin.pages import ActionPages, Page
from campaigns.admin.report_controls import ControlsForm
from campaigns.admin.report_files import list_downloads
from campaigns.models import Campaign, Goal
from campaigns.progress import Progress
from campaigns.reports.charts import draw_both, draw_curve, draw_stacks, write_table
from campaigns.reports.contents import gather_contents
from campaigns.reports.links import Links
from campaigns.reports.periods import whole_campaign
from campaigns.reports.report import Report
from campaigns.reports.titles import isolate

PUBLISHED_SHOWN = 20


def _show_report(pages: ActionPages, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the report, or save a note on it. Days and times are the campaign's own."""
    with timezone.override(campaign.zone_info):
        form = NoteForm(request.POST or None)
        may_add = request.user.has_perm("campaigns.add_note")
        if request.method == "POST" and may_add and form.is_valid():
            return save_note(pages, request, campaign, form)
        context = _describe(pages, request, campaign, at=timezone.now())
        context |= {"note_form": form if may_add else None}
        status = 422 if form.errors else 200
        template = "campaigns/staff/progress.html"
        return TemplateResponse(request, template, context, status=status).render()


def _describe(
    pages: ActionPages, request: HttpRequest, campaign: Campaign, *, at: datetime
) -> dict[str, Any]:
    language = get_language() or settings.LANGUAGE_CODE
    controls = ControlsForm(request.GET or None, campaign=campaign, language=language)
    links = Links(campaign, lambda model: request.user.has_perm(f"campaigns.view_{model}"))
    contents = gather_contents(
        *(campaign, controls.read()), at=at, language=language, links=links, may_be_kept=True
    )
    report, page, sections = contents.report, contents.page, contents.sections
    outlook, goals = page.outlook, report.standing.goals
    return {
        **pages.admin_site.each_context(request),
        "title": gettext("Report of %(campaign)s") % {"campaign": isolate(report.name)},
        "opts": pages.opts,
        "campaign": campaign,
        "report": report,
        "primary": report.standing.primary,
        "other_goals": [(goal, _link_count(links, report, goal)) for goal in goals[1:]],
        "phase": campaign.phase(at=at).label,
        "may_close": pages.is_offered(request, campaign, "close"),
        "controls": controls,
        "page": page,
        "sections": sections,
        "counted_url": _link_count(links, report, goals[0]) if goals else "",
        "pending_url": links.pending(),
        "curve": draw_both(lambda size: draw_curve(outlook.curve, size)) if outlook else "",
        "curve_table": write_table(outlook.curve.tabulate()) if outlook else "",
        "daily": draw_both(lambda size: draw_stacks(page.daily, size)),
        "downloads": list_downloads(pages, request, contents),
        "may_delete_notes": request.user.has_perm("campaigns.delete_note"),
        "published": campaign.published.order_by("-published_at", "-pk")[:PUBLISHED_SHOWN],
    }


def _link_count(links: Links, report: Report, goal: Progress) -> str:
    """Return the list of what a goal counts; a goal of money adds up its payments."""
    at = report.as_of
    whole = whole_campaign(links.campaign, at=at)
    if goal.is_money:
        return links.figure("net", whole, at=at, part=goal.currency)
    return links.counted(whole, is_of_gifts=goal.kind == Goal.Kind.GIFTS)


PROGRESS = Page(name="progress", path="progress/", view=_show_report, label=_("See report"))
DELETE_NOTE = Page(
    name="delete_note",
    path="progress/notes/<int:note_id>/delete/",
    view=delete_note,
    permissions=("campaigns.delete_note",),
)
