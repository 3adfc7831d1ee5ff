import base64
import hmac
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.checkout import Checkout
from campaigns.models.member import Member
from campaigns.models.membership import Membership
from campaigns.models.moves import check_move
from campaigns.models.payment import Payment
from campaigns.models.plan import Price

# Crockford's base 32: no I, L, O or U, and the look-alikes are read as what was meant.
_RFC4648 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TO_CROCKFORD = str.maketrans(_RFC4648, _CROCKFORD)
_LOOK_ALIKES = str.maketrans("OIL", "011")
CODE_LENGTH = 20  # characters of five bits: 100 bits


def derive_code(gift_id: uuid.UUID, generation: int) -> str:
    """The claim code of that gift and generation: the same each time, readable nowhere in the rows.

    100 bits of a keyed hash, in four groups of five for reading aloud.
    """
    digest = hmac.digest(
        settings.GIFT_CODE_KEY.encode(), f"{gift_id}:{generation}".encode(), "sha256"
    )
    letters = base64.b32encode(digest).decode().translate(_TO_CROCKFORD)[:CODE_LENGTH]
    return "-".join(letters[at : at + 5] for at in range(0, CODE_LENGTH, 5))


def normalise_code(typed: str) -> str:
    """What was meant by what was typed: case, spaces, hyphens and look-alikes do not matter."""
    letters = "".join(letter for letter in typed.upper() if letter.isalnum())
    return letters.translate(_LOOK_ALIKES)


def hash_code(typed: str) -> str:
    """The lookup hash of a code; the code itself is never stored."""
    key = settings.GIFT_CODE_KEY.encode()
    return hmac.digest(key, normalise_code(typed).encode(), "sha256").hex()


class Gift(models.Model):
    """A membership bought for somebody. Rows exist once the payment succeeded."""

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
        Status.EXPIRED: {Status.DELIVERED, Status.REVOKED},
        Status.REVOKED: {Status.PAID, Status.DELIVERED},  # a lost dispute can be won later
    }
    CLAIMABLE = (Status.PAID, Status.DELIVERED)

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
    deliver_at = models.DateTimeField(_("deliver at"))
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    claimed_at = models.DateTimeField(_("claimed at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    generation = models.PositiveSmallIntegerField(_("generation"), default=1)
    code_hash = models.CharField(_("hash of the code"), max_length=64, unique=True)
    code_hint = models.CharField(_("start of the code"), max_length=5, blank=True)
    redeemer = models.ForeignKey(
        Member,
        on_delete=models.PROTECT,
        verbose_name=_("redeemer"),
        null=True,
        blank=True,
        related_name="gifts_redeemed",
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

    class Meta:
        verbose_name = _("gift")
        verbose_name_plural = _("gifts")
        constraints = [
            models.UniqueConstraint(fields=["checkout", "position"], name="gift_once_a_position"),
            models.CheckConstraint(
                condition=~Q(status="claimed")
                | Q(claimed_at__isnull=False, redeemer__isnull=False, membership__isnull=False),
                name="gift_claimed_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(status="revoked", revoked_at__isnull=False)
                | (~Q(status="revoked") & Q(revoked_at__isnull=True)),
                name="gift_revoked_has_its_time",
            ),
        ]

    def __str__(self) -> str:
        return f"gift {self.code_hint}…"

    def move_to(self, status: Status) -> None:
        """Change the state of a locked gift; raises ForbiddenMove. The caller saves."""
        check_move(self.MOVES, old=self.status, new=status)
        self.status = status

    @property
    def code(self) -> str:
        return derive_code(self.id, self.generation)

    @property
    def is_handed_over(self) -> bool:
        """Whether the buyer passes it on, so that the invitation goes to nobody by mail."""
        return not self.recipient_email
