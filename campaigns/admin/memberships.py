"""Memberships. A subscription's row follows its object at Stripe."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns.admin.attention import NeedsAttention
from campaigns.admin.downloads import Downloads
from campaigns.admin.membership_ends import MEMBERSHIP_PAGES
from campaigns.admin.pages import ActionPages
from campaigns.admin.site import ViewOnlyAdmin
from campaigns.errors import explain_error
from campaigns.models import Membership
from campaigns.reports.people_lists import list_memberships
from campaigns.spreadsheets import Cell


@admin.register(Membership)
class MembershipAdmin(Downloads, ActionPages, ViewOnlyAdmin):
    pages = MEMBERSHIP_PAGES
    list_display = ["member", "plan", "source", "status", "started_at", "ends_at", "ended_at"]
    list_filter = [NeedsAttention, "status", "source", "plan"]
    list_select_related = ["member", "plan"]
    dated_by = "started_at"
    sortable_by = ["started_at", "ends_at"]
    ordering = ["-started_at", "-pk"]
    search_fields = ["member__email", "member__name", "subscription_id"]
    search_help_text = _("Name, e-mail address or subscription ID")
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "member",
                    ("plan", "price", "months"),
                    ("source", "status"),
                    ("started_at", "ends_at", "ended_at"),
                    ("access_until", "resumes_at"),
                    "is_cancelling",
                    "checkout",
                    "subscription_id",
                    ("granted_by", "note"),
                ]
            },
        ),
        (
            _("Gifts added to this membership"),
            {
                "description": _(
                    "A gift to someone who is already a member starts when the current membership "
                    "ends. For a subscription, the next charge moves to the end of the gifts."
                ),
                "fields": [
                    "extends",
                    ("gifted_from", "gifted_until"),
                    ("pushed_until", "due_at", "move_error"),
                ],
            },
        ),
    ]
    readonly_fields = ["granted_by", "move_error"]

    def list_rows(self, rows: QuerySet[Any]) -> Iterator[list[Cell]]:
        return list_memberships(rows)

    @admin.display(description=_("error when moving the charge"))
    def move_error(self, row: Membership) -> str:
        return explain_error(row.push_error)

    def describe_state(self, row: Membership) -> str:
        return f"{row.get_source_display()}: {row.get_status_display()}"
