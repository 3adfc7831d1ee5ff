"""Addresses that opted out of reminders. Only hashes are stored: staff search by address."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from campaigns.admin.site import ViewOnlyAdmin
from campaigns.models import OptOut
from campaigns.models.opt_out import hashes_of


@admin.register(OptOut)
class OptOutAdmin(ViewOnlyAdmin):
    list_display = ["__str__", "created_at"]
    dated_by = "created_at"
    ordering = ["-created_at", "-pk"]
    search_fields = ["address_hash"]
    search_help_text = _("Full e-mail address (only a hash of it is stored)")
    fields = ["created_at"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OptOut], search_term: str
    ) -> tuple[QuerySet[OptOut], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(address_hash__in=hashes_of(search_term)), False
