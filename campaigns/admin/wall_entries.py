"""The wall: what members wrote for the campaign page, to read before it appears there.

Nothing here leads to a person: publishers and campaign managers see no member.
"""

from collections.abc import Callable

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import actions, tasks
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.site import ViewOnlyAdmin
from campaigns.models import WallEntry


@admin.register(WallEntry)
class WallEntryAdmin(ViewOnlyAdmin):
    list_note = _(
        "New members wrote this for the campaign page. It appears there once you show it, in plain "
        "text. Members who change their words wait for you again."
    )
    # The page before an action on several rows shows the first four.
    list_display = ["first_name", "town", "sentence", "status", "campaign", "written_at"]
    list_filter = [NeedsAttention, "status", "campaign", "language"]
    list_select_related = ["campaign"]
    dated_by = "written_at"
    ordering = ["-written_at", "-pk"]
    search_fields = ["first_name", "town", "sentence"]
    search_help_text = _("Name, town or words")
    fieldsets = [
        (None, {"fields": [("first_name", "town"), "sentence", ("campaign", "language")]}),
        (_("Decision"), {"fields": ["status", "written_at", ("decided_at", "decided_by")]}),
    ]
    readonly_fields = ["status", "written_at", "decided_at", "decided_by"]
    actions = ["show_on_wall", "hide_from_wall"]

    @admin.action(description=_("Show on the campaign page"), permissions=["work"])
    def show_on_wall(self, request: HttpRequest, entries: QuerySet[WallEntry]) -> None:
        number = _decide(request, entries, actions.show_wall_entry)
        words = ngettext(
            "%(count)d entry shown on the campaign page.",
            "%(count)d entries shown on the campaign page.",
            number,
        )
        self._report(request, words, number)

    @admin.action(description=_("Hide from the campaign page"), permissions=["work"])
    def hide_from_wall(self, request: HttpRequest, entries: QuerySet[WallEntry]) -> None:
        number = _decide(request, entries, actions.hide_wall_entry)
        words = ngettext(
            "%(count)d entry hidden from the campaign page.",
            "%(count)d entries hidden from the campaign page.",
            number,
        )
        self._report(request, words, number)

    def _report(self, request: HttpRequest, words: str, number: int) -> None:
        if number:
            self.message_user(request, words % {"count": number}, messages.SUCCESS)
        else:
            words = gettext("Nothing was changed: these entries were decided already, or removed.")
            self.message_user(request, words, messages.WARNING)


def _decide(request: HttpRequest, entries: QuerySet[WallEntry], decide: Callable[..., bool]) -> int:
    """Decide on each entry; return how many were changed."""
    assert isinstance(request.user, User)
    number = sum(decide(entry, by=request.user) for entry in entries)
    tasks.hurry(*tasks.EFFECTS)
    return number
