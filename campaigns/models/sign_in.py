from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.member import Member


class SignInLink(models.Model):
    """A link to the account page, sent by e-mail, valid once and for a short time.

    Only a hash of its secret is stored, so that reading the table opens no page.
    """

    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, verbose_name=_("member"), related_name="sign_in_links"
    )
    secret_hash = models.CharField(_("hash of the secret"), max_length=64, unique=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)

    class Meta:
        verbose_name = _("sign-in link")
        verbose_name_plural = _("sign-in links")

    def __str__(self) -> str:
        return f"sign-in link {self.pk}"
