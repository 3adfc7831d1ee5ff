import hashlib

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.people import canonical_email, spellings_of


def hash_address(address: str) -> str:
    """Return the hash of an address, so that the list of opt-outs contains no addresses.

    The hash has no key, because replacing a key would lose all opt-outs. So it hides addresses
    from people who read the list, but not from someone who tests an address they already have.
    """
    return _hash(canonical_email(address))


def hashes_of(address: str) -> set[str]:
    """Return the hashes under which an address may be listed, by its spellings."""
    return {_hash(spelling) for spelling in spellings_of(address)}


def _hash(address: str) -> str:
    return hashlib.sha256(f"opt-out:{address}".encode()).hexdigest()


class OptOutManager(models.Manager["OptOut"]):
    def holds(self, address: str) -> bool:
        return self.filter(address_hash__in=hashes_of(address)).exists()


class OptOut(models.Model):
    """An address that gets no reminders. It still gets receipts and gifts."""

    address_hash = models.CharField(_("hash of the address"), max_length=64, unique=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    objects = OptOutManager()

    class Meta:
        verbose_name = _("opt-out of reminders")
        verbose_name_plural = _("opt-outs of reminders")

    def __str__(self) -> str:
        return f"opt-out {self.pk}"
