import uuid
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import find_zone
from campaigns.models.checkout import Checkout
from campaigns.models.codes import HINT_LENGTH, derive_code, hash_code, rederive_code
from campaigns.models.due import DueModel
from campaigns.models.member import Member
from campaigns.models.membership import Membership
from campaigns.models.moves import check_move
from campaigns.models.payment import Payment, Refund
from campaigns.models.plan import Price


class Gift(DueModel):
    """A membership bought for someone else. The row is created when the payment succeeds."""

    class Status(models.TextChoices):
        PAID = "paid", _("paid")
        DELIVERED = "delivered", _("delivered")
        CLAIMED = "claimed", _("claimed")
        EXPIRED = "expired", _("expired")
        REVOKED = "revoked", _("revoked")

    MOVES = {
        Status.PAID: {Status.DELIVERED, Status.CLAIMED, Status.EXPIRED, Status.REVOKED},
        Status.DELIVERED: {Status.CLAIMED, Status.EXPIRED, Status.REVOKED},
        Status.CLAIMED: {Status.REVOKED},
        Status.EXPIRED: {Status.PAID, Status.DELIVERED, Status.REVOKED},
        # A lost dispute can be won later, and staff can restore a gift.
        Status.REVOKED: {Status.PAID, Status.DELIVERED, Status.CLAIMED, Status.EXPIRED},
    }
    CLAIMABLE = (Status.PAID, Status.DELIVERED)

    class Cause(models.TextChoices):
        """Why a gift was revoked. A payment restores only a gift revoked for its payment."""

        MONEY = "money", _("payment reversed")
        STAFF = "staff", _("revoked by staff")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    checkout = models.ForeignKey(
        Checkout, on_delete=models.PROTECT, verbose_name=_("checkout"), related_name="gifts"
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, verbose_name=_("payment"), related_name="gifts"
    )
    price = models.ForeignKey(
        Price, on_delete=models.PROTECT, verbose_name=_("price"), related_name="+"
    )
    months = models.PositiveSmallIntegerField(_("months"))
    buyer = models.ForeignKey(
        Member, on_delete=models.PROTECT, verbose_name=_("buyer"), related_name="gifts_bought"
    )
    buyer_name = models.CharField(_("buyer’s name"), max_length=120, blank=True)
    recipient_name = models.CharField(_("recipient’s name"), max_length=120, blank=True)
    recipient_email = models.EmailField(_("recipient’s e-mail"), max_length=254, blank=True)
    message = models.TextField(_("message"), blank=True, max_length=500)
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.PAID)
    paid_at = models.DateTimeField(_("paid at"))
    deliver_at = models.DateTimeField(_("delivery date"))
    zone = models.CharField(
        _("recipient’s time zone"),
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text=_("Leave empty to use the campaign’s time zone."),
    )
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    bounced_at = models.DateTimeField(_("bounced at"), null=True, blank=True)
    claimed_at = models.DateTimeField(_("claimed at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    revoked_for = models.CharField(
        _("reason for revoking"), max_length=5, choices=Cause, blank=True, default="", db_default=""
    )
    # For a claimed gift whose payment was reversed: when that happened, and whether staff let the
    # member keep the membership. Until they decide, the gift needs attention.
    reversed_at = models.DateTimeField(
        _("payment reversed at"), null=True, blank=True, db_column="fell_at"
    )
    is_pardoned = models.BooleanField(
        _("membership kept by staff"), default=False, db_default=False, db_column="is_kept"
    )
    refunds = models.ManyToManyField(
        Refund, verbose_name=_("refunds"), related_name="gifts", blank=True
    )
    # Reminders and expiry: up to when they are done, and when the next step is due.
    stepped_until = models.DateTimeField(
        _("steps done until"), null=True, blank=True, editable=False
    )
    # When the next reminder, or the expiry, is due.
    due_at = models.DateTimeField(
        _("next work due at"), null=True, blank=True, editable=False, db_column="next_step_at"
    )
    generation = models.PositiveSmallIntegerField(_("generation"), default=1)
    code_hash = models.CharField(_("claim code hash"), max_length=64, unique=True)
    code_hint = models.CharField(_("start of the claim code"), max_length=HINT_LENGTH, blank=True)
    claimed_by = models.ForeignKey(
        Member,
        on_delete=models.PROTECT,
        verbose_name=_("claimed by"),
        null=True,
        blank=True,
        db_column="redeemer_id",
        related_name="gifts_claimed",
    )
    membership = models.OneToOneField(
        Membership,
        on_delete=models.PROTECT,
        verbose_name=_("membership"),
        null=True,
        blank=True,
        related_name="gift",
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    # Not a column: the newest change that its buyer or staff have seen (0: none), to be checked
    # under the lock. None: it doesn't matter.
    newest_seen: int | None = None

    class Meta:
        verbose_name = _("gift")
        verbose_name_plural = _("gifts")
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(due_at__isnull=False),
                name="gift_step_due",
            ),
            models.Index(
                fields=["deliver_at"],
                condition=Q(delivered_at__isnull=True),
                name="gift_undelivered",
            ),
            models.Index(fields=["-paid_at", "-id"], name="gift_newest"),
            models.Index(fields=["status", "-paid_at", "-id"], name="gift_newest_in_status"),
            models.Index(fields=["expires_at", "paid_at", "id"], name="gift_expiry"),
            models.Index(
                fields=["bounced_at"], condition=Q(bounced_at__isnull=False), name="gift_bounced"
            ),
            models.Index(
                fields=["reversed_at"], condition=Q(reversed_at__isnull=False), name="gift_reversed"
            ),
            models.Index(
                fields=["-claimed_at"],
                condition=Q(claimed_at__isnull=False),
                name="gift_newest_claim",
            ),
            models.Index(fields=["recipient_email"], name="gift_recipient"),
            models.Index(fields=["code_hint"], name="gift_code_hint"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["checkout", "position"], name="gift_once_a_position"),
            models.CheckConstraint(
                condition=~Q(status="claimed")
                | Q(claimed_at__isnull=False, claimed_by__isnull=False, membership__isnull=False),
                name="gift_claimed_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(status="revoked", revoked_at__isnull=False)
                | (~Q(status="revoked") & Q(revoked_at__isnull=True)),
                name="gift_revoked_has_its_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.code_hint}…"

    def move_to(self, status: Status) -> None:
        """Change the status of a locked gift; raises ForbiddenMove. The caller saves."""
        check_move(self.MOVES, old=self.status, new=status)
        self.status = status

    def set_code(self) -> None:
        """Derive this generation's claim code with the newest key. The caller saves."""
        code = derive_code(self.id, self.generation)
        self.code_hash, self.code_hint = hash_code(code), code[:HINT_LENGTH]

    @property
    def code(self) -> str:
        """The claim code, derived again; raises CodeKeyLost."""
        return rederive_code(self.id, self.generation, code_hash=self.code_hash)

    @property
    def is_handed_over(self) -> bool:
        """True if the buyer passes the gift on, so that no invitation is e-mailed."""
        return not self.recipient_email

    @property
    def is_claimable(self) -> bool:
        return self.status in self.CLAIMABLE

    @property
    def needs_decision(self) -> bool:
        """True if it was claimed, its payment was reversed, and staff have yet to decide."""
        return (
            self.status == self.Status.CLAIMED
            and self.reversed_at is not None
            and not self.is_pardoned
        )

    @property
    def recipient_zone(self) -> tzinfo:
        """The time zone of the delivery date."""
        return ZoneInfo(self.zone) if self.zone else find_zone(self.checkout.campaign)

    @property
    def share_minor(self) -> int:
        """The gift's share of the Checkout's amount, in minor units."""
        return self.checkout.amount_minor // self.checkout.quantity

    def is_due(self, *, at: datetime) -> bool:
        return self.deliver_at <= at


class ReplacedCode(models.Model):
    """A claim code of an earlier generation. People who enter it learn that a newer one exists."""

    gift = models.ForeignKey(
        Gift, on_delete=models.CASCADE, verbose_name=_("gift"), related_name="replaced_codes"
    )
    code_hash = models.CharField(_("claim code hash"), max_length=64, unique=True)
    replaced_at = models.DateTimeField(_("replaced at"), default=timezone.now)

    class Meta:
        verbose_name = _("replaced claim code")
        verbose_name_plural = _("replaced claim codes")

    def __str__(self) -> str:
        return f"replaced code of {self.gift}"


class GiftChange(models.Model):
    """A change of a gift and its reason: by a member of staff, or by the buyer on their page."""

    class What(models.TextChoices):
        RESENT = "resent", _("resent")
        NEW_CODE = "new_code", _("resent with a new claim code")
        DATE = "date", _("delivery date changed")
        RECIPIENT = "recipient", _("recipient changed")
        REVOKED = "revoked", _("revoked")
        RESTORED = "revived", _("restored")
        REASSIGNED = "reassigned", _("reassigned to another member")
        KEPT = "kept", _("kept despite a reversed payment")

    gift = models.ForeignKey(
        Gift, on_delete=models.CASCADE, verbose_name=_("gift"), related_name="changes"
    )
    what = models.CharField(_("change"), max_length=12, choices=What)
    why = models.CharField(_("reason"), max_length=200, blank=True)
    made_at = models.DateTimeField(_("changed at"), default=timezone.now)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        verbose_name=_("changed by"),
        null=True,
        blank=True,
    )
    # Survives the deletion of the user, so that the buyer never appears to have made the change.
    staff_name = models.CharField(
        _("staff member"),
        max_length=150,
        blank=True,
        help_text=_("Empty if the buyer made the change on their page."),
    )

    class Meta:
        verbose_name = _("gift change")
        verbose_name_plural = _("gift changes")
        ordering = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.get_what_display()} {self.made_at:%Y-%m-%d}"
