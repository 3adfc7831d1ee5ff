"""Members in Ghost: who has access there, who is left alone, and whom Ghost refused."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import ghost, tasks
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.site import ViewOnlyAdmin
from campaigns.models import GhostMember, GhostSite
from campaigns.reports.titles import isolate

_BADGES = {
    GhostMember.State.GIVEN: "succeeded",
    GhostMember.State.REFUSED: "failed",
}


def _describe_comparison() -> str:
    """Return when Ghost was compared last, and how many members differed."""
    site = GhostSite.read()
    if site.compared_at is None:
        return ""
    found = site.differences
    differing = sum(found.get(name, 0) for name in ("missing", "differing", "ending"))
    words = ngettext(
        "Compared with Ghost on %(moment)s: %(count)s member differed and is brought in line.",
        "Compared with Ghost on %(moment)s: %(count)s members differed and are brought in line.",
        differing,
    )
    moment = date_format(timezone.localtime(site.compared_at), "DATETIME_FORMAT")
    alone = gettext("Left alone: %(paying)s pay in Ghost, %(given)s have access from its staff.")
    return " ".join(
        [
            words % {"moment": moment, "count": number_format(differing)},
            alone
            % {
                "paying": number_format(found.get("paying", 0)),
                "given": number_format(found.get("given_by_others", 0)),
            },
        ]
    )


@admin.register(GhostMember)
class GhostMemberAdmin(ViewOnlyAdmin):
    list_note = lazy(_describe_comparison, str)()
    list_display = ["person", "shown_state", "until", "synced_at", "due_at"]
    list_display_links = ["person", "shown_state"]
    list_select_related = ["member"]
    list_filter = [NeedsAttention, "state"]
    ordering = ["-pk"]
    search_fields = ["ghost_id", "member__email", "email"]
    search_help_text = _("ID in Ghost, or e-mail address")
    fieldsets = [
        (None, {"fields": ["member", "email", "shown_state", "error"]}),
        (_("From us"), {"fields": ["until", "is_created", "labels", "newsletters"]}),
        (_("Ghost"), {"fields": ["ghost_id", "tier_id"]}),
        (_("Attempts"), {"fields": [("attempts", "due_at"), "synced_at"]}),
    ]
    readonly_fields = ["shown_state"]
    actions = ["sync_now"]

    @admin.display(description=_("member"))
    def person(self, row: GhostMember) -> str:
        """Return a member's name, or the address of a reader who only gets newsletters."""
        return str(row.member) if row.member is not None else row.email or str(row)

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, row: GhostMember) -> SafeString:
        state = GhostMember.State(row.state)
        badge = _BADGES.get(state, "pending")
        shown = format_html('<span class="staff-badge-{}">{}</span>', badge, state.label)
        return format_html("{}: {}", shown, isolate(row.error)) if row.error else shown

    @admin.action(description=_("Bring in line now"), permissions=["work"])
    def sync_now(self, request: HttpRequest, rows: QuerySet[GhostMember]) -> None:
        due = GhostMember.objects.make_due(rows)
        ghost.stop_resting()  # they may have mended what was wrong with it
        tasks.hurry("ghost")
        words = ngettext(
            "%(count)d member will be brought in line.",
            "%(count)d members will be brought in line.",
            due,
        )
        self.message_user(request, words % {"count": due}, messages.SUCCESS)
