"""Payments with their refunds and disputes, and the numbers made of them."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.admin.attention import DealtWithAction, NeedsAttention
from campaigns.admin.downloads import Downloads
from campaigns.admin.figures import FigureFilter
from campaigns.admin.held_payments import DECIDE, describe_hold
from campaigns.admin.labels import MethodWords
from campaigns.admin.lists import filter_by_known
from campaigns.admin.pages import ActionPages, Link, page_of
from campaigns.admin.payment_states import (
    StateColumn,
    StateFilter,
    list_disputes,
    name_dispute_status,
)
from campaigns.admin.refunds import (
    ASSIGN,
    REFUND,
    RefundOrderInline,
    describe_payment,
    list_unassigned,
)
from campaigns.admin.site import ViewOnlyAdmin, ViewOnlyInline, amount, staff_money, yes_or_no
from campaigns.models import (
    Campaign,
    Dispute,
    Gift,
    Payment,
    Price,
    PublishedNumber,
    Refund,
    RefundOrder,
    Tally,
)
from campaigns.progress import sum_payouts
from campaigns.reports.attention import renews_after_refund
from campaigns.reports.links import GROUP
from campaigns.reports.money_lists import list_payments
from campaigns.reports.source_rows import UnknownGroup, select_group
from campaigns.spreadsheets import Cell


class MovedColumn:
    @admin.display(description=_("change in the balance"))
    def moved(self, row: Refund | Dispute) -> str:
        """Return by how much it changed our balance at Stripe, fee included, or a dash."""
        if row.taken_minor is None or not row.settled_currency:
            return "-"
        minor = (row.returned_minor or 0) - row.taken_minor - (row.fee_minor or 0)
        return staff_money(minor, row.settled_currency)


class RefundInline(MovedColumn, ViewOnlyInline):
    model = Refund
    fields = ["refund_id", "money_back", "status", "why", "refunded_at", "moved", "for_gifts"]
    readonly_fields = ["money_back", "why", "moved", "for_gifts"]

    @admin.display(description=_("amount"))
    def money_back(self, refund: Refund) -> str:
        return staff_money(refund.amount_minor, refund.payment.currency)

    @admin.display(description=_("reason"))
    def why(self, refund: Refund) -> str:
        return str(dict(RefundOrder.Reason.choices).get(refund.reason, refund.reason))

    @admin.display(description=_("for gifts"))
    def for_gifts(self, refund: Refund) -> str:
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
        "state",
        "reason_in_words",
        "opened_at",
        "evidence_due_at",
        "withdrawn_at",
        "reinstated_at",
        "moved",
    ]
    readonly_fields = ["money_taken", "state", "reason_in_words", "moved"]

    @admin.display(description=_("amount"))
    def money_taken(self, dispute: Dispute) -> str:
        return staff_money(dispute.amount_minor, dispute.payment.currency)

    @admin.display(description=_("status"))
    def state(self, dispute: Dispute) -> str:
        return name_dispute_status(dispute.status)

    @admin.display(description=_("reason"))
    def reason_in_words(self, dispute: Dispute) -> str:
        return dispute.reason.replace("_", " ")  # as the bank gave it to Stripe


def _list_currencies() -> list[tuple[str, str]]:
    """Return the currencies of campaigns and of prices."""
    known = {*Campaign.objects.values_list("currency", flat=True)}
    known |= {*Price.objects.values_list("currency", flat=True)}
    return [(currency, currency.upper()) for currency in sorted(known)]


CurrencyFilter = filter_by_known(_("currency"), "currency", _list_currencies)


@admin.register(Payment)
class PaymentAdmin(MethodWords, StateColumn, DealtWithAction, Downloads, ActionPages):
    has_personal_data = False
    pages = (REFUND, ASSIGN, DECIDE)
    list_display = ["paid_at", amount, "short_role", "state", "member", "campaign", "paid_by"]
    list_display_links = ["paid_at"]
    list_filter = [
        *(NeedsAttention, FigureFilter, "role", StateFilter, "hold", CurrencyFilter),
        "campaign",
    ]
    list_select_related = ["member", "campaign"]
    dated_by = "paid_at"
    sortable_by: ClassVar[Any] = ["paid_at", amount]
    ordering = ["-paid_at", "-pk"]
    search_fields = ["intent_id", "charge_id", "invoice_id", "member__email", "member__name"]
    search_help_text = _("Name, e-mail address or Stripe ID")
    inlines = [GiftInline, RefundOrderInline, RefundInline, DisputeInline]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("money", "state", "hold"),
                    ("role", "paid_at"),
                    "member",
                    "membership",
                    "campaign",
                    "checkout",
                ]
            },
        ),
        (
            _("Payment method"),
            {"fields": [("paid_by", "card_brand", "card_country"), "receipt"]},
        ),
        (
            _("Payout"),
            {"fields": [("settled", "fee", "net"), "left"]},
        ),
        (
            _("At Stripe"),
            {"fields": ["at_stripe", "intent_id", "charge_id", "invoice_id", "receipt_number"]},
        ),
        (_("Entered by staff"), {"fields": ["entered_by", "note"]}),
        DealtWithAction.dealt_with_fieldset,
    ]

    def list_rows(self, rows: QuerySet[Any]) -> Iterator[list[Cell]]:
        return list_payments(rows)

    def get_inlines(self, request: Any, obj: Any = None) -> list[Any]:
        """Show gifts only for a payment that bought some."""
        is_gift = obj is not None and obj.role == Payment.Role.GIFT
        return [inline for inline in self.inlines if is_gift or inline is not GiftInline]

    def describe_state(self, row: Payment) -> str:
        return describe_payment(row)

    def list_notices(self, request: HttpRequest, row: Payment) -> list[tuple[str, Link | None]]:
        may_assign = self.may_open(request, row, ASSIGN.name)
        notices = list_disputes(row) + list_unassigned(self, row, may_assign=may_assign)
        if renews_after_refund(row):
            words = gettext(
                "This payment was refunded or lost, but the subscription still renews "
                "and will charge the member again. End or cancel the membership, or mark "
                "the payment as dealt with in the list."
            )
            notices.append((words, Link(gettext("Open membership"), page_of(row.membership))))
        if not row.hold:
            return notices
        is_open = row.hold == Payment.Hold.WAITING
        label = gettext("Accept or decline payment") if is_open else gettext("Change decision")
        link = Link(label, self.url_of(row, DECIDE.name))
        may = self.may_open(request, row, DECIDE.name)
        return [(describe_hold(row), link if may else None), *notices]

    @admin.display(description=_("role"), ordering="role")
    def short_role(self, payment: Payment) -> str:
        is_first = payment.role == Payment.Role.FIRST
        return gettext("first payment") if is_first else payment.get_role_display()

    @admin.display(description=_("amount"))
    def money(self, payment: Payment) -> str:
        return staff_money(payment.amount_minor, payment.currency)

    @admin.display(description=_("payout before the fee"))
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
        return ", ".join(staff_money(total.net_minor, total.currency) for total in paid_out) or "-"

    def get_readonly_fields(self, request: Any, obj: Any = None) -> list[str]:
        return [
            "money",
            "state",
            "settled",
            "fee",
            "net",
            "left",
            *("paid_by", "card_brand", "card_country", "receipt", "at_stripe"),
            "entered_by",
            "dealt_with_by",
            "dealt_with_at",
        ]


def _in_payout(minor: int | None, payment: Payment) -> str:
    """Return the amount in the currency of the payout, or a dash while it is unknown."""
    return "-" if minor is None else staff_money(minor, payment.settled_currency)


class GroupFilter(admin.SimpleListFilter):
    """The rows of one group of the report, by which its numbers link here."""

    title = _("group of the report")
    parameter_name = GROUP

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str]]:
        """Offer the group that is shown: there are too many to list, and the report does."""
        shown = request.GET.get(self.parameter_name, "")
        return [(shown, shown)] if shown else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Tally]) -> QuerySet[Tally]:
        breakdown, separator, group = (self.value() or "").partition(":")
        if not separator:
            return queryset
        try:
            return select_group(queryset, breakdown, group)
        except UnknownGroup:
            raise IncorrectLookupParameters from None


@admin.register(Tally)
class TallyAdmin(ViewOnlyAdmin):
    """Counted sign-ups: the rows that make up a campaign's number."""

    list_display = ["counted_from", "counted_until", "campaign", "member", "gift", "payment"]
    list_display_links = ["counted_from"]
    list_filter = [
        "campaign",
        ("counted_until", yes_or_no(_("stopped counting"))),
        GroupFilter,
        FigureFilter,
    ]
    list_select_related = ["campaign", "member", "gift", "payment"]
    dated_by = "counted_from"
    sortable_by = ["counted_from"]
    ordering = ["-counted_from", "-pk"]
    search_fields = ["member__email", "member__name", "payment__intent_id"]
    search_help_text = _("Name, e-mail address or Stripe ID")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow the filters with which the report links to people or gifts alone."""
        allowed = {"member__isnull", "gift__isnull"}
        return lookup in allowed or super().lookup_allowed(lookup, value, request)


@admin.register(PublishedNumber)
class PublishedNumberAdmin(ViewOnlyAdmin):
    """The numbers that readers were shown, each time they changed."""

    list_display = ["published_at", "campaign", "shown_count", "shown_target"]
    fields = ["campaign", "published_at", "shown_count", "shown_target"]
    list_filter = ["campaign"]
    list_select_related = ["campaign"]
    dated_by = "published_at"
    ordering = ["-pk"]  # they are written in the order of time

    @admin.display(description=_("counted"), ordering="counted")
    def shown_count(self, number: PublishedNumber) -> str:
        return _write_number(number.counted, number)

    @admin.display(description=_("target"), ordering="target")
    def shown_target(self, number: PublishedNumber) -> str:
        return _write_number(number.target, number)


def _write_number(value: int, number: PublishedNumber) -> str:
    """Return the number as readers saw it: an amount of money, or a count."""
    if number.currency:
        return staff_money(value, number.currency)
    return str(number_format(value, force_grouping=True))
