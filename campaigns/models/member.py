from secrets import token_urlsafe

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from campaigns.models.copy import find_site_language, list_languages
from campaigns.models.due import DueModel
from campaigns.people import canonical_email, clean_name

_CODE_BYTES = 8  # of the code in a member's own link


class MemberManager(models.Manager["Member"]):
    def find(self, address: str) -> "Member | None":
        """Return the member whose current or former address this is, however it is spelled."""
        address = canonical_email(address)
        found = self.filter(email=address).first()
        return found or self.filter(former_addresses__email=address).first()

    def get_or_create_by_email(
        self, email: str, *, name: str = "", language: str = "en"
    ) -> "Member":
        """Return the member with that address, or create one. A known name is not overwritten.

        Former addresses and those of merged duplicates lead to the same member.
        """
        address, name = canonical_email(email), clean_name(name)
        member = self.find(address)
        created = member is None
        if member is None:
            member, created = self.get_or_create(
                email=address, defaults={"name": name, "language": language}
            )
        if not created and name and not member.name:
            member.name = name
            self.filter(pk=member.pk, name="").update(name=member.name)
        return member

    def give_share_code(self, member: "Member") -> str:
        """Return the code of a member's own link; they get it when it is first shown."""
        if not member.share_code:
            new = self.filter(pk=member.pk, share_code=None, erased_at=None)
            new.update(share_code=token_urlsafe(_CODE_BYTES))
            member.share_code = self.values_list("share_code", flat=True).get(pk=member.pk)
        return member.share_code or ""

    def lock_by_email(self, email: str, *, name: str = "", language: str = "en") -> "Member":
        """Return the same member as `get_or_create_by_email`, locked, even after a merge."""
        address = canonical_email(email)
        while True:
            member = self.get_or_create_by_email(address, name=name, language=language)
            locked = self.select_for_update(no_key=True).filter(pk=member.pk).first()
            # A member who was erased meanwhile no longer has that address.
            if locked is not None and (locked.erased_at is None or locked.email == address):
                return locked


class Member(DueModel):
    """A person, known by e-mail. Their memberships say when they have access."""

    email = models.EmailField(_("e-mail"), unique=True, max_length=254)
    name = models.CharField(pgettext_lazy("a person’s", "name"), max_length=120, blank=True)
    language = models.CharField(
        _("language"), max_length=8, choices=list_languages, default=find_site_language
    )
    # When to update the customer at Stripe, and the last error.
    due_at = models.DateTimeField(
        _("next work due at"), null=True, blank=True, editable=False, db_column="tell_stripe_at"
    )
    tell_stripe_error = models.CharField(
        _("error of the Stripe update"), max_length=200, blank=True, default="", db_default=""
    )
    # Their address, once cleaned, belongs to that member. Staff merge the two.
    duplicate_of = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        verbose_name=_("duplicate of"),
        null=True,
        blank=True,
        editable=False,
        related_name="duplicates",
    )
    # In the member's own link to a campaign, by which friends join; null until they are shown it.
    share_code = models.CharField(
        _("code of their link"), max_length=16, null=True, blank=True, unique=True, editable=False
    )
    # No personal data is left; the row stays because payments and tallies refer to it.
    erased_at = models.DateTimeField(_("erased at"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects = MemberManager()

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        permissions = [
            ("export_member", _("Can download members and sign-ups")),
            ("erase_member", _("Can erase members")),
            ("merge_members", _("Can merge duplicates")),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(due_at__isnull=False),
                name="member_stripe_to_be_told",
            ),
            models.Index(fields=["-created_at", "-id"], name="member_newest"),
            models.Index(fields=["name", "created_at", "id"], name="member_name"),
            models.Index(
                fields=["id"], condition=~Q(tell_stripe_error=""), name="member_stripe_refused"
            ),
        ]

    def __str__(self) -> str:
        if self.erased_at is not None:
            return gettext("erased member %(number)d") % {"number": self.pk}
        return self.name or self.email


class FormerAddress(models.Model):
    """A previous address of a member: it still leads to them."""

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
