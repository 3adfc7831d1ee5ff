from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _


def canonical_email(address: str) -> str:
    """The form in which a person is known by their address: trimmed and case-folded.

    Of the domain only capitals are folded: "straße.de" and "strasse.de" are two domains.
    """
    name, at, domain = address.strip().rpartition("@")
    return name.casefold() + at + domain.lower()


class MemberManager(models.Manager["Member"]):
    def find(self, address: str) -> "Member | None":
        """Who is, or was, known by that canonical address."""
        found = self.filter(email=address).first()
        return found or self.filter(former_addresses__email=address).first()

    def get_or_create_by_email(
        self, email: str, *, name: str = "", language: str = "en"
    ) -> "Member":
        """The person of that address, made if new; a name already known is never overwritten.

        What somebody was known by before they changed their address, or were found to be one with
        another, leads to them still.
        """
        address = canonical_email(email)
        member = self.find(address)
        created = member is None
        if member is None:
            member, created = self.get_or_create(
                email=address, defaults={"name": name.strip(), "language": language}
            )
        if not created and name.strip() and not member.name:
            member.name = name.strip()
            self.filter(pk=member.pk, name="").update(name=member.name)
        return member

    def lock_by_email(self, email: str, *, name: str = "", language: str = "en") -> "Member":
        """As `get_or_create_by_email`, and locked: whoever is left, if two are made one meanwhile."""
        while True:
            member = self.get_or_create_by_email(email, name=name, language=language)
            locked = self.select_for_update(no_key=True).filter(pk=member.pk).first()
            # Somebody who was erased meanwhile is known by that address no longer.
            if locked is not None and (locked.erased_at is None or locked.email == email):
                return locked


class Member(models.Model):
    """A person, known by e-mail. Whether they are a member is told by their memberships."""

    email = models.EmailField(_("e-mail"), unique=True, max_length=254)
    name = models.CharField(pgettext_lazy("a person’s", "name"), max_length=120, blank=True)
    language = models.CharField(
        _("language"), max_length=8, choices=settings.LANGUAGES, default="en"
    )
    # Their details at Stripe are to follow those here; a due column, and what went wrong last.
    tell_stripe_at = models.DateTimeField(
        _("Stripe to be told at"), null=True, blank=True, editable=False
    )
    tell_stripe_error = models.CharField(
        _("error at telling Stripe"), max_length=200, blank=True, default="", db_default=""
    )
    # Nothing that names them is left; the row stays, for payments and tallies hang on it.
    erased_at = models.DateTimeField(_("erased at"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects = MemberManager()

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        indexes = [
            models.Index(
                fields=["tell_stripe_at"],
                condition=Q(tell_stripe_at__isnull=False),
                name="member_stripe_to_be_told",
            )
        ]

    def __str__(self) -> str:
        if self.erased_at is not None:
            return gettext("erased member %(number)d") % {"number": self.pk}
        return self.name or f"member {self.pk}"


class FormerAddress(models.Model):
    """An address by which a person was known: what comes under it is still theirs."""

    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, verbose_name=_("member"), related_name="former_addresses"
    )
    email = models.EmailField(_("e-mail"), unique=True, max_length=254)
    left_at = models.DateTimeField(_("left at"), default=timezone.now)

    class Meta:
        verbose_name = _("former address")
        verbose_name_plural = _("former addresses")

    def __str__(self) -> str:
        return f"former address {self.pk}"
