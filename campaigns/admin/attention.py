"""The list filter for rows that need attention."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import actions
from campaigns.admin.site import ViewOnlyAdmin
from campaigns.reports.attention import CONCERNS


class NeedsAttention(admin.SimpleListFilter):
    title = _("attention needed")
    parameter_name = "needs"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str]]:
        return [
            (concern.name, str(concern.label))
            for concern in CONCERNS
            if concern.model is model_admin.model
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for concern in CONCERNS:
            if concern.model is queryset.model and concern.name == self.value():
                return concern.narrow(queryset)
        return queryset


class DealtWithAction(ViewOnlyAdmin):
    """Lets staff clear rows that they have dealt with, and shows who did."""

    actions = ["mark_dealt_with"]
    dealt_with_fieldset: Any = (_("Attention"), {"fields": [("dealt_with_by", "dealt_with_at")]})

    @admin.action(description=_("Mark as dealt with"), permissions=["work"])
    def mark_dealt_with(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        assert isinstance(request.user, User)
        marked = actions.mark_dealt_with(rows, by=request.user)
        for row in marked:
            self.log_change(request, row, gettext("Marked as dealt with."))
        if not marked:
            words = gettext("Nothing was changed: none of these rows can be marked as dealt with.")
            self.message_user(request, words, messages.WARNING)
            return
        words = ngettext(
            "%(count)d row marked as dealt with.",
            "%(count)d rows marked as dealt with.",
            len(marked),
        )
        self.message_user(request, words % {"count": len(marked)}, messages.SUCCESS)
