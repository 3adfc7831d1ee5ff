"""The history of all rows as one list that can be searched."""

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
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.admin.base import list_changes
from campaigns.admin.lists import filter_by_known
from campaigns.admin.site import ViewOnlyAdmin
from campaigns.history import NOTED

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


@admin.register(LogEntry)
class HistoryAdmin(ViewOnlyAdmin):
    list_display = ["timestamp", "who", "row", "change", "reason"]
    list_display_links = ["timestamp"]
    list_filter = ["action", KindFilter, ActorFilter]
    list_select_related = ["actor", "content_type"]
    dated_by = "timestamp"
    ordering = ["-timestamp", "-pk"]
    search_fields = [
        *("object_repr", "object_pk", "changes", "changes_text", "additional_data"),
        "actor__username",
    ]
    search_help_text = _("Name of a row or of a user, a value, or a reason")
    fields = ["timestamp", "who", "row", "change", "reason"]
    readonly_fields = ["timestamp", "who", "row", "change", "reason"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LogEntry]:
        return super().get_queryset(request).filter(content_type__isnull=False)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        return super().changelist_view(
            request, {"title": gettext("History")} | (extra_context or {})
        )

    @admin.display(description=_("who"), ordering="actor")
    def who(self, entry: LogEntry) -> str:
        return str(entry.actor or "–")

    @admin.display(description=_("what"))
    def row(self, entry: LogEntry) -> SafeString:
        kind = entry.content_type.name
        url = f"admin:{entry.content_type.app_label}_{entry.content_type.model}_change"
        try:
            link = reverse(url, args=[entry.object_pk])
        except NoReverseMatch:  # a row of another one: its texts, its goals
            return format_html("{}: {}", kind, entry.object_repr)
        return format_html('{}: <a href="{}">{}</a>', kind, link, entry.object_repr)

    @admin.display(description=_("change"))
    def change(self, entry: LogEntry) -> str:
        context = {"entry": entry, "changes": list_changes(entry)}
        return render_to_string("campaigns/staff/changes.html", context)

    @admin.display(description=_("reason"))
    def reason(self, entry: LogEntry) -> str:
        return str((entry.additional_data or {}).get("reason", ""))
