"""Money that moved: Stripe tells it, staff read it, and may give it back."""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from campaigns.admin.attention import NeedsAPerson
from campaigns.admin.refunds import RefundOrderInline, RefundPages
from campaigns.admin.site import ViewOnlyAdmin, ViewOnlyInline, amount
from campaigns.models import Dispute, Gift, Payment, PublishedNumber, Refund, Tally
from campaigns.money import format_money


class RefundInline(ViewOnlyInline):
    model = Refund
    fields = ["refund_id", "money_back", "status", "reason", "refunded_at", "meant"]
    readonly_fields = ["money_back", "meant"]

    @admin.display(description=_("amount"))
    def money_back(self, refund: Refund) -> str:
        return format_money(refund.amount_minor, refund.payment.currency)

    @admin.display(description=_("gifts meant"))
    def meant(self, refund: Refund) -> str:
        return ", ".join(f"{gift.code_hint}…" for gift in refund.gifts.all()) or "-"


class GiftInline(ViewOnlyInline):
    model = Gift
    fields = ["code_hint", "share", "status", "recipient_name", "redeemer"]
    readonly_fields = ["share"]
    ordering = ["position"]

    @admin.display(description=_("share"))
    def share(self, gift: Gift) -> str:
        return format_money(gift.share_minor, gift.checkout.currency)


class DisputeInline(ViewOnlyInline):
    model = Dispute
    fields = [
        "dispute_id",
        "money_taken",
        "status",
        "reason",
        "opened_at",
        "evidence_due_at",
        "withdrawn_at",
        "reinstated_at",
    ]
    readonly_fields = ["money_taken"]

    @admin.display(description=_("amount"))
    def money_taken(self, dispute: Dispute) -> str:
        return format_money(dispute.amount_minor, dispute.payment.currency)


@admin.register(Payment)
class PaymentAdmin(RefundPages):
    list_display = ["paid_at", amount, "role", "status", "member", "campaign", "method"]
    list_display_links = ["paid_at"]
    list_filter = [NeedsAPerson, "role", "status", "currency", "campaign"]
    list_select_related = ["member", "campaign"]
    date_hierarchy = "paid_at"
    ordering = ["-paid_at", "-pk"]
    search_fields = ["intent_id", "charge_id", "invoice_id", "member__email", "member__name"]
    search_help_text = _("An id of Stripe's, or the person's name or address.")
    inlines = [GiftInline, RefundOrderInline, RefundInline, DisputeInline]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("money", "status"),
                    ("role", "paid_at"),
                    "member",
                    "membership",
                    "campaign",
                    "checkout",
                ]
            },
        ),
        (_("How it was paid"), {"fields": [("method", "brand", "country"), "receipt_url"]}),
        (
            _("What Stripe paid out"),
            {"fields": [("settled", "fee", "net")]},
        ),
        (_("At Stripe"), {"fields": ["intent_id", "charge_id", "invoice_id", "receipt_number"]}),
        (_("Entered by staff"), {"fields": ["entered_by", "note"]}),
    ]

    def get_inlines(self, request: Any, obj: Any = None) -> list[Any]:
        """Gifts only of what bought some."""
        is_gift = obj is not None and obj.role == Payment.Role.GIFT
        return [each for each in self.inlines if is_gift or each is not GiftInline]

    @admin.display(description=_("amount"))
    def money(self, payment: Payment) -> str:
        return format_money(payment.amount_minor, payment.currency)

    @admin.display(description=_("paid out, before the fee"))
    def settled(self, payment: Payment) -> str:
        return _in_payout(payment.settled_minor, payment)

    @admin.display(description=_("fee"))
    def fee(self, payment: Payment) -> str:
        return _in_payout(payment.fee_minor, payment)

    @admin.display(description=_("net"))
    def net(self, payment: Payment) -> str:
        return _in_payout(payment.net_minor, payment)

    def get_readonly_fields(self, request: Any, obj: Any = None) -> list[str]:
        return ["money", "settled", "fee", "net", "entered_by"]


def _in_payout(minor: int | None, payment: Payment) -> str:
    """In the currency in which Stripe pays out; a dash while Stripe has not told."""
    return "-" if minor is None else format_money(minor, payment.settled_currency)


@admin.register(Tally)
class TallyAdmin(ViewOnlyAdmin):
    """A row that counts, and from when until when: what the number is made of."""

    list_display = ["counted_from", "counted_until", "campaign", "member", "gift", "payment"]
    list_display_links = ["counted_from"]
    list_filter = ["campaign", ("counted_until", admin.EmptyFieldListFilter)]
    list_select_related = ["campaign", "member", "gift", "payment"]
    date_hierarchy = "counted_from"
    ordering = ["-counted_from", "-pk"]
    search_fields = ["member__email", "member__name", "payment__intent_id"]


@admin.register(PublishedNumber)
class PublishedNumberAdmin(ViewOnlyAdmin):
    """What readers were shown, kept as it was shown."""

    list_display = ["published_at", "campaign", "counted", "target"]
    list_filter = ["campaign"]
    list_select_related = ["campaign"]
    date_hierarchy = "published_at"
    ordering = ["-published_at", "-pk"]
