from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.checkout import Checkout
from campaigns.models.due import DueModel
from campaigns.models.member import Member
from campaigns.models.plan import Plan, Price, Terms


class Membership(DueModel):
    """One person's access under a plan; `memberships/access.py` says when.

    Stripe's object decides every field of a subscription.
    """

    class Source(models.TextChoices):
        SUBSCRIPTION = "subscription", _("subscription")
        ONCE = "once", _("paid once")
        GIFT = "gift", _("gift")
        GRANTED = "granted", _("granted by staff")
        IMPORTED = "imported", _("imported")

    class Status(models.TextChoices):
        PENDING = "pending", _("waiting for its first payment")
        ACTIVE = "active", _("active")
        PAST_DUE = "past_due", _("past due")
        LAPSED = "lapsed", _("lapsed")  # past due for longer than the grace period
        PAUSED = "paused", _("paused")
        ENDED = "ended", _("ended")

    class CancelReason(models.TextChoices):
        """Stripe's reasons, which readers may choose when they cancel."""

        TOO_EXPENSIVE = "too_expensive", _("too expensive")
        UNUSED = "unused", _("not used enough")
        LOW_QUALITY = "low_quality", _("unhappy with the journalism")
        MISSING_FEATURES = "missing_features", _("something is missing")
        SWITCHED_SERVICE = "switched_service", _("supports another newsroom")
        CUSTOMER_SERVICE = "customer_service", _("unhappy with the service")
        TOO_COMPLEX = "too_complex", _("too complicated")
        OTHER = "other", _("another reason")

    # A subscription takes the state that Stripe's object has. Other memberships only run out.
    MOVES = {
        Status.PENDING: {Status.ACTIVE, Status.ENDED},
        Status.ACTIVE: {Status.ENDED},
        Status.ENDED: {Status.ACTIVE},  # if a lost dispute is won later
    }

    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, verbose_name=_("member"), related_name="memberships"
    )
    plan = models.ForeignKey(
        Plan,
        on_delete=models.PROTECT,
        verbose_name=_("plan"),
        null=True,
        blank=True,
        db_index=False,
    )
    # The price at which a subscription renews; its owner may have switched since buying it.
    price = models.ForeignKey(
        Price,
        on_delete=models.PROTECT,
        verbose_name=_("price"),
        null=True,
        blank=True,
        related_name="+",
    )
    # The amount at an open price: each period's of a subscription, or that of a one-off payment.
    amount_minor = models.PositiveBigIntegerField(_("chosen amount"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=12, choices=Source)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.ACTIVE)
    started_at = models.DateTimeField(_("started at"))
    ends_at = models.DateTimeField(
        _("ends at"),
        null=True,
        blank=True,
        help_text=_("End of the paid or granted period. A subscription renews then."),
    )
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    access_until = models.DateTimeField(
        _("access until"),
        null=True,
        blank=True,
        help_text=_(
            "Only for a subscription that is past due or paused: the end of the grace period or "
            "of the paid period."
        ),
    )
    # Times before a late payment or in a pause: [from, until) in epoch seconds.
    gaps = models.JSONField(_("periods without access"), null=True, blank=True, editable=False)
    resumes_at = models.DateTimeField(
        _("resumes at"),
        null=True,
        blank=True,
        help_text=_("Only for a paused subscription, if known."),
    )
    is_cancelling = models.BooleanField(_("being cancelled"), default=False)
    # Why its owner cancelled it, if they said so. A comment stays at Stripe.
    cancel_reason = models.CharField(
        _("reason for cancelling"),
        max_length=40,
        choices=CancelReason,
        blank=True,
        default="",
        db_default="",
    )
    # The next payment of a subscription, in minor units, if it differs from the price: what Stripe
    # previews, and the credit and the discount in it. All are null otherwise.
    next_due_minor = models.BigIntegerField(_("next payment"), null=True, blank=True)
    next_credit_minor = models.BigIntegerField(_("credit used then"), null=True, blank=True)
    next_discount_minor = models.BigIntegerField(_("discount then"), null=True, blank=True)
    months = models.PositiveSmallIntegerField(
        _("months"), null=True, blank=True, help_text=_("Length that was bought or granted.")
    )
    # A gift claimed by a member starts where their other membership ends.
    extends = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        verbose_name=_("extends"),
        null=True,
        blank=True,
        related_name="extensions",
    )
    # A subscription that gifts extend: the period that the gifts pay for, the date of the next
    # charge that Stripe has, and when to move that charge.
    gifted_from = models.DateTimeField(_("gifted from"), null=True, blank=True)
    gifted_until = models.DateTimeField(_("gifted until"), null=True, blank=True)
    pushed_until = models.DateTimeField(_("next charge moved to"), null=True, blank=True)
    # When to move the next charge at Stripe because of gifts, and the last error.
    due_at = models.DateTimeField(
        _("next work due at"), null=True, blank=True, editable=False, db_column="push_at"
    )
    push_error = models.CharField(
        _("error when moving the charge"), max_length=200, blank=True, default="", db_default=""
    )
    checkout = models.OneToOneField(
        Checkout,
        on_delete=models.PROTECT,
        verbose_name=_("checkout"),
        null=True,
        blank=True,
        related_name="membership",
    )
    subscription_id = models.CharField(
        _("subscription ID"), max_length=255, null=True, blank=True, unique=True
    )
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        verbose_name=_("granted by"),
        null=True,
        blank=True,
        editable=False,
    )
    note = models.CharField(_("note"), max_length=200, blank=True)
    import_key = models.CharField(
        _("import key"), max_length=254, null=True, blank=True, unique=True, editable=False
    )

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        indexes = [
            models.Index(fields=["member", "started_at"], name="membership_of_member"),
            models.Index(
                fields=["ends_at"],
                condition=Q(ended_at__isnull=True, ends_at__isnull=False),
                name="membership_running_out",
            ),
            models.Index(
                fields=["due_at"],
                condition=Q(due_at__isnull=False),
                name="membership_push_due",
            ),
            models.Index(
                fields=["access_until"],
                condition=Q(status="past_due", access_until__isnull=False),
                name="membership_grace_ends",
            ),
            models.Index(fields=["-started_at", "-id"], name="membership_newest"),
            models.Index(fields=["plan", "-started_at", "-id"], name="membership_newest_of_plan"),
            models.Index(
                fields=["status", "-started_at", "-id"],
                condition=~Q(status="active"),
                name="membership_newest_inactive",
            ),
            models.Index(
                fields=["source", "-started_at", "-id"],
                condition=~Q(source="subscription"),
                name="membership_newest_unpaid",
            ),
            models.Index(fields=["ends_at", "started_at", "id"], name="membership_end"),
            models.Index(fields=["id"], condition=~Q(push_error=""), name="membership_not_moved"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="ended", ended_at__isnull=False)
                | (~Q(status="ended") & Q(ended_at__isnull=True)),
                name="membership_ended_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("started_at")),
                name="membership_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_source_display()}: {self.member}"

    @property
    def price_now(self) -> Price | None:
        """Return the current price; a subscription's may differ from the one it was bought at."""
        return self.price or (self.checkout.price if self.checkout else None)

    @property
    def terms_now(self) -> Price | Terms | None:
        """Return the current price, with the chosen amount if it is open."""
        price = self.price_now
        return price.at_amount(self.amount_minor) if price else None

    @property
    def charge_at(self) -> datetime | None:
        """Return when a renewing subscription is charged next, after the gifts that extend it."""
        ends = [end for end in (self.ends_at, self.gifted_until) if end is not None]
        return max(ends, default=None)

    @property
    def is_revoked(self) -> bool:
        """Return whether it ended early."""
        return self.ended_at is not None and (self.ends_at is None or self.ended_at < self.ends_at)
