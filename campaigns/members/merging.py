"""Two people that are one: all that hangs on one moves to the other, and they are counted anew.

Locks are taken in the order of all who settle, claim and extend: Checkouts, gifts, people, then
memberships. Whoever finds somebody by an address locks that person (`lock_by_email`) before
anything is made to hang on them, so what a merge has seen under its locks is all there is.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

import structlog
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext

from campaigns import banners, emails, memberships, progress
from campaigns.models import (
    Campaign,
    Checkout,
    Erasure,
    FormerAddress,
    Gift,
    Member,
    Membership,
    OptOut,
    OutgoingMail,
    Payment,
    Tally,
)

log = structlog.get_logger(__name__)

Outcome = TypeVar("Outcome")

# What moves along. All else that hangs on a person is theirs alone and goes with them, or forbids
# it (an erasure); a test asks of each relation which it is.
MOVED: tuple[tuple[type[models.Model], str], ...] = (
    (Payment, "member"),
    (Membership, "member"),
    (Gift, "buyer"),
    (Gift, "claimed_by"),
    (OutgoingMail, "member"),
    (FormerAddress, "member"),
)
_TRIES = 5


class MergeRefused(Exception):
    """These two are not made one; the message says why."""


class _SomethingCame(Exception):
    """A Checkout or a gift came to hang on one of them before both were locked."""


@dataclass(frozen=True)
class CountedIn:
    """A campaign in which one of them counts: the tallies of both as it is, and as it would be."""

    campaign: Campaign
    at: datetime
    before: list[Tally]
    after: list[Tally]

    @property
    def counted_before(self) -> int:
        return self._count(self.before)

    @property
    def counted_after(self) -> int:
        return self._count(self.after)

    def _count(self, tallies: list[Tally]) -> int:
        """How many of them count at that moment."""
        begun = [tally for tally in tallies if tally.counted_from <= self.at]
        return sum(tally.counted_until is None or tally.counted_until > self.at for tally in begun)


@dataclass(frozen=True)
class Rehearsal:
    """What a merge would bring about: who counts, and subscriptions that would be two of one."""

    counted: list[CountedIn]
    doubled: list[Membership]


def merge_members(*, kept: Member, gone: Member, by: User | None = None, why: str = "") -> None:
    """Make both one person, known by the address of `kept` and still found by that of `gone`.

    It cannot be undone. Raises MergeRefused.
    """

    def merge() -> None:
        touched = {tally.campaign_id for tally in _tallies_of([kept.pk, gone.pk])}
        _merge(kept.pk, gone.pk)
        if by is not None:
            _note(kept, gone, by=by, why=why)
        for campaign_id in touched:  # after the commit: everybody who settles shares that row
            transaction.on_commit(partial(banners.request_publishing, campaign_id))

    _try_to(merge)
    log.info("people_merged", kept=kept.pk, gone=gone.pk)


def rehearse_merge(*, kept: Member, gone: Member) -> Rehearsal:
    """What would be so afterwards: the merge itself, taken back at once. Raises MergeRefused."""

    def rehearse() -> tuple[list[Tally], list[Tally], list[Membership]]:
        before = _tallies_of([kept.pk, gone.pk])
        _merge(kept.pk, gone.pk)
        after = _tallies_of([kept.pk])
        doubled = memberships.with_duplicate_subscriptions(
            Membership.objects.filter(member=kept.pk)
        ).order_by("pk")
        found = list(doubled.select_related("plan", "checkout__price"))
        transaction.set_rollback(True)
        return before, after, found

    before, after, doubled = _try_to(rehearse)
    campaigns = Campaign.objects.filter(pk__in={tally.campaign_id for tally in before})
    now = timezone.now()
    counted = [
        CountedIn(
            campaign,
            now,
            [tally for tally in before if tally.campaign_id == campaign.pk],
            [tally for tally in after if tally.campaign_id == campaign.pk],
        )
        for campaign in campaigns.order_by("starts_at", "pk")
    ]
    return Rehearsal(counted, doubled)


def _try_to(work: Callable[[], Outcome]) -> Outcome:
    for _ in range(_TRIES):
        with suppress(_SomethingCame), transaction.atomic():
            return work()
    raise MergeRefused(gettext("Something of theirs is changing just now: try it again."))


def _tallies_of(people: Iterable[int]) -> list[Tally]:
    tallies = Tally.objects.filter(member__in=people).order_by("counted_from", "pk")
    return list(tallies.select_related("member", "payment"))


def _merge(kept_id: int, gone_id: int) -> None:
    kept, gone = _lock_both(kept_id, gone_id)
    # Those of a settlement that has read Stripe and waits to write: it reads again.
    Checkout.objects.filter(member=gone).update(member=kept, version=F("version") + 1)
    # In the order in which extensions are laid out: what is extended is older.
    list(gone.memberships.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    for model, name in MOVED:
        model._default_manager.filter(**{name: gone}).update(**{name: kept})
    LogEntry.objects.filter(**_entries_of(gone)).update(object_id=str(kept.pk))
    _keep_address(kept, gone)
    Tally.objects.filter(member=gone).delete()
    now = timezone.now()
    kept.name = kept.name or gone.name
    kept.created_at = min(kept.created_at, gone.created_at)
    kept.tell_stripe_at, kept.tell_stripe_error = now, ""
    kept.save(update_fields=["name", "created_at", "tell_stripe_at", "tell_stripe_error"])
    gone.delete()
    progress.tally_members([kept])


def _lock_both(kept_id: int, gone_id: int) -> tuple[Member, Member]:
    if kept_id == gone_id:
        raise MergeRefused(gettext("This is one person already."))
    both = [kept_id, gone_id]
    hanging = (
        Checkout.objects.filter(member__in=both).order_by("pk"),
        Gift.objects.filter(Q(buyer__in=both) | Q(claimed_by__in=both)).order_by(
            "checkout_id", "position"
        ),
    )
    locked = [
        list(rows.select_for_update(no_key=True).values_list("pk", flat=True)) for rows in hanging
    ]
    people = {
        member.pk: member
        for member in Member.objects.select_for_update(no_key=True)
        .filter(pk__in=both)
        .order_by("pk")
    }
    if len(people) < 2:
        raise MergeRefused(gettext("One of them is gone: merged with somebody meanwhile."))
    if (
        any(member.erased_at is not None for member in people.values())
        or Erasure.objects.filter(member__in=both).exists()
    ):
        raise MergeRefused(gettext("One of them was erased, or is being erased, at their wish."))
    if locked != [list(rows.values_list("pk", flat=True)) for rows in hanging]:
        raise _SomethingCame
    return people[kept_id], people[gone_id]


def _keep_address(kept: Member, gone: Member) -> None:
    """What comes under the address of `gone` is for `kept`; a wish for no reminders is as well."""
    FormerAddress.objects.update_or_create(
        email=gone.email, defaults={"member": kept, "left_at": timezone.now()}
    )
    kept.former_addresses.filter(email=kept.email).delete()
    if OptOut.objects.holds(gone.email):
        emails.stop_reminders(kept.email)


def _entries_of(member: Member) -> dict[str, object]:
    content_type = ContentType.objects.get_for_model(Member)
    return {"content_type": content_type, "object_id": str(member.pk)}


def _note(kept: Member, gone: Member, *, by: User, why: str) -> None:
    words = gettext("Merged with member %(number)d, who is this person: %(why)s")
    LogEntry.objects.create(
        user=by,
        action_flag=CHANGE,
        object_repr=str(kept)[:200],
        change_message=words % {"number": gone.pk, "why": why},
        **_entries_of(kept),
    )
