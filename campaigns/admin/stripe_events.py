"""Stripe events as they arrived. Replaying one fetches its object again and applies it."""

import json

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from campaigns import tasks, webhooks
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.lists import filter_by_known
from campaigns.admin.site import ViewOnlyAdmin
from campaigns.errors import explain_error
from campaigns.models import StripeEvent

TypeFilter = filter_by_known(
    _("type"), "type", lambda: [(each, each) for each in sorted(webhooks.EVENTS)]
)


@admin.register(StripeEvent)
class StripeEventAdmin(ViewOnlyAdmin):
    list_display = [
        "received_at",
        "type",
        "object_id",
        "status",
        "attempts",
        "due_at",
        "failure",
        "reason",
    ]
    list_display_links = ["received_at", "type"]
    list_filter = [NeedsAttention, "status", "reason", TypeFilter]
    dated_by = "received_at"
    sortable_by = ["received_at"]
    ordering = ["-received_at", "-pk"]
    search_fields = ["event_id", "object_id"]
    search_help_text = _("ID of an event or of its object")
    fieldsets = [
        (None, {"fields": ["event_id", "type", ("object_type", "object_id"), "is_live"]}),
        (
            _("Processing"),
            {"fields": ["status", ("attempts", "due_at"), "failure", "reason"]},
        ),
        (
            _("Event as received"),
            {
                "description": _(
                    "After the retention period, only the IDs are kept. You can still replay the "
                    "event."
                ),
                "fields": [("created_at", "received_at", "stripped_at"), "body"],
            },
        ),
    ]
    readonly_fields = ["body", "failure"]
    actions = ["replay"]

    @admin.display(description=_("error"))
    def failure(self, event: StripeEvent) -> str:
        return Truncator(explain_error(event.error)).chars(200)

    @admin.display(description=_("payload"))
    def body(self, event: StripeEvent) -> SafeString:
        return format_html('<pre class="staff-payload" tabindex="0">{}</pre>', _pretty(event))

    @admin.action(description=_("Replay events"), permissions=["work"])
    def replay(self, request: HttpRequest, events: QuerySet[StripeEvent]) -> None:
        selected = list(events.values_list("event_id", flat=True))
        due = webhooks.replay_events(selected)
        tasks.hurry("events")
        self.message_user(
            request,
            ngettext(
                "%(count)d event will be replayed now.",
                "%(count)d events will be replayed now.",
                due,
            )
            % {"count": due},
            messages.SUCCESS if due else messages.WARNING,
        )
        if len(selected) > due:
            self.message_user(
                request,
                ngettext(
                    "%(count)d event is already due and will be processed automatically.",
                    "%(count)d events are already due and will be processed automatically.",
                    len(selected) - due,
                )
                % {"count": len(selected) - due},
                messages.INFO,
            )


def _pretty(event: StripeEvent) -> str:
    """Return the payload indented, or unchanged if it isn't valid JSON."""
    try:
        return json.dumps(json.loads(event.payload), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return event.payload
