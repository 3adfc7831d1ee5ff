from datetime import datetime, timedelta
from enum import StrEnum

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.copy import find_site_language, list_languages
from campaigns.models.member import FormerAddress, Member


class Side(StrEnum):
    """The mailbox from which a change is confirmed."""

    OLD = "old"
    NEW = "new"

    @property
    def field(self) -> str:
        return f"{self}_confirmed_at"


class AddressChangeManager(models.Manager["AddressChange"]):
    def open(self, *, at: datetime) -> "QuerySet[AddressChange]":
        """Return changes that can still be confirmed and made.

        A newer request replaces an older one. After any change of the member's address, earlier
        requests are void.
        """
        newer = self.filter(member=OuterRef("member"), pk__gt=OuterRef("pk"))
        moved = FormerAddress.objects.filter(
            member=OuterRef("member"), left_at__gte=OuterRef("asked_at")
        )
        erased = Member.objects.filter(
            Q(erased_at__isnull=False) | Q(erasure__isnull=False), pk=OuterRef("member")
        )
        return self.filter(
            ~Exists(newer),
            ~Exists(moved),
            ~Exists(erased),
            made_at=None,
            asked_at__gt=at - AddressChange.LASTS,
        )


class AddressChange(models.Model):
    """A member's request to change their address: confirmed at both addresses, then made."""

    LASTS = timedelta(hours=24)

    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, verbose_name=_("member"), related_name="address_changes"
    )
    email = models.EmailField(_("new e-mail"), max_length=254)
    language = models.CharField(
        _("language"), max_length=8, choices=list_languages, default=find_site_language
    )
    asked_at = models.DateTimeField(_("requested at"), default=timezone.now)
    old_confirmed_at = models.DateTimeField(
        _("confirmed from the old address"), null=True, blank=True
    )
    new_confirmed_at = models.DateTimeField(
        _("confirmed from the new address"), null=True, blank=True
    )
    made_at = models.DateTimeField(_("changed at"), null=True, blank=True)

    objects = AddressChangeManager()

    class Meta:
        verbose_name = _("address change")
        verbose_name_plural = _("address changes")

    def __str__(self) -> str:
        return f"address change {self.pk}"

    def is_confirmed_at(self, side: Side) -> bool:
        return getattr(self, side.field) is not None
