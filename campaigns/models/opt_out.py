import hashlib

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.member import canonical_email


def hash_address(address: str) -> str:
    """What an address is remembered by, so that the list of those who want no mail names nobody.

    Without a key, so that no change of one forgets a wish: it hides an address from whoever reads
    the list, not from whoever tries out an address that they suspect.
    """
    return hashlib.sha256(f"opt-out:{canonical_email(address)}".encode()).hexdigest()


class OptOutManager(models.Manager["OptOut"]):
    def holds(self, address: str) -> bool:
        return self.filter(address_hash=hash_address(address)).exists()


class OptOut(models.Model):
    """An address that gets no reminders; what it pays and is given is told all the same."""

    address_hash = models.CharField(_("hash of the address"), max_length=64, unique=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    objects = OptOutManager()

    class Meta:
        verbose_name = _("opt-out of reminders")
        verbose_name_plural = _("opt-outs of reminders")

    def __str__(self) -> str:
        return f"opt-out {self.pk}"
