import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.due import DueModel
from campaigns.models.member import Member
from campaigns.people import canonical_email, spellings_of


class ErasureManager(models.Manager["Erasure"]):
    def restart(self, member: Member, *, at: datetime) -> None:
        """Repeat the erasure of a person: something new of theirs arrived and has to end too."""
        self.filter(member=member).update(done_at=None, due_at=at, events_read_to=0)


class Erasure(DueModel):
    """A request to erase a person's data; due until nothing names them any more."""

    member = models.OneToOneField(
        Member, on_delete=models.PROTECT, verbose_name=_("member"), related_name="erasure"
    )
    asked_at = models.DateTimeField(_("requested at"), default=timezone.now)
    # Empty if the person asked on the account page.
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        verbose_name=_("requested by"),
        null=True,
        blank=True,
    )
    why = models.CharField(_("reason"), max_length=200, blank=True)
    due_at = models.DateTimeField(
        _("next attempt at"),
        null=True,
        blank=True,
        default=timezone.now,
        db_column="next_attempt_at",
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error = models.CharField(_("error"), max_length=200, blank=True)
    # Many events take several attempts. Above zero, the last step has started.
    events_read_to = models.BigIntegerField(
        _("stored events processed up to"), default=0, db_default=0, editable=False
    )
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    objects = ErasureManager()

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(due_at__isnull=False),
                name="erasure_due",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(due_at__isnull=True),
                name="erasure_due_until_done",
            )
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"


class ErasedAddressManager(models.Manager["ErasedAddress"]):
    def holds(self, address: str) -> bool:
        return self.filter(address_hash__in=hashes_of_erased(address)).exists()

    def are_named_in(self, payload: str) -> bool:
        """Return whether a stored payload contains the address of an erased person."""
        return self.filter(address_hash__in=hash_addresses_in(payload)).exists()


class ErasedAddress(models.Model):
    """The hash of an erased person's address, so that no import brings the person back."""

    address_hash = models.CharField(_("hash of the address"), max_length=64, unique=True)
    erased_at = models.DateTimeField(_("erased at"), default=timezone.now)

    objects = ErasedAddressManager()

    class Meta:
        verbose_name = _("erased address")
        verbose_name_plural = _("erased addresses")

    def __str__(self) -> str:
        return f"erased address {self.pk}"


# Nobody can own an address in this domain: https://www.rfc-editor.org/rfc/rfc2606#section-2.
NOWHERE = "@erased.invalid"


def address_of_erased(member_id: int) -> str:
    """Return the placeholder for an erased person's address, in their row and their Checkouts.

    Later events from Stripe about those Checkouts lead to the row by it. No form accepts it.
    """
    return f"erased-{member_id}{NOWHERE}"


def is_of_erased(address: str) -> bool:
    return canonical_email(address).endswith(NOWHERE)


def hash_erased(address: str) -> str:
    """Return the hash that is kept of an erased address. It needs no key, so none can be lost."""
    return _hash(canonical_email(address))


def hashes_of_erased(address: str) -> set[str]:
    """Return the hashes under which an address may be kept, by its spellings."""
    return {_hash(spelling) for spelling in spellings_of(address)}


def _hash(address: str) -> str:
    return hashlib.sha256(f"erased:{address}".encode()).hexdigest()


_ADDRESS = re.compile(r"""[^\s"'<>(),:;]+@[^\s"'<>(),:;]+""")


def hash_addresses_in(payload: str) -> set[str]:
    """Return the hashes of all addresses in a stored payload."""
    if "@" not in payload and "\\u0040" not in payload:
        return set()
    return {
        hashed
        for text in _texts_in(payload)
        if "@" in text
        for address in [text, *_ADDRESS.findall(text)]
        for hashed in hashes_of_erased(address)
    }


def _texts_in(payload: str) -> Iterator[str]:
    """Yield every text in a JSON payload, or the payload itself if it is not valid JSON."""
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        yield payload
        return
    waiting: list[Any] = [value]
    while waiting:
        match waiting.pop():
            case str(text):
                yield text
            case dict(items):
                waiting += [*items.keys(), *items.values()]
            case list(items):
                waiting += items
