from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.member import Member


class MemberNote(models.Model):
    """A note by staff about a person: "called, wants a receipt by post". Erasures delete it."""

    LONGEST = 2000

    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, verbose_name=_("member"), related_name="notes"
    )
    text = models.TextField(_("note"), max_length=LONGEST)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        verbose_name=_("written by"),
        related_name="+",
        null=True,
        blank=True,
        editable=False,
        db_index=False,
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("note about a member")
        verbose_name_plural = _("notes about members")
        indexes = [models.Index(fields=["member", "-created_at"], name="note_of_member")]

    def __str__(self) -> str:
        return self.text[:60]
