import hmac

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.codes import code_keys
from campaigns.models.member import canonical_email


def hash_address(address: str, *, key: str = "") -> str:
    """What an address is remembered by, so that the list of those who want no mail names nobody."""
    used = f"opt-out:{key or settings.GIFT_CODE_KEY}".encode()
    return hmac.digest(used, canonical_email(address).encode(), "sha256").hex()


class OptOutManager(models.Manager["OptOut"]):
    def holds(self, address: str) -> bool:
        hashes = [hash_address(address, key=key) for key in code_keys()]
        return self.filter(address_hash__in=hashes).exists()


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
