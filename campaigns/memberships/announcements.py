"""A member's access as other systems know it: each change that they don't know is sent to them.

Everything that changes memberships ends with `announce_access`, in the same transaction. It
compares the access over all memberships with the row of `MemberAccess`, so that repeated events of
Stripe, and changes without an effect, cause no event.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from campaigns import deliveries
from campaigns.memberships.access import Access, find_access, find_end
from campaigns.models import Campaign, GhostMember, Member, MemberAccess, Membership
from campaigns.models.erasure import Erasure

_State = MemberAccess.State
_AT_ONCE = 200
_COLUMNS = ["state", "until", "renews_at", "plan", "source", "due_at"]
_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Standing:
    """A member's access at a moment, over all memberships; the fields of `MemberAccess`."""

    state: MemberAccess.State
    until: datetime | None = None
    renews_at: datetime | None = None
    plan_id: int | None = None
    source: str = ""

    @property
    def has_access(self) -> bool:
        return self.state in MemberAccess.WITH_ACCESS


def find_standing(member: Member, *, at: datetime) -> tuple[Standing, Membership | None]:
    """Return a member's access, and the membership that decides it: the one that lasts longest."""
    return find_standing_of(member.memberships.all(), at=at)


def find_standing_of(
    rows: Iterable[Membership], *, at: datetime
) -> tuple[Standing, Membership | None]:
    """Return the same for all memberships of one person."""
    found = _list_accesses(rows)
    covering = [(row, access) for row, access in found if access.covers(at)]
    if not covering:
        began = [access for _row, access in found if access.starts_at <= at]
        return Standing(_State.ENDED if began else _State.NEVER), None
    row, _access = max(covering, key=lambda pair: (pair[1].end_after(at) or _LATEST, pair[0].pk))
    until = find_end([access for _row, access in found], at)
    is_renewing = until is None and row.source == Membership.Source.SUBSCRIPTION
    standing = Standing(
        _read_state(row),
        until=until,
        renews_at=row.ends_at if is_renewing else None,
        plan_id=row.plan_id,
        source=row.source,
    )
    return standing, row


def _list_accesses(rows: Iterable[Membership]) -> list[tuple[Membership, Access]]:
    found = [(row, find_access(row)) for row in rows]
    return [(row, access) for row, access in found if access is not None]


def _read_state(row: Membership) -> MemberAccess.State:
    if row.status == Membership.Status.PAST_DUE:
        return _State.PAST_DUE
    is_subscription = row.source == Membership.Source.SUBSCRIPTION
    return _State.CANCELLED if is_subscription and row.is_cancelling else _State.ACTIVE


def _find_next_change(member: Member, *, at: datetime) -> datetime | None:
    """Return when time alone may change the access: a beginning, an end, a gap."""
    moments: list[datetime] = []
    for _row, access in _list_accesses(member.memberships.all()):
        moments += [access.starts_at, *([access.until] if access.until else [])]
        moments += [datetime.fromtimestamp(edge, UTC) for gap in access.gaps for edge in gap]
    return min((moment for moment in moments if moment > at), default=None)


_MOVES = {
    (_State.ACTIVE, _State.PAST_DUE): "member.past_due",
    (_State.CANCELLED, _State.PAST_DUE): "member.past_due",
    (_State.ACTIVE, _State.CANCELLED): "member.cancelled",
    (_State.PAST_DUE, _State.CANCELLED): "member.cancelled",
    (_State.CANCELLED, _State.ACTIVE): "member.returned",
    (_State.PAST_DUE, _State.ACTIVE): "member.renewed",
}


def name_event(before: Standing | None, now: Standing) -> str | None:
    """Return the event that reports a difference; None if there is none.

    `before` is None for a person who is new here.
    """
    if before == now or (before is not None and before.state == _State.UNKNOWN):
        return None
    if before is None or not before.has_access:
        is_back = before is not None and before.state == _State.ENDED
        gained = "member.returned" if is_back else "member.joined"
        return gained if now.has_access else None
    if not now.has_access:
        return "member.lapsed"
    if before.state != now.state:
        return _MOVES[before.state, now.state]
    return "member.renewed" if _is_longer(before, now) else "member.updated"


def _is_longer(before: Standing, now: Standing) -> bool:
    if (before.until or _LATEST) != (now.until or _LATEST):
        return (before.until or _LATEST) < (now.until or _LATEST)
    if before.renews_at is None or now.renews_at is None:
        return False
    return before.renews_at < now.renews_at


