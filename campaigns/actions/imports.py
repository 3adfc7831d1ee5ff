"""Import the memberships of people who were members before the campaign."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q

from campaigns import memberships
from campaigns.actions.counts import publish, recount
from campaigns.models import FormerAddress, Member, Membership


@dataclass(frozen=True, kw_only=True)
class ImportedMembership:
    """A person, and the time in which they are a member; `until` is None while it is open."""

    email: str
    name: str
    since: datetime
    until: datetime | None

    @property
    def key(self) -> str:
        """Return the import key: one membership for each person and first day."""
        return f"{self.email} {self.since.date()}"


def import_memberships(entries: Sequence[ImportedMembership], *, now: datetime) -> None:
    """Create the memberships that are not on file yet, and recount the people.

    A person who was a member before a campaign began doesn't count in it. People are locked before
    their payments are read: a payment recorded at the same time either sees the membership, or is
    seen here.
    """
    with transaction.atomic(savepoint=False):  # inside the transaction of a batch, if there is one
        member_of = _lock_members(entries)
        Membership.objects.bulk_create(
            [
                Membership(
                    member=member_of[entry.email],
                    source=Membership.Source.IMPORTED,
                    started_at=entry.since,
                    ends_at=entry.until,
                    import_key=entry.key,
                    **_ending(entry, now=now),
                )
                for entry in entries
            ],
            ignore_conflicts=True,  # another run of the same file imports it as well
        )
        members = Member.objects.filter(pk__in=[member.pk for member in member_of.values()])
        paid = members.filter(Q(payments__isnull=False) | Q(tallies__isnull=False))
        memberships.announce_access(member_of.values())
        # After the commit, since the command holds a transaction of its own around each batch.
        transaction.on_commit(partial(publish, recount(paid.distinct())))


def _ending(entry: ImportedMembership, *, now: datetime) -> dict[str, Any]:
    if entry.until is None or entry.until > now:
        return {}
    return {"status": Membership.Status.ENDED, "ended_at": entry.until}


def _lock_members(entries: Sequence[ImportedMembership]) -> dict[str, Member]:
    """Lock the people by their e-mail address, creating new ones; known names stay as they are."""
    names: dict[str, str] = {}
    for entry in entries:
        names[entry.email] = names.get(entry.email) or entry.name
    member_of: dict[str, Member] = {}
    while unknown := sorted(names.keys() - member_of.keys()):  # again if one was merged meanwhile
        member_of |= _lock_known(unknown, names)
    nameless: dict[int, Member] = {}
    for email, member in member_of.items():
        if names[email] and not member.name:
            member.name = names[email]
            nameless[member.pk] = member
    Member.objects.bulk_update(nameless.values(), ["name"])
    return member_of


def _lock_known(emails: list[str], names: dict[str, str]) -> dict[str, Member]:
    """Find the owners of these current or former addresses, like `Member.objects.find`."""
    present = set(Member.objects.filter(email__in=emails).values_list("email", flat=True))
    # Read after the current ones: a person who leaves an address in between is found here.
    former = dict(FormerAddress.objects.filter(email__in=emails).values_list("email", "member_id"))
    Member.objects.bulk_create(
        [
            Member(email=email, name=names[email])
            for email in emails
            if email not in present and email not in former
        ],
        ignore_conflicts=True,
    )
    owners = Q(email__in=emails) | Q(pk__in=former.values())
    rows = Member.objects.select_for_update(no_key=True).filter(owners).order_by("pk")
    locked = {member.pk: member for member in rows}
    return {email: locked[pk] for email, pk in former.items() if pk in locked} | {
        member.email: member for member in locked.values() if member.email in names
    }
