"""The rows below a member: memberships, payments, gifts and former addresses."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from campaigns.admin.payment_states import StateColumn
from campaigns.admin.site import ViewOnlyInline, staff_money
from campaigns.models import FormerAddress, Gift, Membership, Payment, Tally


class MembershipInline(ViewOnlyInline):
    model = Membership
    fields = ["plan", "source", "status", "started_at", "ends_at", "ended_at", "note"]
    ordering = ["-started_at"]


class PaymentInline(StateColumn, ViewOnlyInline):
    model = Payment
    fields = ["paid_at", "money", "role", "state", "campaign"]
    readonly_fields = ["money", "state"]
    ordering = ["-paid_at"]

    @admin.display(description=_("amount"))
    def money(self, payment: Payment) -> str:
        return staff_money(payment.amount_minor, payment.currency)


class FormerAddressInline(ViewOnlyInline):
    model = FormerAddress
    fields = ["email", "left_at"]
    ordering = ["-left_at"]


class GiftBoughtInline(ViewOnlyInline):
    model = Gift
    fk_name = "buyer"
    fields = ["paid_at", "code_hint", "status", "recipient_name", "recipient_email"]
    verbose_name_plural = _("gifts bought")


class GiftClaimedInline(ViewOnlyInline):
    model = Gift
    fk_name = "claimed_by"
    fields = ["claimed_at", "code_hint", "buyer", "months"]
    verbose_name_plural = _("gifts claimed")


class TallyInline(ViewOnlyInline):
    model = Tally
    fields = ["campaign", "counted_from", "counted_until", "payment"]
    verbose_name_plural = _("counted sign-ups")
