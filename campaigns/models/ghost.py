"""Members in the newspaper's own Ghost, and how Ghost itself is doing."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.due import DueModel
from campaigns.models.erasure import Erasure
from campaigns.models.member import Member

_ID_LENGTH = 24


class GhostMemberManager(models.Manager["GhostMember"]):
    def note_changes(self, people: Iterable[int], *, adding: Iterable[int] = ()) -> None:
        """Make these people due in Ghost: what is written there is found out when it is written.

        Those of `adding` who have no row get one. Call it inside the transaction of the change.
        """
        if not settings.GHOST_URL:  # before `people`, which may be a query
            return
        adding = set(adding)
        self.bulk_create([self.model(member_id=pk) for pk in sorted(adding)], ignore_conflicts=True)
        self.make_due(self.filter(member__in={*people, *adding}))

    def note_subscribers(self, addresses: Iterable[str], *, adding: bool) -> None:
        """Make readers due who subscribed to a newsletter or left it.

        The row is that of the member with the address, if there is one. `adding` adds missing ones.
        """
        addresses = set(addresses) if settings.GHOST_URL else set()
        if not addresses:
            return
        known = dict(Member.objects.filter(email__in=addresses).values_list("email", "pk"))
        others = addresses - known.keys()
        if adding:
            new = [self.model(email=address) for address in sorted(others)]
            self.bulk_create(new, ignore_conflicts=True)
        self.make_due(self.filter(email__in=others))
        self.note_changes(known.values(), adding=known.values() if adding else ())

    def forget_subscribers(self, addresses: Iterable[str]) -> None:
        """Remove what came from us to these readers from Ghost, and forget their addresses."""
        rows = self.filter(email__in=set(addresses))
        self.make_due(rows)
        rows.update(email="")

    def make_due(self, rows: "models.QuerySet[GhostMember]") -> int:
        """Make rows due; one that a worker has is due again when it ends. Return how many."""
        now = timezone.now()
        at_work = When(busy_until__gt=now, then=F("due_at"))
        return rows.update(
            due_at=Case(at_work, default=Value(now)), version=F("version") + 1, attempts=0
        )

    def move(self, gone: Member, kept: Member) -> None:
        """Give a merged member's row to the one who is kept; a second row is emptied."""
        own = self.filter(member=kept)
        if not own.exists():
            self.filter(member=gone).update(member=kept)
        self.make_due(self.filter(member__in=[gone, kept]))

    def waits_for_address(self, member: Member) -> bool:
        """Return whether Ghost may have the member, but we can't find them without the address."""
        waiting = self.filter(member=member, ghost_id="", due_at__isnull=False)
        return bool(settings.GHOST_URL) and waiting.exists()


