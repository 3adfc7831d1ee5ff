"""The job: bring one person in Ghost in line with us, one worker at a time for each person."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from campaigns import newsletters
from campaigns.ghost import api
from campaigns.ghost.api import (
    GhostDown,
    GhostRefused,
    GhostRefusesKey,
    GhostUnusable,
    Person,
    fold,
    write_tiers,
)
from campaigns.ghost.plans import (
    Wanted,
    find_chosen,
    find_left,
    find_newsletters,
    find_wanted,
    is_moved,
    name_state,
    plan_changes,
    plan_removal,
    write_newsletters,
)
from campaigns.ghost.site import (
    MANY_FAILURES,
    Offer,
    find_offer,
    is_in_use,
    noting_trouble,
)
from campaigns.models import FormerAddress, GhostMember, GhostSite, Member
from campaigns.models.erasure import is_of_erased

_State = GhostMember.State
# Pauses after the first attempts; the last one repeats.
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 60, 300, 900, 1800, 3600))
# Ghost refused this person: staff have to look, and the nightly comparison tries again.
_LONG_PAUSE = timedelta(days=1)
_WRITTEN = (
    *("ghost_id", "is_created", "tier_id", "until", "labels", "newsletters"),
    *("state", "error", "synced_at"),
)


def select_due_members() -> QuerySet[GhostMember]:
    """Return the rows to work on; none while Ghost rests."""
    if not is_in_use() or GhostSite.read().is_resting(at=timezone.now()):
        return GhostMember.objects.none()
    return GhostMember.objects.all()


def sync_member(row_id: int) -> bool:
    """Bring a claimed person in line; return whether that succeeded.

    Errors of Ghost are noted and tried again later, not raised.
    """
    row = GhostMember.objects.filter(pk=row_id).select_related("member").first()
    if row is None or row.due_at is None:
        return False
    claimed = GhostMember.objects.filter(pk=row_id, due_at=row.due_at)
    if not claimed.update(busy_until=row.due_at):
        return False  # it changed meanwhile, so it is due
    due_at: datetime | None = None
    try:
        with noting_trouble():
            is_left = _try(row, at=timezone.now())
    except GhostDown:
        is_left, due_at = True, timezone.now() + _pause_after(row.attempts)
    except (GhostRefusesKey, GhostUnusable):
        is_left, due_at = True, timezone.now()  # Ghost rests as a whole
    except GhostRefused as error:
        is_left, due_at = True, timezone.now() + _LONG_PAUSE
        row.state, row.error = _State.REFUSED, str(error)[:200]
    else:
        row.error, row.synced_at = "", timezone.now()
    if is_left:
        _finish(row, due_at)
    else:
        GhostMember.objects.filter(pk=row.pk).delete()
    return due_at is None


def _pause_after(attempts: int) -> timedelta:
    return PAUSES[min(max(attempts, 1), len(PAUSES)) - 1]


def _finish(row: GhostMember, due_at: datetime | None) -> None:
    """Write what was done, and that the row is due again if something changed meanwhile."""
    values: dict[str, Any] = {name: getattr(row, name) for name in _WRITTEN} | {"busy_until": None}
    mine = GhostMember.objects.filter(pk=row.pk)
    if due_at is None:
        values["attempts"] = 0
    if not mine.filter(version=row.version).update(due_at=due_at, **values):
        mine.update(due_at=timezone.now(), **values)


def _try(row: GhostMember, *, at: datetime) -> bool:
    """Bring a person in line; tell a Ghost that fails with them alone from one that fails."""
    try:
        return _bring_in_line(row, at=at)
    except GhostDown as error:
        if not error.is_error or row.attempts < MANY_FAILURES:
            raise
        api.list_tiers()
        raise GhostRefused(500, str(error)) from error


def _bring_in_line(row: GhostMember, *, at: datetime) -> bool:
    """Write one person's access to Ghost; return whether the row is still needed."""
    if row.is_to_be_forgotten:
        _remove_ours(row)
        return False
    if row.member is None:
        return _bring_subscriber_in_line(row, at=at)
    member = row.member
    _take_over(row, member)
    wanted = find_wanted([member], at=at)[member.pk]
    person = _find_person(row, member.email)
    if person is None:
        _create(row, wanted, at=at, email=member.email, name=member.name)
        return True
    row.ghost_id = person.id
    if is_moved(person, member) and not person.is_paying:
        person = _follow_address(row, person, member)
    _change(row, person, wanted, at=at)
    row.state = name_state(row.state, person, member)
    return True


def _bring_subscriber_in_line(row: GhostMember, *, at: datetime) -> bool:
    """Do the same for a reader who is no member here; a member's own row takes this one over."""
    member = Member.objects.filter(email=row.email).first()
    if member is not None:
        GhostMember.objects.note_changes([], adding=[member.pk])
        return True
    wanted = Wanted(newsletters=frozenset(find_chosen([row.email])[row.email]))
    person = _find_person(row, row.email)
    if person is None:
        _create(row, wanted, at=at, email=row.email)
    else:
        row.ghost_id = person.id
        _change(row, person, wanted, at=at)
    return True


def _take_over(row: GhostMember, member: Member) -> None:
    """Take what a member's row as a mere subscriber knows, and delete that."""
    found = GhostMember.objects.filter(member=None, email=member.email)
    for before in found:
        with transaction.atomic():
            before.delete()
            if not row.ghost_id:
                row.ghost_id, row.is_created = before.ghost_id, before.is_created
                row.newsletters = before.newsletters
                row.save(update_fields=["ghost_id", "is_created", "newsletters"])


