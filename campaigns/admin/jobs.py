"""Jobs: what is due, since when, when each ran last, and the rows that failed."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import tasks
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.errors import ErrorColumn, ErrorFilter
from campaigns.admin.site import ViewOnlyAdmin
from campaigns.jobs import (
    JOBS,
    add_missing_runs,
    count_due,
    find_job,
    oldest_due,
    retry_row,
)
from campaigns.models import JobFailure, JobRun

NAMES = [job.name for job in JOBS]


@admin.register(JobRun)
class JobRunAdmin(ViewOnlyAdmin):
    """All jobs of the table, whether they ran before or not."""

    list_display = ["label", "due", "due_since", "ended_at", "worked_at", "failed", "queue"]
    list_display_links = None
    ordering = ["name"]
    list_per_page = len(JOBS)
    actions = ["run_now"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(name__in=NAMES)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        add_missing_runs(JOBS)
        return super().changelist_view(request, extra_context)

    @admin.display(description=_("job"), ordering="name")
    def label(self, run: JobRun) -> str:
        return str(find_job(run.name).label)

    @admin.display(description=_("due"))
    def due(self, run: JobRun) -> str:
        return number_format(count_due(find_job(run.name), at=timezone.now()))

    @admin.display(description=_("oldest due since"))
    def due_since(self, run: JobRun) -> Any:
        return oldest_due(find_job(run.name), at=timezone.now())

    @admin.display(description=_("failed rows"))
    def failed(self, run: JobRun) -> str:
        failures = JobFailure.objects.filter(job=run.name).count()
        if not failures:
            return "0"
        url = reverse("admin:campaigns_jobfailure_changelist")
        return format_html('<a href="{}?job={}">{}</a>', url, run.name, number_format(failures))

    @admin.display(description=_("queue"))
    def queue(self, run: JobRun) -> str:
        return find_job(run.name).queue

    @admin.action(description=_("Run jobs now"), permissions=["work"])
    def run_now(self, request: HttpRequest, runs: QuerySet[JobRun]) -> None:
        tasks.hurry(*runs.values_list("name", flat=True))
        self.message_user(request, gettext("The jobs will run now."), messages.SUCCESS)


@admin.register(JobFailure)
class JobFailureAdmin(ErrorColumn, ViewOnlyAdmin):
    list_display = ["job", "row", "failure", "attempts", "failed_at"]
    list_display_links = None
    list_filter = [NeedsAttention, "job", ("error", ErrorFilter)]
    ordering = ["-failed_at"]
    actions = ["retry"]

    @admin.action(description=_("Retry rows now"), permissions=["work"])
    def retry(self, request: HttpRequest, failures: QuerySet[JobFailure]) -> None:
        chosen = [(failure.job, failure.row) for failure in failures if failure.job in NAMES]
        for name, row in chosen:
            retry_row(find_job(name), row)
        tasks.hurry(*{name for name, _row in chosen})
        self.message_user(
            request,
            ngettext(
                "%(count)d row will be retried now.",
                "%(count)d rows will be retried now.",
                len(chosen),
            )
            % {"count": len(chosen)},
            messages.SUCCESS,
        )
