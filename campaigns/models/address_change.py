from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.member import Member


class AddressChange(models.Model):
    """A person wants to be known by another address: it is confirmed at both, then made."""

    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, verbose_name=_("member"), related_name="address_changes"
    )
    email = models.EmailField(_("new e-mail"), max_length=254)
    language = models.CharField(
        _("language"), max_length=8, choices=settings.LANGUAGES, default="en"
    )
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now)
    old_confirmed_at = models.DateTimeField(_("confirmed at the old one"), null=True, blank=True)
    new_confirmed_at = models.DateTimeField(_("confirmed at the new one"), null=True, blank=True)
    made_at = models.DateTimeField(_("made at"), null=True, blank=True)

    class Meta:
        verbose_name = _("change of address")
        verbose_name_plural = _("changes of addresses")

    def __str__(self) -> str:
        return f"change of address {self.pk}"