def _find_person(row: GhostMember, email: str) -> Person | None:
    """Return Ghost's member: the one that we know, otherwise the one with the address, if any."""
    if row.ghost_id:
        person = api.read_person(row.ghost_id)
        if person is not None:
            return person
        # They were deleted in Ghost, or this is another Ghost.
        row.ghost_id, row.tier_id, row.until, row.is_created = "", "", None, False
        row.labels, row.newsletters = [], []
    if not email or is_of_erased(email):
        return None
    person = api.find_person(email)
    others = GhostMember.objects.exclude(pk=row.pk)
    if person is not None and others.filter(ghost_id=person.id).exists():
        raise GhostRefused(409, "is another member here")
    return person


def _create(row: GhostMember, wanted: Wanted, *, at: datetime, **about: str) -> None:
    """Create a member unless nothing is wanted. What is ours is saved before, for a crash."""
    row.state = _State.GIVEN if wanted.has_access else _State.ENDED
    if not (wanted.has_access or wanted.newsletters):
        return
    offer = find_offer(at=at, needs_tier=wanted.has_access)
    chosen = find_newsletters(wanted, offer)
    if not (wanted.has_access or chosen):
        return
    row.is_created = True
    row.tier_id, row.until = (offer.tier_id, wanted.until) if wanted.has_access else ("", None)
    row.save(update_fields=["is_created", "tier_id", "until"])
    labels = [wanted.label] if wanted.label else []
    try:
        person = api.create_person(
            **about,
            labels=[{"name": name} for name in labels],
            newsletters=write_newsletters(chosen),
            tiers=write_tiers({offer.tier_id: wanted.until} if wanted.has_access else {}),
        )
    except GhostRefused:
        row.is_created, row.tier_id, row.until = False, "", None
        if wanted.has_access:
            find_offer_again()
        raise
    row.ghost_id, row.labels, row.newsletters = person.id, labels, chosen


def find_offer_again() -> None:
    """Look the tier up again after a refusal: it may be archived. Raises GhostUnusable."""
    GhostSite.objects.update(looked_up_at=None)
    find_offer(at=timezone.now())


def _change(row: GhostMember, person: Person, wanted: Wanted, *, at: datetime) -> None:
    """Write what differs, and check that Ghost did it."""
    offer = Offer("", {})
    if wanted.has_access or wanted.newsletters or row.newsletters:
        offer = find_offer(at=at, needs_tier=wanted.has_access)
    if left := find_left(row, person, offer):
        address = row.member.email if row.member is not None else row.email
        newsletters.end_left_in_ghost(address, left, at=at)
    plan = plan_changes(row, person, wanted, offer)
    before = row.tier_id
    if plan.tier_id:
        row.tier_id, row.until = plan.tier_id, wanted.until
        row.save(update_fields=["tier_id", "until"])
    if plan.values:
        try:
            person = api.change_person(person.id, **plan.values)
        except GhostRefused:
            row.tier_id = before
            if wanted.has_access:
                find_offer_again()
            raise
    if plan.state != _State.PAYS and (plan.tier_id or before):
        _mend_status(person, plan.tier_id or before)
    if wanted.label and plan.state == _State.GIVEN and wanted.label not in row.labels:
        row.labels = [*row.labels, wanted.label]
    if plan.newsletters is not None:
        row.newsletters = plan.newsletters
    row.state, row.tier_id = plan.state, plan.tier_id
    row.until = wanted.until if plan.tier_id else None


def _mend_status(person: Person, tier_id: str) -> None:
    """Check that access changed together with the tiers. Raises GhostUnusable.

    A Ghost without Stripe stores the tiers, but still gives or refuses access as before. Once it
    is connected, it changes the access when a tier is added or taken off.
    """
    if _has_right_status(person):
        return
    api.change_person(person.id, tiers=[] if person.tiers else write_tiers({tier_id: None}))
    person = api.change_person(person.id, tiers=write_tiers(person.tiers))
    if not _has_right_status(person):
        expected = "comped" if person.tiers else "free"
        raise GhostUnusable(GhostSite.Trouble.STRIPE, f"{person.status}, not {expected}")


def _has_right_status(person: Person) -> bool:
    return person.is_paying or (person.status == "free") == (not person.tiers)


def _follow_address(row: GhostMember, person: Person, member: Member) -> Person:
    """Give Ghost the new address of a member who changed it here; return Ghost's member.

    An address that was changed in Ghost stays. If the new one belongs to another person there, that
    is the member from now on, and the first one loses what came from us.
    """
    known = FormerAddress.objects.filter(member=member).values_list("email", flat=True)
    if fold(person.email) not in {fold(each) for each in known}:
        return person
    other = api.find_person(member.email)
    if other is None:
        return api.change_person(person.id, email=member.email)
    with transaction.atomic():
        GhostMember.objects.filter(ghost_id=other.id).exclude(pk=row.pk).update(ghost_id="")
        GhostMember.objects.filter(pk=row.pk).update(ghost_id="")
        GhostMember.objects.create(
            ghost_id=person.id,
            is_created=row.is_created,
            tier_id=row.tier_id,
            labels=row.labels,
            newsletters=row.newsletters,
            due_at=timezone.now(),
        )
    row.ghost_id, row.is_created, row.tier_id, row.until = other.id, False, "", None
    row.labels, row.newsletters = [], []
    return other


def _remove_ours(row: GhostMember) -> None:
    """Remove all that came from us, and the person if nothing else of theirs is there."""
    person = _find_person(row, row.member.email if row.member is not None else "")
    if person is None:
        return
    if not row.ghost_id and not row.is_created:
        return  # found by the address alone: nothing of theirs came from us
    values = plan_removal(row, person)
    if values is None:
        api.delete_person(person.id)
    elif values:
        person = api.change_person(person.id, **values)
        if "tiers" in values:
            _mend_status(person, row.tier_id)
