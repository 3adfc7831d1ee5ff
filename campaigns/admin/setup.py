"""The page "Is everything set up?": each part, when it last worked, and what to do about it."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext

from campaigns import health

PERMISSION = "campaigns.view_jobrun"


def show_setup(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    health.watch_processes_soon()
    findings = health.check_setup(at=timezone.now(), is_thorough=True)
    ranks = [health.State.BAD, health.State.WARNING, health.State.UNKNOWN, health.State.GOOD]
    context = {
        **admin.site.each_context(request),
        "title": gettext("Is everything set up?"),
        "findings": sorted(findings, key=lambda finding: ranks.index(finding.state)),
        "bad": sum(finding.state is health.State.BAD for finding in findings),
        "good": all(finding.is_good for finding in findings),
    }
    return TemplateResponse(request, "campaigns/staff/setup.html", context)
