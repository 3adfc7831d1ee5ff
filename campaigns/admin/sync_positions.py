"""How far Stripe's lists were read by the nightly `reconcile`."""

from django.contrib import admin

from campaigns.admin.site import ViewOnlyAdmin
from campaigns.models import StripeCursor


@admin.register(StripeCursor)
class StripeCursorAdmin(ViewOnlyAdmin):
    list_display = ["of", "read_until", "moved_at"]
    ordering = ["of"]
