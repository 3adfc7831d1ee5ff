"""Gifts as they stand. The claim code is shown to nobody; its first group tells gifts apart."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from campaigns.admin.site import ViewOnlyAdmin
from campaigns.models import Gift


@admin.register(Gift)
class GiftAdmin(ViewOnlyAdmin):
    list_display = [
        "paid_at",
        "code_hint",
        "status",
        "buyer",
        "recipient_name",
        "redeemer",
        "expires_at",
    ]
    list_display_links = ["paid_at"]
    list_filter = ["status", "months", "checkout__campaign"]
    list_select_related = ["buyer", "redeemer"]
    date_hierarchy = "paid_at"
    ordering = ["-paid_at", "-pk"]
    search_fields = [
        "code_hint",
        "buyer__email",
        "buyer__name",
        "recipient_email",
        "recipient_name",
        "redeemer__email",
    ]
    search_help_text = _("A name or an address, or the first five letters of the claim code.")
    fieldsets = [
        (None, {"fields": [("status", "code_hint"), ("price", "months"), "payment", "checkout"]}),
        (_("From"), {"fields": ["buyer", "buyer_name"]}),
        (_("To"), {"fields": ["recipient_name", "recipient_email", "message"]}),
        (_("Claimed by"), {"fields": ["redeemer", "membership"]}),
        (
            _("When"),
            {
                "fields": [
                    ("paid_at", "deliver_at", "delivered_at"),
                    ("claimed_at", "expires_at", "revoked_at"),
                ]
            },
        ),
    ]
