"""Merge duplicates: move everything of one member to the other, and recount.

Locks are taken in the same order as by settlements, claims and extensions: Checkouts, gifts,
members, then memberships. Code that finds a member by an address locks the member
(`lock_by_email`) before it attaches anything, so a merge sees everything under its locks.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

import structlog
from auditlog.context import disable_auditlog
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext

from campaigns import banners, deliveries, emails, history, memberships, progress
from campaigns.members.sharing import join_rewards
from campaigns.models import (
    Campaign,
    Checkout,
    Erasure,
    FormerAddress,
    GhostMember,
    Gift,
    Member,
    MemberNote,
    Membership,
    OptOut,
    OutgoingEvent,
    OutgoingMail,
    Payment,
    Tally,
    WallEntry,
    WebhookDelivery,
)
from campaigns.people import canonical_email

log = structlog.get_logger(__name__)

Outcome = TypeVar("Outcome")

# Rows that move to the member who is kept. Other related rows are deleted, or forbid the merge (an
# erasure); a test checks every relation.
MOVED: tuple[tuple[type[models.Model], str], ...] = (
    (Payment, "member"),
    (Membership, "member"),
    (Gift, "buyer"),
    (Gift, "claimed_by"),
    (OutgoingMail, "member"),
    (OutgoingEvent, "member"),
    (WebhookDelivery, "member"),
    (FormerAddress, "member"),
    (MemberNote, "member"),
    (WallEntry, "member"),
    (Member, "duplicate_of"),
)
_TRIES = 5


class MergeRefused(Exception):
    """The two can't be merged; the message says why."""


class _RowsChanged(Exception):
    """A Checkout or a gift was attached to one of them before both were locked."""


@dataclass(frozen=True)
class CountChange:
    """A campaign in which one of them counts: the tallies of both, before and after a merge."""

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
        started = [tally for tally in tallies if tally.counted_from <= self.at]
        return sum(
            tally.counted_until is None or tally.counted_until > self.at for tally in started
        )


@dataclass(frozen=True)
class Rehearsal:
    """The result of a merge: changed counts, and duplicate subscriptions of one member."""

    counted: list[CountChange]
    duplicates: list[Membership]


def merge_members(*, kept: Member, gone: Member, by: User | None = None, why: str = "") -> None:
    """Merge `gone` into `kept`, who keeps their address and is still found by the other one.

    This can't be undone. Raises MergeRefused.
    """

    def merge() -> None:
        touched = {tally.campaign_id for tally in _tallies_of([kept.pk, gone.pk])}
        _merge(kept.pk, gone.pk)
        if by is not None:
            _log_merge(kept, gone, by=by, why=why)
        for campaign_id in touched:  # after the commit: all settlements share that row
            transaction.on_commit(partial(banners.request_publishing, campaign_id))

    _retry(merge)
    log.info("people_merged", kept=kept.pk, gone=gone.pk)


def rehearse_merge(*, kept: Member, gone: Member) -> Rehearsal:
    """Return the result of a merge by making it and rolling it back. Raises MergeRefused."""

    def rehearse() -> tuple[list[Tally], list[Tally], list[Membership]]:
        before = _tallies_of([kept.pk, gone.pk])
        _merge(kept.pk, gone.pk)
        after = _tallies_of([kept.pk])
        duplicates = memberships.with_duplicate_subscriptions(
            Membership.objects.filter(member=kept.pk)
        ).order_by("pk")
        found = list(duplicates.select_related("plan", "checkout__price"))
        transaction.set_rollback(True)
        return before, after, found

    before, after, duplicates = _retry(rehearse)
    campaigns = Campaign.objects.filter(pk__in={tally.campaign_id for tally in before})
    now = timezone.now()
    counted = [
        CountChange(
            campaign,
            now,
            [tally for tally in before if tally.campaign_id == campaign.pk],
            [tally for tally in after if tally.campaign_id == campaign.pk],
        )
        for campaign in campaigns.order_by("starts_at", "pk")
    ]
    return Rehearsal(counted, duplicates)


def _retry(work: Callable[[], Outcome]) -> Outcome:
    for _ in range(_TRIES):
        with suppress(_RowsChanged), transaction.atomic():
            return work()
    raise MergeRefused(gettext("One of these members is changing right now. Try again."))


def _tallies_of(people: Iterable[int]) -> list[Tally]:
    tallies = Tally.objects.filter(member__in=people).order_by("counted_from", "pk")
    return list(tallies.select_related("member", "payment"))


