"""The list filter for rows that need attention."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from campaigns.reports.attention import CONCERNS


class NeedsAttention(admin.SimpleListFilter):
    title = _("needs attention")
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
