"""Jobs: what is due, since when, when each ran last, and the rows that failed."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.admin.views.main import ChangeList
from django.db.models import Case, Model, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import tasks
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.columns import write_moment
from campaigns.admin.errors import ErrorColumn, ErrorFilter
from campaigns.admin.lists import count_up_to
from campaigns.admin.site import ViewOnlyAdmin
from campaigns.jobs import (
    JOBS,
    Job,
    add_missing_runs,
    count_due,
    find_job,
    oldest_due,
    retry_row,
)
from campaigns.models import JobFailure, JobRun

NAMES = [job.name for job in JOBS]


def _label_of(name: str) -> str:
    """Return the job's label, or its name if an earlier version had it."""
    return str(find_job(name).label) if name in NAMES else name


def _model_of(name: str) -> type[Model] | None:
    """Return the model whose rows the job works on, if these are rows."""
    job = find_job(name) if name in NAMES else None
    return job.rows().model if isinstance(job, Job) else None


class JobFilter(admin.AllValuesFieldListFilter):
    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": _label_of(str(choice["display"]))}


@admin.register(JobRun)
class JobRunAdmin(ViewOnlyAdmin):
    """All jobs of the table, in its order, whether they ran before or not."""

    list_note = _(
        "Jobs run automatically, most of them every 15 seconds. If all is well, nothing is due."
    )
    list_display = ["label", "due", "due_since", "ended_at", "worked_at", "failed"]
    list_display_links = None
    list_per_page = len(JOBS)
    actions = ["run_now"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        places = [When(name=name, then=place) for place, name in enumerate(NAMES)]
        runs = super().get_queryset(request).filter(name__in=NAMES)
        return runs.order_by(Case(*places, default=len(NAMES)))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        add_missing_runs(JOBS)
        return super().changelist_view(request, extra_context)

    @admin.display(description=_("job"))
    def label(self, run: JobRun) -> str:
        return str(find_job(run.name).label)

    @admin.display(description=_("due"))
    def due(self, run: JobRun) -> str:
        job, now = find_job(run.name), timezone.now()
        if isinstance(job, Job):
            return count_up_to(job.select_due(at=now))
        return number_format(count_due(job, at=now))

    @admin.display(description=_("oldest due since"))
    def due_since(self, run: JobRun) -> str:
        return write_moment(oldest_due(find_job(run.name), at=timezone.now()))

    @admin.display(description=_("failed rows"))
    def failed(self, run: JobRun) -> str:
        failures = count_up_to(JobFailure.objects.filter(job=run.name))
        if failures == "0":
            return failures
        url = reverse("admin:campaigns_jobfailure_changelist")
        return format_html('<a href="{}?job={}">{}</a>', url, run.name, failures)

    @admin.action(description=_("Run jobs now"), permissions=["work"])
    def run_now(self, request: HttpRequest, runs: QuerySet[JobRun]) -> None:
        tasks.hurry(*runs.values_list("name", flat=True))
        self.message_user(request, gettext("The jobs will run now."), messages.SUCCESS)


@admin.register(JobFailure)
class JobFailureAdmin(ErrorColumn, ViewOnlyAdmin):
    list_note = _(
        "A job couldn’t finish these rows. It retries each of them automatically, after "
        "longer and longer pauses. A row leaves this list once the job succeeds."
    )
    list_display = ["label", "row_link", "failure", "attempts", "failed_at"]
    list_display_links = None
    list_filter = [NeedsAttention, ("job", JobFilter), ("error", ErrorFilter)]
    ordering = ["-failed_at"]
    actions = ["retry"]

    @admin.display(description=_("job"), ordering="job")
    def label(self, failure: JobFailure) -> str:
        return _label_of(failure.job)

    @admin.display(description=_("row"), ordering="row")
    def row_link(self, failure: JobFailure) -> str:
        """Return the row, with a link to its page if it has one."""
        model = _model_of(failure.job)
        if model is None or not self.admin_site.is_registered(model):
            return failure.row
        url = reverse(admin_urlname(model._meta, SafeString("change")), args=[failure.row])
        words = f"{model._meta.verbose_name} {failure.row}"
        return format_html('<a href="{}">{}</a>', url, words)

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
