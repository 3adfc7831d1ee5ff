from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


def canonical_email(address: str) -> str:
    """The form in which a person is known by their address: trimmed and case-folded.

    Of the domain only capitals are folded: "straße.de" and "strasse.de" are two domains.
    """
    name, at, domain = address.strip().rpartition("@")
    return name.casefold() + at + domain.lower()


class MemberManager(models.Manager["Member"]):
    def known_by(self, email: str, *, name: str = "", language: str = "en") -> "Member":
        """The person of that address, made if new; a name already known is never overwritten."""
        member, created = self.get_or_create(
            email=canonical_email(email), defaults={"name": name.strip(), "language": language}
        )
        if not created and name.strip() and not member.name:
            member.name = name.strip()
            member.save(update_fields=["name"])
        return member


class Member(models.Model):
    """A person, known by e-mail. Whether they are a member is told by their memberships."""

    email = models.EmailField(_("e-mail"), unique=True, max_length=254)
    name = models.CharField(pgettext_lazy("a person’s", "name"), max_length=120, blank=True)
    language = models.CharField(
        _("language"), max_length=8, choices=settings.LANGUAGES, default="en"
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects = MemberManager()

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")

    def __str__(self) -> str:
        return self.name or f"member {self.pk}"