def announce_access(people: Iterable[Member], *, at: datetime | None = None) -> None:
    """Notify other systems, and Ghost, of access that differs from what they know.

    Call it at the end of the transaction that changed memberships. A person who asked to be erased
    causes no more events.
    """
    at = at or timezone.now()
    ids = sorted({member.pk for member in people})
    if not ids:
        return
    with transaction.atomic():
        new = _add_missing(ids)
        rows = MemberAccess.objects.select_for_update(of=("self",), no_key=True)
        known = {row.pk: row for row in rows.filter(pk__in=ids).order_by("pk")}
        erased = set(Erasure.objects.filter(member__in=ids).values_list("member_id", flat=True))
        members = Member.objects.filter(pk__in=known.keys() - erased).order_by("pk")
        changed, events, with_access = [], [], []
        for member in members.prefetch_related("memberships"):
            row = known[member.pk]
            before = None if member.pk in new else _read_row(row)
            now, membership = find_standing(member, at=at)
            due_at = _find_next_change(member, at=at)
            if (type_ := name_event(before, now)) is not None:
                events.append((type_, member, now, membership))
            if (now, due_at) != (_read_row(row), row.due_at):
                for name, value in {**asdict(now), "due_at": due_at}.items():
                    setattr(row, name, value)
                changed.append(row)
                with_access += [member.pk] if now.has_access else []
        MemberAccess.objects.bulk_update(changed, _COLUMNS)
        MemberAccess.objects.filter(pk__in=erased, due_at__isnull=False).update(due_at=None)
        _write_events(events, at=at)
        GhostMember.objects.note_changes([row.pk for row in changed], adding=with_access)


def _read_row(row: MemberAccess) -> Standing:
    return Standing(_State(row.state), row.until, row.renews_at, row.plan_id, row.source)


def _add_missing(ids: list[int]) -> set[int]:
    """Add the rows of people who have none; return whose they are."""
    present = set(MemberAccess.objects.filter(pk__in=ids).values_list("pk", flat=True))
    missing = [pk for pk in ids if pk not in present]
    if missing:
        MemberAccess.objects.bulk_create(
            [MemberAccess(member_id=pk, state=_State.NEVER) for pk in missing],
            ignore_conflicts=True,
        )
    return set(missing)


def _write_events(
    events: list[tuple[str, Member, Standing, Membership | None]], *, at: datetime
) -> None:
    types = {type_ for type_, *_rest in events}
    endpoints = {type_: deliveries.find_endpoints(type_) for type_ in types}
    for type_, member, standing, membership in events:
        if endpoints[type_]:
            deliveries.write_event(
                type_,
                {"access": describe_access(standing, membership)},
                member=member,
                happened_at=at,
                endpoints=endpoints[type_],
            )


def describe_access(standing: Standing, membership: Membership | None) -> dict[str, Any]:
    """Return the access as other systems read it."""
    until = standing.until
    return {
        "has_access": standing.has_access,
        "state": standing.state.value,
        "until": until and until.isoformat(),
        "renews_at": standing.renews_at and standing.renews_at.isoformat(),
        "plan": membership.plan.slug if membership and membership.plan else None,
        "source": standing.source or None,
        "campaign": find_campaign(membership),
    }


def find_campaign(membership: Membership | None) -> str | None:
    """Return the slug of the campaign in which a membership was bought or given."""
    return find_campaigns([membership.pk]).get(membership.pk) if membership is not None else None


def find_campaigns(memberships: Iterable[int]) -> dict[int, str]:
    """Return the same for several memberships, by their ids."""
    ids = set(memberships)
    given = Campaign.objects.filter(checkouts__gifts__membership__in=ids)
    sold = Campaign.objects.filter(checkouts__membership__in=ids)
    return dict(given.values_list("checkouts__gifts__membership", "slug")) | dict(
        sold.values_list("checkouts__membership", "slug")
    )


def announce_due_access(member_id: int) -> None:
    """Notify of access that began or ended with time; the work of a job.

    Members from before the first announcement are noted many at a time, without an event.
    """
    unknown = MemberAccess.objects.filter(state=_State.UNKNOWN, due_at__lte=timezone.now())
    ids = {member_id, *unknown.values_list("pk", flat=True)[:_AT_ONCE]}
    announce_access(Member.objects.filter(pk__in=ids))
