"""The admin's name, and the base classes of rows that staff may only view."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from campaigns.money import format_money

admin.site.site_header = settings.NEWSROOM_NAME
admin.site.site_title = settings.NEWSROOM_NAME
admin.site.index_title = _("Membership campaigns")
admin.site.site_url = settings.SITE_URL


class ViewOnly:
    """Rows that staff never write: nothing can be added, changed or deleted here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ViewOnlyAdmin(ViewOnly, admin.ModelAdmin[Any]):
    """Its actions, if any, need the model's change permission."""

    list_per_page = 50
    show_full_result_count = False

    def has_work_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(
            f"{self.opts.app_label}.change_{self.opts.model_name}",
        )


class ViewOnlyInline(ViewOnly, admin.TabularInline[Any, Any]):
    template = "campaigns/staff/rows.html"
    extra = 0
    can_delete = False
    show_change_link = True


def name_both_halves(field: forms.Field) -> None:
    """Label the date and the time input, because the admin's label belongs to neither."""
    assert isinstance(field.widget, forms.MultiWidget)
    for half, name in zip(field.widget.widgets, (_("date"), _("time")), strict=True):
        half.attrs["aria-label"] = f"{field.label}: {name}"


def staff_money(minor: int, currency: str) -> str:
    """Return an amount in the notation of the current language."""
    return format_money(minor, currency, language=get_language() or settings.LANGUAGE_CODE)


@admin.display(description=_("amount"), ordering="amount_minor")
def amount(row: Model) -> str:
    """Show the amount of any row that has one, as a column."""
    return staff_money(row.amount_minor, row.currency)  # type: ignore[attr-defined]
