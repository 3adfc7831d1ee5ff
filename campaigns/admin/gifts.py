"""Gifts. Staff see only the first group of a claim code, never the whole code."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from campaigns.admin import gift_texts
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.downloads import Downloads
from campaigns.admin.figures import FigureFilter
from campaigns.admin.gift_changes import GIFT_PAGES
from campaigns.admin.lists import filter_by_known
from campaigns.admin.pages import ActionPages, Link
from campaigns.admin.site import ViewOnlyAdmin, ViewOnlyInline, staff_money
from campaigns.models import Gift, GiftChange, OutgoingMail, Price
from campaigns.reports.people_lists import list_gifts
from campaigns.spreadsheets import Cell


class GiftChangeInline(ViewOnlyInline):
    model = GiftChange
    fields = ["made_at", "what", "why", "who"]
    readonly_fields = ["who"]
    verbose_name_plural = _("changes")

    @admin.display(description=_("changed by"))
    def who(self, change: GiftChange) -> str:
        return str(change.staff_name or _("the buyer"))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Show them to everyone who may see the gift."""
        return True


class OutgoingMailInline(ViewOnlyInline):
    model = OutgoingMail
    fields = ["created_at", "kind", "sent_at", "due_at", "bounced_at", "failed_at"]
    readonly_fields = ["created_at"]
    ordering = ["-created_at", "-pk"]
    verbose_name_plural = _("e-mails about this gift")


def _list_months() -> list[tuple[int | None, int | None]]:
    months = Price.objects.filter(kind=Price.Kind.GIFT).order_by("months")
    return [(each, each) for each in months.values_list("months", flat=True).distinct()]


MonthsFilter = filter_by_known(_("months"), "months", _list_months)


@admin.register(Gift)
class GiftAdmin(Downloads, ActionPages, ViewOnlyAdmin):
    pages = GIFT_PAGES
    list_display = [
        "paid_at",
        "code",
        "status",
        "buyer",
        "recipient_name",
        "claimed_by",
        "expires_at",
    ]
    list_display_links = ["paid_at"]
    list_filter = ["status", NeedsAttention, FigureFilter, MonthsFilter, "checkout__campaign"]
    list_select_related = ["buyer", "claimed_by"]
    dated_by = "paid_at"
    sortable_by = ["paid_at", "expires_at"]
    ordering = ["-paid_at", "-pk"]
    search_fields = [
        "code_hint",
        "buyer__email",
        "buyer__name",
        "recipient_email",
        "recipient_name",
        "claimed_by__email",
        "claimed_by__name",
    ]
    search_help_text = _(
        "Name, e-mail address or claim code: the whole code, even one that was replaced, or its "
        "first five letters"
    )
    inlines = [GiftChangeInline, OutgoingMailInline]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("status", "revoked_for"),
                    "code_hint",
                    ("price", "months"),
                ]
            },
        ),
        (_("From"), {"fields": ["buyer", "buyer_name"]}),
        (_("To"), {"fields": ["recipient_name", "recipient_email", "message"]}),
        (
            _("Delivery"),
            {"fields": [("deliver_at", "zone"), ("delivered_at", "bounced_at"), "expires_at"]},
        ),
        (_("Claimed by"), {"fields": ["claimed_by", "membership", "claimed_at"]}),
        (
            _("Money"),
            {
                "fields": [
                    ("share", "paid_at"),
                    ("payment", "checkout"),
                    "refunds",
                    ("reversed_at", "is_pardoned", "revoked_at"),
                ]
            },
        ),
    ]
    readonly_fields = ["share"]

    def list_rows(self, rows: QuerySet[Any]) -> Iterator[list[Cell]]:
        return list_gifts(rows)

    def describe_state(self, row: Gift) -> str:
        return gift_texts.describe_state(row)

    def list_notices(self, request: HttpRequest, row: Gift) -> list[tuple[str, Link | None]]:
        choice = gift_texts.describe_choice(row) if row.needs_decision else ""
        notices = filter(None, [choice, gift_texts.describe_bounce(row)])
        return [(words, None) for words in notices]

    @admin.display(description=_("claim code"))
    def code(self, gift: Gift) -> str:
        return f"{gift.code_hint}…"

    @admin.display(description=_("share of the payment"))
    def share(self, gift: Gift) -> str:
        return staff_money(gift.share_minor, gift.checkout.currency)
