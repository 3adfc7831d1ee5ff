"""Memberships as they stand; for a subscription Stripe's object decides."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from campaigns.admin.attention import NeedsAttention
from campaigns.admin.membership_ends import MembershipPages
from campaigns.models import Membership


@admin.register(Membership)
class MembershipAdmin(MembershipPages):
    list_display = ["member", "plan", "source", "status", "started_at", "ends_at", "ended_at"]
    list_filter = [NeedsAttention, "status", "source", "plan"]
    list_select_related = ["member", "plan"]
    date_hierarchy = "started_at"
    ordering = ["-started_at", "-pk"]
    search_fields = ["member__email", "member__name", "subscription_id"]
    search_help_text = _("A name or an address, or a subscription's id.")
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
            _("Gifts added to it"),
            {
                "description": _(
                    "A gift to somebody who is a member already begins where that membership "
                    "ends. Of a subscription the next charge is moved to where the gifts end."
                ),
                "fields": [
                    "extends",
                    ("gifted_from", "gifted_until"),
                    ("pushed_until", "push_at", "push_error"),
                ],
            },
        ),
    ]
    readonly_fields = ["granted_by"]