def _merge(kept_id: int, gone_id: int) -> None:
    kept, gone = _lock_both(kept_id, gone_id)
    # A new version makes a settlement that has already read Stripe read it again.
    Checkout.objects.filter(member=gone).update(member=kept, version=F("version") + 1)
    # In the order in which extensions are laid out: the extended membership is older.
    list(gone.memberships.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    # Of two entries on one wall, the one of the member who is kept stays.
    gone.wall_entries.filter(campaign__in=kept.wall_entries.values("campaign")).delete()
    for model, name in MOVED:
        model._default_manager.filter(**{name: gone}).update(**{name: kept})
    LogEntry.objects.filter(**_log_filter(gone)).update(object_id=str(kept.pk))
    join_rewards(kept=kept, gone=gone)
    _keep_address(kept, gone)
    Tally.objects.filter(member=gone).delete()
    now = timezone.now()
    kept.name = kept.name or gone.name
    kept.created_at = min(kept.created_at, gone.created_at)
    kept.due_at, kept.tell_stripe_error = now, ""
    kept.save(update_fields=["name", "created_at", "due_at", "tell_stripe_error"])
    history.move_entries(gone, kept)
    GhostMember.objects.move(gone, kept)
    previous = {"id": gone.pk, "email": gone.email}
    with disable_auditlog():  # the merge is noted instead
        gone.delete()
    _keep_share_code(kept, gone)
    _clean_address(kept)
    progress.tally_members([kept])
    deliveries.write_event(
        "member.address_changed",
        {"previous": previous},
        member=kept,
        happened_at=now,
    )
    memberships.announce_access([kept])


def _keep_share_code(kept: Member, gone: Member) -> None:
    """Keep the link that one of them shared; what came by the other's link follows it."""
    if not gone.share_code:
        return
    if kept.share_code:
        Checkout.objects.filter(friend=gone.share_code).update(friend=kept.share_code)
    else:
        kept.share_code = gone.share_code
        kept.save(update_fields=["share_code"])


def _lock_both(kept_id: int, gone_id: int) -> tuple[Member, Member]:
    if kept_id == gone_id:
        raise MergeRefused(gettext("These two are already the same member."))
    both = [kept_id, gone_id]
    related = (
        Checkout.objects.filter(member__in=both).order_by("pk"),
        Gift.objects.filter(Q(buyer__in=both) | Q(claimed_by__in=both)).order_by(
            "checkout_id", "position"
        ),
    )
    locked = [
        list(rows.select_for_update(no_key=True).values_list("pk", flat=True)) for rows in related
    ]
    people = {
        member.pk: member
        for member in Member.objects.select_for_update(no_key=True)
        .filter(pk__in=both)
        .order_by("pk")
    }
    if len(people) < 2:
        raise MergeRefused(
            gettext("One of these members no longer exists: they were merged with another.")
        )
    if (
        any(member.erased_at is not None for member in people.values())
        or Erasure.objects.filter(member__in=both).exists()
    ):
        raise MergeRefused(gettext("One of these members was erased or is being erased."))
    if locked != [list(rows.values_list("pk", flat=True)) for rows in related]:
        raise _RowsChanged
    return people[kept_id], people[gone_id]


def _keep_address(kept: Member, gone: Member) -> None:
    """Let the address of `gone` lead to `kept`, who also takes over its opt-out of reminders."""
    FormerAddress.objects.update_or_create(
        email=canonical_email(gone.email), defaults={"member": kept, "left_at": timezone.now()}
    )
    kept.former_addresses.filter(email=canonical_email(kept.email)).delete()
    if OptOut.objects.holds(gone.email):
        emails.stop_reminders(kept.email)


def _clean_address(kept: Member) -> None:
    """Give the member the canonical form of their address, once its other owner is merged."""
    address = canonical_email(kept.email)
    if kept.email != address and not Member.objects.filter(email=address).exists():
        kept.email = address
    Member.objects.filter(pk=kept.pk, duplicate_of=kept).update(duplicate_of=None)
    Member.objects.filter(pk=kept.pk).update(email=kept.email)


def _log_filter(member: Member) -> dict[str, object]:
    content_type = ContentType.objects.get_for_model(Member)
    return {"content_type": content_type, "object_id": str(member.pk)}


def _log_merge(kept: Member, gone: Member, *, by: User, why: str) -> None:
    words = gettext("Merged with member %(number)d, a duplicate: %(why)s")
    words %= {"number": gone.pk, "why": why}
    history.note_change(kept, words, by=by)
    LogEntry.objects.create(
        user=by,
        action_flag=CHANGE,
        object_repr=str(kept)[:200],
        change_message=words,
        **_log_filter(kept),
    )
