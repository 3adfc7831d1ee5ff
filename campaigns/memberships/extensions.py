"""Gifts that extend a membership: claimed by someone who is a member already."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from django.db.models import F

from campaigns.memberships.access import find_access
from campaigns.memberships.terms import (
    add_months,
    grant_membership,
    lay_out_extensions,
    zone_of,
)
from campaigns.models import Member, Membership, Plan
from campaigns.models.moves import states_before


@dataclass(frozen=True)
class Place:
    """The start of a gift's months: in an extension of `base`, or in a separate membership."""

    base: Membership | None
    starts_at: datetime


def lock_current_memberships(member: Member, *, at: datetime) -> list[Membership]:
    """Lock a member, then their current and future memberships, and return those.

    So if one member claims two gifts at once, the second claim sees the first. Raises
    Member.DoesNotExist if the member was erased or merged meanwhile.
    """
    Member.objects.select_for_update(no_key=True).get(pk=member.pk, erased_at=None)
    current = list_current_memberships(member, at=at)
    # The same lock order as in lay_out_extensions: the extended membership, then its extensions.
    rows = {each.pk for each in current} | {each.extends_id for each in current if each.extends_id}
    locked = Membership.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=rows)
    known = {each.pk for each in current}
    return [each for each in locked.select_related("extends").order_by("pk") if each.pk in known]


def list_current_memberships(member: Member, *, at: datetime) -> list[Membership]:
    """Return the memberships of `member` that give access at `at` or will later."""
    open_rows = member.memberships.exclude(status=Membership.Status.ENDED)
    rows = [(row, find_access(row)) for row in open_rows.select_related("extends").order_by("pk")]
    return [row for row, access in rows if access is not None and not access.is_over(at=at)]


def find_place(current: list[Membership], *, at: datetime) -> Place:
    """Return where the months of a gift go, given a member's current memberships.

    A renewing subscription is extended, otherwise the membership that ends last. A subscription
    that is past due, paused or cancelled is not extended: the gift becomes a separate membership
    after the paid period.
    """
    for each in current:
        if is_renewing(each):
            ends = [end for end in (each.ends_at, each.gifted_until) if end is not None]
            return Place(each, max([at, *ends]))
    paid_until = max([at, *(end for each in current if (end := _paid_until(each)) is not None)])
    spans = [
        (each.ends_at, each)
        for each in current
        if each.source != Membership.Source.SUBSCRIPTION and each.ends_at is not None
    ]
    ends_at, last = max(spans, key=lambda span: (span[0], span[1].pk), default=(at, None))
    if last is None or ends_at < paid_until:
        return Place(None, paid_until)
    follows = last.extends
    if follows is None or follows.source == Membership.Source.SUBSCRIPTION:
        return Place(last, ends_at)
    return Place(follows, ends_at)


def is_renewing(membership: Membership) -> bool:
    """Return whether a subscription will be charged again, as far as we know."""
    return (
        membership.source == Membership.Source.SUBSCRIPTION
        and membership.status == Membership.Status.ACTIVE
        and not membership.is_cancelling
    )


def _paid_until(membership: Membership) -> datetime | None:
    """Return the end of the paid period of a subscription that won't be charged again."""
    if membership.source != Membership.Source.SUBSCRIPTION:
        return None
    if membership.status == Membership.Status.PAUSED:
        return membership.access_until
    is_paid = membership.status == Membership.Status.ACTIVE and membership.is_cancelling
    return membership.ends_at if is_paid else None


def add_gift(
    member: Member,
    *,
    plan: Plan,
    months: int,
    zone: tzinfo,
    current: list[Membership],
    at: datetime,
    source: Membership.Source = Membership.Source.GIFT,
    note: str = "",
) -> Membership:
    """Create the membership of a claimed gift, or of other months that a member is given.

    `current` is from `lock_current_memberships`.
    """
    place = find_place(current, at=at)
    given = grant_membership(
        member,
        plan=plan,
        source=source,
        starts_at=place.starts_at,
        months=months,
        zone=zone,
        extends=place.base,
        note=note,
    )
    if place.base is not None:
        base = Membership.objects.get(pk=place.base.pk)
        _join_chain(given, base, at=at)
        lay_out_extensions(base)
        given.refresh_from_db()
    return given


def _join_chain(given: Membership, base: Membership, *, at: datetime) -> None:
    """Add a gift to a subscription's chain of gifts, or start a new chain after a renewal."""
    if base.source != Membership.Source.SUBSCRIPTION:
        return
    if base.gifted_until is None or base.gifted_until <= at:
        base.gifted_from = max(base.ends_at or at, at)
        base.gifted_until = base.pushed_until = None
        base.save(update_fields=["gifted_from", "gifted_until", "pushed_until"])
    given.gifted_from = base.gifted_from
    given.save(update_fields=["gifted_from"])


def revoke_access(membership: Membership, *, at: datetime) -> None:
    """End the membership of a gift or a grant; later ones move up. Call inside a transaction."""
    base = _lock_with_base(membership)
    ended_at = min(at, membership.ends_at or at)  # it may have run out before
    Membership.objects.filter(
        pk=membership.pk, status__in=states_before(Membership.MOVES, Membership.Status.ENDED)
    ).update(status=Membership.Status.ENDED, ended_at=ended_at)
    lay_out_extensions(base or Membership.objects.get(pk=membership.pk))


def restore_access(membership: Membership, *, at: datetime) -> None:
    """Undo `revoke_access`, unless the membership has run out meanwhile."""
    base = _lock_with_base(membership)
    restored = Membership.objects.filter(
        pk=membership.pk, status=Membership.Status.ENDED, ended_at__lt=F("ends_at"), ends_at__gt=at
    ).update(status=Membership.Status.ACTIVE, ended_at=None)
    row = Membership.objects.get(pk=membership.pk)
    if restored and base is not None:
        _join_chain(row, base, at=at)
    lay_out_extensions(base or row)


def _lock_with_base(membership: Membership) -> Membership | None:
    """Lock the member, the extended membership, then itself: the order that all code uses."""
    people = Member.objects.select_for_update(of=("self",), no_key=True)
    people.get(memberships=membership.pk)  # the current owner, after a merge
    rows = Membership.objects.select_for_update(of=("self",), no_key=True)
    base = rows.get(pk=membership.extends_id) if membership.extends_id else None
    rows.get(pk=membership.pk)
    return base


def detach_extensions(base_id: int, *, paid_until: datetime, at: datetime) -> None:
    """Turn the extensions of a subscription that won't renew into separate memberships.

    One that has started keeps its dates. The others follow it, or start when the paid period ends.
    """
    base = Membership.objects.select_for_update(of=("self",), no_key=True).get(pk=base_id)
    rows = base.extensions.select_for_update(of=("self",), no_key=True).filter(ended_at=None)
    first: Membership | None = None
    for row in rows.order_by("pk"):
        row.extends, row.gifted_from = first, None
        if first is None and row.started_at > at:
            row.started_at = max(paid_until, at)
            row.ends_at = add_months(row.started_at, row.months or 0, zone=zone_of(row))
        row.save(update_fields=["extends", "gifted_from", "started_at", "ends_at"])
        first = first or row
    if first is not None:
        lay_out_extensions(first)
    base.gifted_until = base.pushed_until = base.due_at = None
    base.push_error = ""
    base.save(update_fields=["gifted_until", "pushed_until", "due_at", "push_error"])
