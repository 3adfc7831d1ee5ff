"""Sync positions: how far the nightly `reconcile` has read Stripe's lists."""

from django.contrib import admin

from campaigns.admin.site import ViewOnlyAdmin
from campaigns.models import StripeCursor


@admin.register(StripeCursor)
class StripeCursorAdmin(ViewOnlyAdmin):
    list_display = ["of", "read_until", "moved_at"]
    ordering = ["of"]
