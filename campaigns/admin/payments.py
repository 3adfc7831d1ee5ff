"""Money that moved: Stripe tells it, staff read it, and may give it back."""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from campaigns.admin.attention import NeedsAttention
from campaigns.admin.holds import HeldPages
from campaigns.admin.refunds import RefundOrderInline
from campaigns.admin.site import ViewOnlyAdmin, ViewOnlyInline, amount, staff_money
from campaigns.models import Dispute, Gift, Payment, PublishedNumber, Refund, Tally
from campaigns.progress import sum_payouts


class MovedColumn:
    @admin.display(description=_("in the balance"))
    def moved(self, row: Refund | Dispute) -> str:
        """What it left of what Stripe pays out, its fee included; a dash if it moved nothing."""
        if row.taken_minor is None or not row.settled_currency:
            return "-"
        minor = (row.returned_minor or 0) - row.taken_minor - (row.fee_minor or 0)
        return staff_money(minor, row.settled_currency)


class RefundInline(MovedColumn, ViewOnlyInline):
    model = Refund
    fields = ["refund_id", "money_back", "status", "reason", "refunded_at", "moved", "meant"]
    readonly_fields = ["money_back", "moved", "meant"]

    @admin.display(description=_("amount"))
    def money_back(self, refund: Refund) -> str:
        return staff_money(refund.amount_minor, refund.payment.currency)

    @admin.display(description=_("gifts meant"))
    def meant(self, refund: Refund) -> str:
        return ", ".join(f"{gift.code_hint}…" for gift in refund.gifts.all()) or "-"


class GiftInline(ViewOnlyInline):
    model = Gift
    fields = ["code_hint", "share", "status", "recipient_name", "claimed_by"]
    readonly_fields = ["share"]
    ordering = ["position"]

    @admin.display(description=_("share"))
    def share(self, gift: Gift) -> str:
        return staff_money(gift.share_minor, gift.checkout.currency)


class DisputeInline(MovedColumn, ViewOnlyInline):
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
        "moved",
    ]
    readonly_fields = ["money_taken", "moved"]

    @admin.display(description=_("amount"))
    def money_taken(self, dispute: Dispute) -> str:
        return staff_money(dispute.amount_minor, dispute.payment.currency)


@admin.register(Payment)
class PaymentAdmin(HeldPages):
    list_display = ["paid_at", amount, "role", "status", "member", "campaign", "method"]
    list_display_links = ["paid_at"]
    list_filter = [NeedsAttention, "role", "status", "hold", "currency", "campaign"]
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
                    ("money", "status", "hold"),
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
            {"fields": [("settled", "fee", "net"), "left"]},
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
        return staff_money(payment.amount_minor, payment.currency)

    @admin.display(description=_("paid out, before the fee"))
    def settled(self, payment: Payment) -> str:
        return _in_payout(payment.settled_minor, payment)

    @admin.display(description=_("fee"))
    def fee(self, payment: Payment) -> str:
        return _in_payout(payment.fee_minor, payment)

    @admin.display(description=_("net"))
    def net(self, payment: Payment) -> str:
        return _in_payout(payment.net_minor, payment)

    @admin.display(description=_("left after refunds and disputes"))
    def left(self, payment: Payment) -> str:
        paid_out = sum_payouts(Payment.objects.filter(pk=payment.pk))
        return ", ".join(staff_money(each.net_minor, each.currency) for each in paid_out) or "-"

    def get_readonly_fields(self, request: Any, obj: Any = None) -> list[str]:
        return ["money", "settled", "fee", "net", "left", "entered_by"]


def _in_payout(minor: int | None, payment: Payment) -> str:
    """In the currency in which Stripe pays out; a dash while Stripe has not told."""
    return "-" if minor is None else staff_money(minor, payment.settled_currency)


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
