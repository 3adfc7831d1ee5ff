"""The base of all pages about rows: their history, and forms that nobody has to type twice."""

from typing import Any, NamedTuple

from auditlog.models import LogEntry
from django.contrib import admin
from django.contrib.admin.models import LogEntry as AdminEntry
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext

from campaigns import history
from campaigns.admin.bulk import ask_before
from campaigns.admin.columns import choose_column
from campaigns.admin.identity import is_restored
from campaigns.admin.lists import DayFilter, StaffChangeList

ENTRIES_SHOWN = 200


class Change(NamedTuple):
    """One field before and after. Either is empty if there is no value."""

    field: str
    before: str
    after: str


class StaffModelAdmin(admin.ModelAdmin[Any]):
    list_per_page = 50
    show_full_result_count = False
    # The field by which the list is filtered by days.
    dated_by = ""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return StaffChangeList

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found: dict[str, Any] = super().get_actions(request)
        return {
            name: (ask_before(action, name, str(label)), name, label)
            for name, (action, _name, label) in found.items()
        }

    def get_list_display(self, request: HttpRequest) -> Any:
        return [choose_column(self.model, name) for name in super().get_list_display(request)]

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """Return the columns that the list can be sorted by.

        A list that grows with the sales has a `sortable_by`: the columns whose order an index has.
        """
        return [choose_column(self.model, name) for name in super().get_sortable_by(request)]

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        links = super().get_list_display_links(request, list_display)
        return links and [choose_column(self.model, name) for name in links]

    def get_list_filter(self, request: HttpRequest) -> Any:
        given = list(super().get_list_filter(request))
        return [*given, DayFilter] if self.dated_by else given

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show who changed the row, when, from what to what, and why."""
        row = self.get_object(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        entries = LogEntry.objects.get_for_object(row).select_related("actor", "content_type")
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("History"),
            "opts": self.opts,
            "original": row,
            "entries": [(entry, list_changes(entry)) for entry in entries[:ENTRIES_SHOWN]],
            **(extra_context or {}),
        }
        return TemplateResponse(request, "campaigns/staff/history.html", context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Offer two ways to save: nobody adds several of these rows one after another."""
        shown = context | {"show_save_and_add_another": False}
        return super().render_change_form(request, shown, *args, **kwargs)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> AdminEntry:
        """Note an action in the row's history. Changes of fields are noted anyway."""
        if isinstance(message, str):
            assert isinstance(request.user, User)
            history.note_change(obj, message, by=request.user)
        return super().log_change(request, obj, message)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Fill in what was typed before the session ended."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if not is_restored(request):
            return form

        def fill_in(self: Any, *args: Any, **kwargs: Any) -> None:
            form.__init__(self, *args, **{"data": request.POST} | kwargs)

        return type(form.__name__, (form,), {"__init__": fill_in})

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Any, inline: Any, prefix: str
    ) -> dict[str, Any]:
        given = super().get_formset_kwargs(request, obj, inline, prefix)
        return given | {"data": request.POST} if is_restored(request) else given


def list_changes(entry: LogEntry) -> list[Change]:
    """Return the fields that changed, as staff read them."""
    shown = entry.changes_display_dict if entry.content_type.model_class() else {}
    changes = [
        Change(capfirst(str(name)), *(_show(value) for value in values))
        for name, values in shown.items()
        if isinstance(values, list) and len(values) == 2 and any(map(_show, values))
    ]
    for values in (entry.changes or {}).values():
        if isinstance(values, dict):  # several related rows were added or removed: roles
            names = ", ".join(values["objects"])
            is_added = values["operation"] == "add"
            changes.append(Change(gettext("Roles"), *(("", names) if is_added else (names, ""))))
    return changes


def _show(value: Any) -> str:
    return "" if value in {None, "None"} else str(value)
