"""The rows below a member: memberships, payments, gifts and former addresses."""

from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.admin.labels import MethodWords
from campaigns.admin.payment_states import StateColumn
from campaigns.admin.site import ViewOnlyInline, staff_money
from campaigns.members import describe_membership
from campaigns.models import FormerAddress, Gift, Membership, Payment, ShareReward, Tally


class MembershipInline(ViewOnlyInline):
    model = Membership
    list_select_related = ("member", "plan", "price__plan", "checkout__price")
    fields = [
        "plan",
        "source",
        "status",
        "started_at",
        "ends_at",
        "ended_at",
        "next_payment",
        "note",
    ]
    readonly_fields = ["next_payment"]
    ordering = ["-started_at"]

    @admin.display(description=_("next payment"))
    def next_payment(self, membership: Membership) -> str:
        """Show the next charge with the credit and the discount in it, as Stripe previewed it."""
        row = describe_membership(membership, at=timezone.now())
        price = membership.price_now
        if price is None or row.next_charge_at is None or row.next_minor is None:
            return ""
        parts = [staff_money(row.next_minor, price.currency)]
        for words, amount_minor in (
            (gettext("discount %(amount)s"), membership.next_discount_minor),
            (gettext("credit %(amount)s"), membership.next_credit_minor),
        ):
            if amount_minor:
                parts.append(words % {"amount": staff_money(amount_minor, price.currency)})
        return ", ".join(parts)


class PaymentInline(MethodWords, StateColumn, ViewOnlyInline):
    model = Payment
    list_select_related = ("campaign",)
    fields = ["paid_at", "money", "role", "state", "campaign", "at_stripe"]
    readonly_fields = ["money", "state", "at_stripe"]
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
    list_select_related = ("buyer",)
    fields = ["claimed_at", "code_hint", "buyer", "months"]
    verbose_name_plural = _("gifts claimed")


class ShareRewardInline(ViewOnlyInline):
    model = ShareReward
    list_select_related = ("campaign",)
    fields = ["granted_at", "campaign", "friends", "months"]
    readonly_fields = ["granted_at"]
    ordering = ["-granted_at"]


class TallyInline(ViewOnlyInline):
    model = Tally
    list_select_related = ("campaign", "payment")
    fields = ["campaign", "counted_from", "counted_until", "payment"]
    verbose_name_plural = _("counted sign-ups")
