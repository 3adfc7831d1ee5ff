import hashlib

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.member import Member, canonical_email


class Erasure(models.Model):
    """A person is to be forgotten: written down first, due until nothing names them any more."""

    member = models.OneToOneField(
        Member, on_delete=models.PROTECT, verbose_name=_("member"), related_name="erasure"
    )
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now)
    # Of one that staff enter; empty if the person asked on their own page.
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        verbose_name=_("entered by"),
        null=True,
        blank=True,
    )
    why = models.CharField(_("why"), max_length=200, blank=True)
    next_attempt_at = models.DateTimeField(
        _("next attempt at"), null=True, blank=True, default=timezone.now
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error = models.CharField(_("error"), max_length=200, blank=True)
    # The last step takes several turns where there are many events; above zero, it has begun.
    events_read_to = models.BigIntegerField(
        _("stored events read up to"), default=0, db_default=0, editable=False
    )
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="erasure_due",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(next_attempt_at__isnull=True),
                name="erasure_due_until_done",
            )
        ]

    def __str__(self) -> str:
        return f"erasure {self.pk}"


class ErasedAddressManager(models.Manager["ErasedAddress"]):
    def holds(self, address: str) -> bool:
        return self.filter(address_hash=hash_erased(address)).exists()


class ErasedAddress(models.Model):
    """That somebody of this address was erased: no import brings them back."""

    address_hash = models.CharField(_("hash of the address"), max_length=64, unique=True)
    erased_at = models.DateTimeField(_("erased at"), default=timezone.now)

    objects = ErasedAddressManager()

    class Meta:
        verbose_name = _("erased address")
        verbose_name_plural = _("erased addresses")

    def __str__(self) -> str:
        return f"erased address {self.pk}"


# Nobody can own an address there: https://www.rfc-editor.org/rfc/rfc2606#section-2.
NOWHERE = "@erased.invalid"


def address_of_erased(member_id: int) -> str:
    """What stands in the place of an erased person's address, in their row and their Checkouts.

    So whatever Stripe still tells of those leads to the row, and no form takes it for an address.
    """
    return f"erased-{member_id}{NOWHERE}"


def is_of_erased(address: str) -> bool:
    return address.strip().lower().endswith(NOWHERE)


def hash_erased(address: str) -> str:
    """What an erased address is remembered by; without a key, so that no change of one forgets."""
    return hashlib.sha256(f"erased:{canonical_email(address)}".encode()).hexdigest()
