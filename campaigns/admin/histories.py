"""The history of all rows as one list that can be searched."""

from collections.abc import Iterator
from typing import Any

import auditlog.admin  # noqa: F401 - registers the pages that are replaced here
from auditlog.models import LogEntry
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.admin.changes import list_changes
from campaigns.admin.columns import write_moment
from campaigns.admin.lists import StaffChangeList, filter_by_known
from campaigns.admin.site import ViewOnlyAdmin
from campaigns.history import NOTED
from campaigns.models import Erasure, Gift, Membership, Payment, Price, RefundOrder, StripeSale
from campaigns.reports.titles import isolate, name_row, with_names

# The rows that a title needs besides its own.
_PEOPLE: dict[Any, tuple[str, ...]] = {
    Erasure: ("member",),
    Gift: ("buyer",),
    Membership: ("member",),
    Payment: ("member",),
    Price: ("plan",),
    RefundOrder: ("payment__member",),
    StripeSale: ("price__plan", "checkout"),
}

admin.site.unregister(LogEntry)  # its own pages show what the forms of rows show, in other words


def _list_kinds() -> list[tuple[int, str]]:
    kinds = ContentType.objects.get_for_models(*NOTED).items()
    return sorted((kind.pk, str(kind.name)) for _model, kind in kinds)


def _list_staff() -> list[tuple[int, str]]:
    return [
        (user.pk, str(user)) for user in User.objects.filter(is_staff=True).order_by("username")
    ]


KindFilter = filter_by_known(_("kind of row"), "content_type", _list_kinds)
ActorFilter = filter_by_known(_("who"), "actor", _list_staff)


class HistoryList(StaffChangeList):
    """Names the rows that were changed by their titles, with one query for each kind of row."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        titles: dict[tuple[int, str], str] = {}
        kinds = {entry.content_type for entry in self.result_list}
        for kind in kinds:
            keys = [entry.object_pk for entry in self.result_list if entry.content_type == kind]
            titles |= {(kind.pk, str(pk)): words for pk, words in _name_rows(kind, keys)}
        for entry in self.result_list:
            entry.title = titles.get((entry.content_type_id, entry.object_pk), "")


def _name_rows(kind: ContentType, keys: list[str]) -> Iterator[tuple[Any, str]]:
    """Yield the key and the title of each row of this kind that exists."""
    model = kind.model_class()
    if model is None:
        return
    found = model._default_manager.filter(pk__in=keys).select_related(*_PEOPLE.get(model, ()))
    for row in with_names(found, ["", *_PEOPLE.get(model, ())]):
        yield row.pk, name_row(row)


@admin.register(LogEntry)
class HistoryAdmin(ViewOnlyAdmin):
    list_display = ["at", "who", "row", "change", "reason"]
    list_display_links = ["at"]
    list_filter = ["action", KindFilter, ActorFilter]
    list_select_related = ["actor", "content_type"]
    dated_by = "timestamp"
    ordering = ["-timestamp", "-pk"]
    search_fields = [
        *("object_repr", "object_pk", "changes", "changes_text", "additional_data"),
        "actor__username",
    ]
    search_help_text = _("Name of a row or of a user, a value, or a reason")
    fields = ["at", "who", "row", "change", "reason"]
    readonly_fields = ["at", "who", "row", "change", "reason"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LogEntry]:
        return super().get_queryset(request).filter(content_type__isnull=False)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> LogEntry | None:
        entry: Any = super().get_object(request, object_id, from_field)
        if entry is not None:
            titles = dict(_name_rows(entry.content_type, [entry.object_pk]))
            entry.title = next(iter(titles.values()), "")
        return entry

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        entry: Any = self.get_object(request, object_id) if object_id else None
        if entry is not None:
            title = entry.title or isolate(entry.object_repr)
            words = f"{capfirst(entry.content_type.name)}: {title}"
            extra_context = {"heading": words, "subtitle": words} | (extra_context or {})
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[StaffChangeList]:
        return HistoryList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        return super().changelist_view(
            request, {"title": gettext("History")} | (extra_context or {})
        )

    @admin.display(description=_("when"), ordering="timestamp")
    def at(self, entry: LogEntry) -> str:
        return write_moment(entry.timestamp)

    @admin.display(description=_("who"), ordering="actor")
    def who(self, entry: LogEntry) -> str:
        return str(entry.actor or "–")

    @admin.display(description=_("what"))
    def row(self, entry: LogEntry) -> SafeString:
        kind, title = capfirst(entry.content_type.name), getattr(entry, "title", "")
        url = f"admin:{entry.content_type.app_label}_{entry.content_type.model}_change"
        try:
            link = reverse(url, args=[entry.object_pk])
        except NoReverseMatch:  # a row of another one: its texts, its goals
            return format_html("{}: {}", kind, title or entry.object_repr)
        return format_html('<a href="{}">{}: {}</a>', link, kind, title or entry.object_repr)

    @admin.display(description=_("change"))
    def change(self, entry: LogEntry) -> str:
        context = {"entry": entry, "changes": list_changes(entry)}
        return render_to_string("campaigns/staff/changes.html", context)

    @admin.display(description=_("reason"))
    def reason(self, entry: LogEntry) -> str:
        return str((entry.additional_data or {}).get("reason", ""))
