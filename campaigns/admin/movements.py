"""Refunds and disputes as lists of their own: what Stripe says happened to payments."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from campaigns.admin.downloads import Downloads
from campaigns.admin.figures import FigureFilter
from campaigns.admin.payment_states import name_dispute_status
from campaigns.admin.payments import MovedColumn
from campaigns.admin.site import ViewOnlyAdmin, staff_money
from campaigns.models import Dispute, Refund, RefundOrder
from campaigns.reports.money_lists import list_disputes, list_refunds
from campaigns.reports.titles import name_row
from campaigns.spreadsheets import Cell

# The colours of the states that a payment can have, too.
_REFUND_BADGES = {
    Refund.Status.PENDING: "pending",
    Refund.Status.REQUIRES_ACTION: "pending",
    Refund.Status.SUCCEEDED: "succeeded",
}


class _OfPayment(MovedColumn, Downloads, ViewOnlyAdmin):
    """Rows of a payment, which has the amount's currency and the person."""

    has_personal_data = False
    list_select_related = ["payment__member", "payment__campaign"]

    @admin.display(description=_("amount"), ordering="amount_minor")
    def amount(self, row: Any) -> str:
        return staff_money(row.amount_minor, row.payment.currency)

    @admin.display(description=_("member"))
    def member(self, row: Any) -> str:
        return str(row.payment.member)

    @admin.display(description=_("campaign"))
    def campaign(self, row: Any) -> str:
        campaign = row.payment.campaign
        return name_row(campaign) if campaign else "-"


@admin.register(Refund)
class RefundAdmin(_OfPayment):
    list_note = _("All refunds, also those made in Stripe’s dashboard.")
    list_display = ["refunded_at", "amount", "badge", "why", "member", "campaign"]
    list_display_links = ["refunded_at"]
    list_filter = ["status", FigureFilter, "payment__campaign"]
    dated_by = "refunded_at"
    ordering = ["-refunded_at", "-pk"]
    search_fields = ["refund_id"]
    search_help_text = _("Name, e-mail address or Stripe ID")
    fields = ["payment", "amount", "badge", "why", "refunded_at", "moved", "refund_id"]
    readonly_fields = ["amount", "badge", "why", "moved"]

    def list_rows(self, rows: QuerySet[Any]) -> Iterator[list[Cell]]:
        return list_refunds(rows)

    @admin.display(description=_("status"), ordering="status")
    def badge(self, refund: Refund) -> SafeString:
        colour = _REFUND_BADGES.get(Refund.Status(refund.status), "failed")
        return format_html(
            '<span class="staff-badge-{}">{}</span>', colour, refund.get_status_display()
        )

    @admin.display(description=_("reason"), ordering="reason")
    def why(self, refund: Refund) -> str:
        return str(dict(RefundOrder.Reason.choices).get(refund.reason, refund.reason)) or "-"


@admin.register(Dispute)
class DisputeAdmin(_OfPayment):
    list_display = ["opened_at", "amount", "badge", "why", "evidence_due_at", "member", "campaign"]
    list_display_links = ["opened_at"]
    list_filter = [FigureFilter, "payment__campaign"]
    dated_by = "opened_at"
    ordering = ["-opened_at", "-pk"]
    search_fields = ["dispute_id"]
    search_help_text = _("Name, e-mail address or Stripe ID")
    fields = [
        *("payment", "amount", "badge", "why", "opened_at", "evidence_due_at"),
        *("withdrawn_at", "reinstated_at", "moved", "dispute_id"),
    ]
    readonly_fields = ["amount", "badge", "why", "moved"]

    def list_rows(self, rows: QuerySet[Any]) -> Iterator[list[Cell]]:
        return list_disputes(rows)

    @admin.display(description=_("status"), ordering="status")
    def badge(self, dispute: Dispute) -> SafeString:
        colour = {"won": "succeeded", Dispute.LOST: "lost"}.get(dispute.status, "disputed")
        words = name_dispute_status(dispute.status)
        return format_html('<span class="staff-badge-{}">{}</span>', colour, words)

    @admin.display(description=_("reason"), ordering="reason")
    def why(self, dispute: Dispute) -> str:
        return dispute.reason.replace("_", " ") or "-"  # as the bank gave it to Stripe
