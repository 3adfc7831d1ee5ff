"""Gifts. Staff see only the first group of a claim code, never the whole code."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from campaigns.admin import gift_texts
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.gift_changes import GIFT_PAGES
from campaigns.admin.pages import ActionPages, Link
from campaigns.admin.site import ViewOnlyAdmin, ViewOnlyInline, staff_money
from campaigns.models import Gift, GiftChange, OutgoingMail
from campaigns.models.codes import CODE_LENGTH, normalise_code, possible_hashes


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
    fields = ["created_at", "kind", "sent_at", "next_attempt_at", "bounced_at", "failed_at"]
    readonly_fields = ["created_at"]
    ordering = ["-created_at", "-pk"]
    verbose_name_plural = _("e-mails about this gift")


@admin.register(Gift)
class GiftAdmin(ActionPages, ViewOnlyAdmin):
    pages = GIFT_PAGES
    list_display = [
        "paid_at",
        "code_hint",
        "status",
        "buyer",
        "recipient_name",
        "claimed_by",
        "expires_at",
    ]
    list_display_links = ["paid_at"]
    list_filter = ["status", NeedsAttention, "months", "checkout__campaign"]
    list_select_related = ["buyer", "claimed_by"]
    date_hierarchy = "paid_at"
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
                    ("code_hint", "generation"),
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

    def describe_state(self, row: Gift) -> str:
        return gift_texts.describe_state(row)

    def list_notices(self, request: HttpRequest, row: Gift) -> list[tuple[str, Link | None]]:
        choice = gift_texts.describe_choice(row) if row.needs_decision else ""
        notices = filter(None, [choice, gift_texts.describe_bounce(row)])
        return [(words, None) for words in notices]

    @admin.display(description=_("share of the payment"))
    def share(self, gift: Gift) -> str:
        return staff_money(gift.share_minor, gift.checkout.currency)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Gift], search_term: str
    ) -> tuple[QuerySet[Gift], bool]:
        """Find the gift of a whole claim code, current or replaced, however it is typed."""
        if len(normalise_code(search_term)) == CODE_LENGTH:
            hashes = possible_hashes(search_term)
            by_code = Q(code_hash__in=hashes) | Q(replaced_codes__code_hash__in=hashes)
            found = Gift.objects.filter(by_code).values("pk")
            if found.exists():
                return queryset.filter(pk__in=found), False
        return super().get_search_results(request, queryset, search_term)
