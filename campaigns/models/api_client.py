from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ApiClient(models.Model):
    """Another system with a token, of which a hash is kept.

    It may ask whether an address is a member's, and report unsubscribes if staff let it.
    """

    HINT_LENGTH = 8

    name = models.CharField(
        _("name"), max_length=80, unique=True, help_text=_("The system that gets the token.")
    )
    may_unsubscribe = models.BooleanField(
        _("may end newsletter subscriptions"),
        default=False,
        db_default=False,
        help_text=_("For the mailing tool, which reports unsubscribes and bounces."),
    )
    token_hash = models.CharField(_("token hash"), max_length=64, unique=True, editable=False)
    token_hint = models.CharField(_("start of the token"), max_length=HINT_LENGTH, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        verbose_name=_("created by"),
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("API client")
        verbose_name_plural = _("API clients")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
