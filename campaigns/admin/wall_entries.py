"""The wall: what members wrote for the campaign page, to read before it appears there.

Nothing here leads to a person: publishers and campaign managers see no member.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import actions, tasks
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.forms import StaffForm
from campaigns.admin.pages import ActionPages, Done, NotDone, Page
from campaigns.admin.site import ViewOnlyAdmin
from campaigns.models import WallEntry
from campaigns.reports.titles import isolate

Decide = Callable[..., bool]
Say = Callable[[int], str]


def _say_shown(number: int) -> str:
    words = ngettext(
        "%(count)d entry shown on the campaign page.",
        "%(count)d entries shown on the campaign page.",
        number,
    )
    return words % {"count": number}


def _say_hidden(number: int) -> str:
    words = ngettext(
        "%(count)d entry hidden from the campaign page.",
        "%(count)d entries hidden from the campaign page.",
        number,
    )
    return words % {"count": number}


def _say_unchanged() -> str:
    return gettext("Nothing was changed: these entries were decided already, or removed.")


def _make_page(name: str, label: Any, status: WallEntry.Status, decide: Decide, say: Say) -> Page:
    """Make the page below an entry that shows or hides it."""

    def act(entry: WallEntry, user: User) -> Done:
        if not decide(entry, by=user):
            raise NotDone(_say_unchanged())
        tasks.hurry(*tasks.EFFECTS)
        return Done(say(1), is_logged=False)  # the change of the status is in the history

    def ask(pages: ActionPages, request: HttpRequest, entry: WallEntry) -> HttpResponse:
        quoted = f"“{isolate(entry.sentence)}” " if entry.sentence else ""
        explanation = gettext("While it is shown, everyone can read it on the campaign page.")
        return pages.answer_form(
            request,
            entry,
            StaffForm(request.POST if request.method == "POST" else None),
            do=lambda _typed, user: act(entry, user),
            title=str(label),
            explanation=f"{quoted}{explanation}",
        )

    def refuse(entry: WallEntry) -> str:
        return "" if status in WallEntry.MOVES[WallEntry.Status(entry.status)] else _say_unchanged()

    return Page(
        name=name,
        path=f"{name}/",
        view=ask,
        permissions=("campaigns.change_wallentry",),
        label=label,
        refuse=refuse,
        refuses_posts=False,
    )


_SHOW, _HIDE = _("Show on the campaign page"), _("Hide from the campaign page")
SHOW = _make_page(
    *("show", _SHOW, WallEntry.Status.SHOWN),
    *(actions.show_wall_entry, _say_shown),
)
HIDE = _make_page(
    *("hide", _HIDE, WallEntry.Status.HIDDEN),
    *(actions.hide_wall_entry, _say_hidden),
)


@admin.register(WallEntry)
class WallEntryAdmin(ActionPages, ViewOnlyAdmin):
    pages = (SHOW, HIDE)
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

    @admin.action(description=_SHOW, permissions=["work"])
    def show_on_wall(self, request: HttpRequest, entries: QuerySet[WallEntry]) -> None:
        self._report(request, _decide(request, entries, actions.show_wall_entry), _say_shown)

    @admin.action(description=_HIDE, permissions=["work"])
    def hide_from_wall(self, request: HttpRequest, entries: QuerySet[WallEntry]) -> None:
        self._report(request, _decide(request, entries, actions.hide_wall_entry), _say_hidden)

    def _report(self, request: HttpRequest, number: int, say: Say) -> None:
        if number:
            self.message_user(request, say(number), messages.SUCCESS)
        else:
            self.message_user(request, _say_unchanged(), messages.WARNING)


def _decide(request: HttpRequest, entries: QuerySet[WallEntry], decide: Decide) -> int:
    """Decide on each entry; return how many were changed."""
    assert isinstance(request.user, User)
    number = sum(decide(entry, by=request.user) for entry in entries)
    tasks.hurry(*tasks.EFFECTS)
    return number
