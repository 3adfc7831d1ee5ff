"""Payments, refunds and disputes. Times are Stripe's, amounts are minor units."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import Campaign
from campaigns.models.checkout import Checkout
from campaigns.models.dealt_with import DealtWith
from campaigns.models.member import Member
from campaigns.models.membership import Membership


class Payment(DealtWith):
    class Role(models.TextChoices):
        FIRST = "first", _("first payment")
        RENEWAL = "renewal", _("renewal")
        CHANGE = "change", _("change of plan")
        GIFT = "gift", _("gift")
        CONTRIBUTION = "contribution", _("contribution without membership")

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")

    class Hold(models.TextChoices):
        """Payments in an unexpected currency: staff accept or decline them for the campaign."""

        NONE = "", _("none")
        WAITING = "waiting", _("needs a decision")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("declined")

    OFFLINE = "offline"  # the method of a payment that didn't go through Stripe

    # Only payments with these roles and holds can count: as a person or a gift, or as money.
    COUNTED_ROLES = (Role.FIRST, Role.GIFT)
    MONEY_ROLES = (*COUNTED_ROLES, Role.CONTRIBUTION)
    COUNTED_HOLDS = (Hold.NONE, Hold.ACCEPTED)
    HOLD_MOVES = {
        Hold.WAITING: {Hold.ACCEPTED, Hold.REFUSED},
        Hold.ACCEPTED: {Hold.REFUSED},
        Hold.REFUSED: {Hold.ACCEPTED},
    }

    role = models.CharField(_("role"), max_length=12, choices=Role)
    status = models.CharField(_("status"), max_length=9, choices=Status)
    amount_minor = models.PositiveBigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    # In the currency of the payout, which can differ from the reader's.
    fee_minor = models.BigIntegerField(_("fee"), null=True, blank=True)
    net_minor = models.BigIntegerField(_("net amount"), null=True, blank=True)
    settled_minor = models.BigIntegerField(_("payout amount"), null=True, blank=True)
    settled_currency = models.CharField(_("payout currency"), max_length=3, blank=True)
    hold = models.CharField(
        _("decision on currency"), max_length=8, choices=Hold, blank=True, default="", db_default=""
    )
    paid_at = models.DateTimeField(
        _("paid at"), help_text=_("When the charge was made (Stripe’s time).")
    )
    campaign = models.ForeignKey(
        Campaign,
        on_delete=models.PROTECT,
        verbose_name=_("campaign"),
        null=True,
        blank=True,
        db_index=False,
        related_name="payments",
    )
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, verbose_name=_("member"), related_name="payments"
    )
    membership = models.ForeignKey(
        Membership,
        on_delete=models.PROTECT,
        verbose_name=_("membership"),
        null=True,
        blank=True,
        related_name="payments",
    )
    checkout = models.ForeignKey(
        Checkout,
        on_delete=models.PROTECT,
        verbose_name=_("checkout"),
        null=True,
        blank=True,
        related_name="payments",
    )
    method = models.CharField(_("payment method"), max_length=40, blank=True)
    # The wallet that held the card, for example "apple_pay".
    wallet = models.CharField(_("wallet"), max_length=40, blank=True, default="", db_default="")
    brand = models.CharField(_("card brand"), max_length=40, blank=True)
    # Of the card or the bank account: readers know them from their bank statement.
    last4 = models.CharField(
        _("last four digits"), max_length=4, blank=True, default="", db_default=""
    )
    country = models.CharField(_("country"), max_length=2, blank=True)
    receipt_url = models.TextField(_("Stripe’s receipt"), blank=True)
    receipt_number = models.CharField(_("receipt number"), max_length=40, blank=True)
    intent_id = models.CharField(
        _("payment intent ID"), max_length=255, null=True, blank=True, unique=True
    )
    charge_id = models.CharField(_("charge ID"), max_length=255, blank=True, db_index=True)
    invoice_id = models.CharField(_("invoice ID"), max_length=255, blank=True)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        verbose_name=_("entered by"),
        null=True,
        blank=True,
        editable=False,
    )
    note = models.CharField(_("note"), max_length=200, blank=True)
    # What refunds and disputes made of it, see PaymentState: empty if nothing. Lists filter by it.
    # A job corrects it, because the release before doesn't know it.
    refund_state = models.CharField(
        _("refund or dispute"),
        max_length=15,
        blank=True,
        default="",
        db_default="",
        editable=False,
    )

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        permissions = [("refund_payment", _("Can refund payments"))]
        indexes = [
            models.Index(fields=["campaign", "status", "paid_at"], name="payment_of_campaign"),
            models.Index(fields=["hold"], condition=~Q(hold=""), name="payment_held"),
            models.Index(fields=["-paid_at", "-id"], name="payment_newest"),
            models.Index(fields=["amount_minor", "paid_at", "id"], name="payment_amount"),
            models.Index(fields=["campaign", "-paid_at", "-id"], name="payment_newest_in_campaign"),
            models.Index(
                fields=["refund_state", "-paid_at", "-id"],
                condition=~Q(refund_state=""),
                name="payment_refunded",
            ),
            models.Index(
                fields=["id"],
                condition=Q(role="gift", refund_state__in=["partly_refunded", "disputed", "lost"]),
                name="payment_of_gifts_refunded",
            ),
            models.Index(
                fields=["status", "-paid_at", "-id"],
                condition=~Q(status="succeeded"),
                name="payment_unfinished",
            ),
            models.Index(
                fields=["role", "-paid_at", "-id"],
                condition=Q(role__in=["change", "contribution"]),
                name="payment_rare_role",
            ),
            models.Index(fields=["last4", "paid_at"], condition=~Q(last4=""), name="payment_last4"),
            models.Index(
                fields=["invoice_id"], condition=~Q(invoice_id=""), name="payment_invoice"
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_above_zero"),
            models.UniqueConstraint(
                fields=["membership"],
                condition=Q(role="first", status="succeeded"),
                name="payment_one_first",
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"


class Refund(models.Model):
    class Status(models.TextChoices):
        """Stripe's states of a refund."""

        PENDING = "pending", _("pending")
        REQUIRES_ACTION = "requires_action", _("needs action")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")
        CANCELED = "canceled", _("cancelled")

    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, verbose_name=_("payment"), related_name="refunds"
    )
    refund_id = models.CharField(_("refund ID"), max_length=255, unique=True)
    amount_minor = models.PositiveBigIntegerField(_("amount"))
    status = models.CharField(_("status"), max_length=16, choices=Status)
    reason = models.CharField(_("reason"), max_length=60, blank=True)
    refunded_at = models.DateTimeField(_("refunded at"))
    # Movements of the balance in the currency of the payout: money taken, money returned after a
    # failed refund or a won dispute, and Stripe's fees for both.
    taken_minor = models.BigIntegerField(_("amount taken"), null=True, blank=True)
    returned_minor = models.BigIntegerField(_("amount returned"), null=True, blank=True)
    fee_minor = models.BigIntegerField(_("fee"), null=True, blank=True)
    settled_currency = models.CharField(
        _("payout currency"), max_length=3, blank=True, default="", db_default=""
    )
    # For a payment of several gifts, staff choose which of them the refund is for, if any.
    gifts_named_at = models.DateTimeField(_("gifts chosen at"), null=True, blank=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        indexes = [
            models.Index(fields=["-refunded_at", "-id"], name="refund_newest"),
            models.Index(
                fields=["status", "-refunded_at", "-id"],
                condition=~Q(status="succeeded"),
                name="refund_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.refund_id}"


class DisputeQuerySet(models.QuerySet["Dispute"]):
    def taken(self) -> Self:
        """Return those whose money the bank has: open or lost, and in states yet unknown.

        An inquiry (`warning_…`) takes no money. A refund is the usual answer to it.
        https://docs.stripe.com/disputes/how-disputes-work#inquiries
        """
        return self.exclude(status__startswith="warning_").exclude(status="won")


class Dispute(models.Model):
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, verbose_name=_("payment"), related_name="disputes"
    )
    dispute_id = models.CharField(_("dispute ID"), max_length=255, unique=True)
    amount_minor = models.PositiveBigIntegerField(_("amount"))
    # Stripe's own status: it adds statuses, and only "lost" changes anything here.
    status = models.CharField(_("status"), max_length=40)
    reason = models.CharField(_("reason"), max_length=60, blank=True)
    opened_at = models.DateTimeField(_("opened at"))
    withdrawn_at = models.DateTimeField(
        _("withdrawn at"), null=True, blank=True, help_text=_("When Stripe withdrew the money.")
    )
    reinstated_at = models.DateTimeField(_("reinstated at"), null=True, blank=True)
    # Movements of the balance in the currency of the payout: money taken, money returned after a
    # failed refund or a won dispute, and Stripe's fees for both.
    taken_minor = models.BigIntegerField(_("amount taken"), null=True, blank=True)
    returned_minor = models.BigIntegerField(_("amount returned"), null=True, blank=True)
    fee_minor = models.BigIntegerField(_("fee"), null=True, blank=True)
    settled_currency = models.CharField(
        _("payout currency"), max_length=3, blank=True, default="", db_default=""
    )
    evidence_due_at = models.DateTimeField(
        _("evidence due at"), null=True, blank=True, help_text=_("Deadline for evidence.")
    )

    objects = DisputeQuerySet.as_manager()

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        indexes = [models.Index(fields=["-opened_at", "-id"], name="dispute_newest")]

    LOST = "lost"

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.dispute_id}"
