"""The base of all pages about rows: their history, and forms that nobody has to type twice.

Two people who edit the same row don't overwrite each other unseen: see versions.py.
"""

from contextlib import nullcontext
from typing import Any, NamedTuple

from auditlog.models import LogEntry
from django.contrib import admin
from django.contrib.admin.models import LogEntry as AdminEntry
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.forms import inlineformset_factory
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.html import escape
from django.utils.text import capfirst
from django.utils.translation import gettext

from campaigns import history
from campaigns.admin import versions
from campaigns.admin.bulk import ask_before
from campaigns.admin.changes import Change, list_changes
from campaigns.admin.columns import choose_column
from campaigns.admin.identity import is_restored, show_again
from campaigns.admin.lists import DayFilter, StaffChangeList
from campaigns.reports.titles import isolate, name_for

ENTRIES_SHOWN = 200


class Noted(NamedTuple):
    """An entry of the history that staff read in a form: of which row below it, and its fields."""

    entry: LogEntry
    below: str
    changes: list[Change]


class Conflict(NamedTuple):
    """The changes since a form was opened. `token` is the version that it would be saved over."""

    noted: list[Noted]
    others: list[str]
    token: str


class ViewOnly:
    """Rows that staff never write: nothing can be added, changed or deleted here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StaffModelAdmin(admin.ModelAdmin[Any]):
    list_per_page = 50
    show_full_result_count = False
    # The field by which the list is filtered by days.
    dated_by = ""
    # What its button says that adds a row, and the title of that page.
    add_label: Promise | str = ""
    # True: its form writes only the fields that were edited, and overwrites no others.
    writes_only_edits = False

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
        entries = self._select_history(row).select_related("actor", "content_type")
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("History"),
            "opts": self.opts,
            "original": row,
            "heading": name_for(request, row),
            "entries": [describe_entry(entry, row) for entry in entries[:ENTRIES_SHOWN]],
            **(extra_context or {}),
        }
        return TemplateResponse(request, "campaigns/staff/history.html", context)

    def _select_history(self, row: Model) -> QuerySet[LogEntry]:
        """Return the history of a row and of those that are edited below it, the newest first."""
        wanted = Q(content_type=ContentType.objects.get_for_model(row), object_pk=str(row.pk))
        for inline in self.inlines:
            if not issubclass(inline, ViewOnly):
                key = _find_key(self.model, inline)
                below = inline.model._default_manager.filter(**{key: row})
                pks = [str(pk) for pk in below.values_list("pk", flat=True)]
                # Those that were deleted are found by their key.
                was = Q(**{f"changes__{key}__0": str(row.pk)})
                was |= Q(**{f"changes__{key}__1": str(row.pk)})
                kind = ContentType.objects.get_for_model(inline.model)
                wanted |= Q(content_type=kind) & (Q(object_pk__in=pks) | was)
        found: QuerySet[LogEntry] = LogEntry.objects.filter(wanted)
        return found.order_by("-timestamp", "-pk")

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Save the form of the newest version only. Two forms sent at once take turns."""
        if object_id is None:
            title = {"title": self.add_label} if self.add_label else {}
            return super().changeform_view(request, None, form_url, title | (extra_context or {}))
        with transaction.atomic() if request.method == "POST" else nullcontext():
            found = self._compare_version(request, unquote(object_id))
            context = found | (extra_context or {})
            return super().changeform_view(request, object_id, form_url, context)

    def _compare_version(self, request: HttpRequest, object_id: str) -> dict[str, Any]:
        """Return the page's title, its form's version, and what changed since it was opened."""
        row = self.get_object(request, object_id)
        if row is not None and request.method == "POST":
            list(self.model._default_manager.select_for_update(no_key=True).filter(pk=row.pk))
            row = self.get_object(request, object_id)
        if row is None:
            return {}
        title = name_for(request, row)
        titles = {"heading": title, "subtitle": title}
        if not self.has_change_permission(request, row):
            return titles
        shown = request.POST.get(versions.VERSION, "")
        if is_restored(request) and shown:
            return titles | {"version": shown}
        now = versions.read_version(self, request, row)
        if request.method != "POST":
            return titles | {"version": now.sign()}
        sent = request.POST.get(versions.SAVE_OVER) or shown
        opened = versions.load_version(sent)
        if opened is not None and not self._find_overwritten(request, row, opened, now):
            return titles | {"version": sent}
        data = request.POST.copy()
        versions.keep_deleted_rows(self, request, row, data)
        show_again(request, data)
        conflict = describe_conflict(row, opened, now)
        return titles | {"version": shown, "conflict": conflict}

    def _find_overwritten(
        self, request: HttpRequest, row: Model, opened: versions.Version, now: versions.Version
    ) -> dict[str, set[str]]:
        """Return what the sent form would overwrite: rows with their fields."""
        differing = versions.compare_rows(opened.rows, now.rows)
        if not differing or versions.is_saved(self, request, row):  # a second click
            return {}
        if not self.writes_only_edits:
            return differing
        form = self.get_form(request, row, change=True)(request.POST, instance=row)
        edited = set(form.changed_data)
        return {name: fields & edited for name, fields in differing.items() if fields & edited}

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        titles = {"heading": name_for(request, row)} if row is not None else {}
        return super().delete_view(request, object_id, titles | (extra_context or {}))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Offer two ways to save: nobody adds several of these rows one after another."""
        shown = context | {"show_save_and_add_another": False}
        return super().render_change_form(request, shown, *args, **kwargs)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        return super().response_add(request, self._call_by_title(request, obj), post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return super().response_change(request, self._call_by_title(request, obj))

    def _call_by_title(self, request: HttpRequest, row: Any) -> Any:
        """Return the row, which messages then call by its title. Its texts may be new."""
        title = name_for(request, self.model._default_manager.get(pk=row.pk))
        row.__html__ = lambda: escape(title)
        return row

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


def _find_key(model: type[Model], inline: Any) -> str:
    """Return the name of the foreign key by which the rows of an inline belong to their row."""
    rows: Any = inlineformset_factory(model, inline.model, fk_name=inline.fk_name, fields=())
    return str(rows.fk.name)


def describe_conflict(
    row: Model, opened: versions.Version | None, now: versions.Version
) -> Conflict:
    """Return what changed since the form was opened; nothing if it doesn't say when that was."""
    if opened is None:
        return Conflict([], [], now.sign())
    differing = versions.compare_rows(opened.rows, now.rows)
    entries = versions.list_entries(differing, since=opened.at)
    noted = [describe_entry(entry, row) for entry in entries]
    return Conflict(noted, versions.list_unnoted(differing, entries), now.sign())


def describe_entry(entry: LogEntry, row: Model) -> Noted:
    """Return an entry of a row's history, with the name of the row below if it is about one."""
    is_own = entry.content_type.model_class() is type(row)
    below = "" if is_own else f"{capfirst(entry.content_type.name)}: {isolate(entry.object_repr)}"
    return Noted(entry, below, list_changes(entry))