class GhostMember(DueModel):
    """A person in Ghost: due when Ghost may differ from us.

    The row keeps what came from us: only that is ever removed. Without a member and an address
    (merged or erased), all of it is, and then the row is deleted.
    """

    class State(models.TextChoices):
        WAITING = "", _("waiting")
        GIVEN = "given", _("has complimentary access")
        ENDED = "ended", _("has no access")
        PAYS = "pays", _("pays in Ghost: left alone")
        OTHER = "other", _("has access that Ghost’s staff gave: left alone")
        MOVED = "moved", _("has another address in Ghost")
        REFUSED = "refused", _("refused by Ghost")

    LEFT_ALONE = (State.PAYS, State.OTHER)

    member = models.OneToOneField(
        Member,
        on_delete=models.SET_NULL,
        verbose_name=_("member"),
        null=True,
        blank=True,
        related_name="ghost",
    )
    # Of a reader who subscribed to a newsletter and isn't a member here.
    email = models.EmailField(_("e-mail"), max_length=254, blank=True, default="")
    ghost_id = models.CharField(_("ID in Ghost"), max_length=_ID_LENGTH, blank=True, default="")
    # Written before we create a member there, so that a crash in between doesn't forget it.
    is_created = models.BooleanField(_("created by us"), default=False)
    # The tier of the complimentary access that we gave, and its end; null is no end.
    tier_id = models.CharField(_("tier in Ghost"), max_length=_ID_LENGTH, blank=True, default="")
    until = models.DateTimeField(_("access until"), null=True, blank=True)
    # Names of labels, and ids of newsletters, that we added.
    labels = models.JSONField(_("labels"), default=list)
    newsletters = models.JSONField(_("newsletters"), default=list)
    state = models.CharField(
        _("state"), max_length=7, choices=State, blank=True, default=State.WAITING
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error = models.CharField(_("error"), max_length=200, blank=True, default="")
    synced_at = models.DateTimeField(_("synced at"), null=True, blank=True)
    # Counts the changes, so that one that happens while a worker writes is written after it.
    version = models.PositiveIntegerField(_("version"), default=0, editable=False)
    busy_until = models.DateTimeField(_("busy until"), null=True, blank=True, editable=False)

    objects = GhostMemberManager()

    class Meta:
        verbose_name = _("member in Ghost")
        verbose_name_plural = _("members in Ghost")
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(due_at__isnull=False), name="ghost_member_due"
            ),
            models.Index(fields=["state"], name="ghost_member_state"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["ghost_id"], condition=~Q(ghost_id=""), name="ghost_member_once"
            ),
            models.UniqueConstraint(
                fields=["email"], condition=~Q(email=""), name="ghost_subscriber_once"
            ),
        ]

    def __str__(self) -> str:
        return f"Ghost member {self.ghost_id or self.pk}"

    @property
    def is_to_be_forgotten(self) -> bool:
        """Return whether everything that came from us has to go: they were erased or merged."""
        if self.member_id is None:
            return not self.email
        return Erasure.objects.filter(member=self.member_id).exists()


class GhostSite(models.Model):
    """The one row about Ghost itself: its tier, its trouble, and the last comparison with it."""

    class Trouble(models.TextChoices):
        NONE = "", _("none")
        DOWN = "down", _("it doesn’t answer")
        KEY = "key", _("it refuses our key")
        TIER = "tier", _("it has no such tier")
        STRIPE = "stripe", _("it isn’t connected to Stripe")

    trouble = models.CharField(
        _("trouble"), max_length=6, choices=Trouble, blank=True, default=Trouble.NONE
    )
    detail = models.CharField(_("detail"), max_length=200, blank=True, default="")
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    rests_until = models.DateTimeField(_("next attempt at"), null=True, blank=True)
    worked_at = models.DateTimeField(_("last answered at"), null=True, blank=True)
    # The tier that GHOST_TIER named when it was looked up, and Ghost's newsletters by slug.
    tier_id = models.CharField(_("tier"), max_length=_ID_LENGTH, blank=True, default="")
    newsletters = models.JSONField(_("newsletters"), default=dict)
    looked_up_for = models.CharField(_("looked up for"), max_length=300, blank=True, default="")
    looked_up_at = models.DateTimeField(_("looked up at"), null=True, blank=True)
    # The last comparison: how many differed, by kind.
    compared_at = models.DateTimeField(_("compared at"), null=True, blank=True)
    differences = models.JSONField(_("differences"), default=dict)

    class Meta:
        verbose_name = _("Ghost")
        verbose_name_plural = _("Ghost")

    def __str__(self) -> str:
        return "Ghost"

    @staticmethod
    def read() -> "GhostSite":
        """Return the row, or an unsaved one if nothing was ever written to Ghost."""
        return GhostSite.objects.filter(pk=1).first() or GhostSite(pk=1)

    @staticmethod
    def write(**values: Any) -> None:
        if not GhostSite.objects.filter(pk=1).update(**values):
            GhostSite.objects.bulk_create([GhostSite(pk=1, **values)], ignore_conflicts=True)

    def is_resting(self, *, at: datetime) -> bool:
        return self.rests_until is not None and self.rests_until > at
