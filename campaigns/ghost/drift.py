"""Compare all people with Ghost, and make those due who differ."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils import timezone

from campaigns.ghost import api
from campaigns.ghost.api import Person
from campaigns.ghost.plans import (
    Wanted,
    find_chosen,
    find_left,
    find_wanted,
    is_moved,
    name_state,
    plan_changes,
)
from campaigns.ghost.site import Offer, find_offer, noting_trouble
from campaigns.models import (
    Erasure,
    GhostMember,
    GhostSite,
    Member,
    Membership,
    Newsletter,
    Subscription,
)

_State = GhostMember.State
_AT_ONCE = 500


@dataclass
class Comparison:
    """Differences between Ghost and us. The lists name people: Ghost's addresses, or members."""

    people: int = 0  # in Ghost
    members: int = 0  # with access here
    equal: int = 0
    missing: list[Member] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    ending: list[str] = field(default_factory=list)
    paying: list[str] = field(default_factory=list)
    given_by_others: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    subscribers: int = 0  # of newsletters, who are no members here and differ
    newsletters: list[str] = field(default_factory=list)  # in Ghost, by their slugs
    unknown: list[str] = field(
        default_factory=list
    )  # slugs that staff typed and Ghost doesn't have

    @property
    def is_equal(self) -> bool:
        return not (self.missing or self.differing or self.ending or self.subscribers)

    def count(self) -> dict[str, int]:
        """Return the numbers, which name nobody."""
        names = ("missing", "differing", "ending", "paying", "given_by_others", "moved")
        numbers = {name: len(getattr(self, name)) for name in names}
        own = ("people", "members", "equal", "subscribers")
        return {name: getattr(self, name) for name in own} | numbers


def compare_with_ghost(
    *, dry_run: bool = False, note: Callable[[int], object] = lambda number: None
) -> Comparison:
    """Compare everybody; unless `dry_run`, make those due who differ, and keep the numbers.

    `note` is called with the number of Ghost's members read so far. Raises GhostDown,
    GhostRefusesKey, GhostUnusable and GhostRefused.
    """
    now = timezone.now()
    with noting_trouble():
        offer = find_offer(at=now)
        people = _read_people(note)
    typed = Newsletter.objects.exclude(ghost_slug="").values_list("ghost_slug", flat=True)
    result = Comparison(
        people=len(people.by_id),
        newsletters=sorted(offer.newsletters),
        unknown=sorted(set(typed) - offer.newsletters.keys()),
    )
    for members in _list_members():
        wanted = find_wanted(members, at=now)
        due = [
            member.pk
            for member in members
            if _compare(result, people, member, wanted[member.pk], offer)
        ]
        if not dry_run:
            GhostMember.objects.note_changes([], adding=due)
    for addresses in _list_subscribers():
        chosen = find_chosen(addresses)
        late = [
            address
            for address, row in _find_rows(addresses).items()
            if _does_subscriber_differ(people, address, row, chosen[address], offer)
        ]
        result.subscribers += len(late)
        if not dry_run:
            GhostMember.objects.note_subscribers(late, adding=True)
    if not dry_run:
        GhostSite.write(compared_at=now, differences=result.count())
    return result


def _compare(
    result: Comparison, people: "_People", member: Member, wanted: Wanted, offer: Offer
) -> bool:
    """Enter one member into the result; return whether there is something to do for them."""
    row = getattr(member, "ghost", None)
    person = people.find(row, member)
    result.members += wanted.has_access
    if person is None:
        if wanted.has_access:
            result.missing.append(member)
        return wanted.has_access
    if row is None and not wanted.has_access:
        return False
    known = row or GhostMember(member=member)
    plan = plan_changes(known, person, wanted, offer)
    if wanted.has_access and plan.state == _State.PAYS:
        result.paying.append(person.email)
    elif plan.state == _State.OTHER:
        result.given_by_others.append(person.email)
    elif plan.values:
        (result.differing if wanted.has_access else result.ending).append(person.email)
    else:
        result.equal += 1
    if is_moved(person, member):
        result.moved.append(person.email)
    state = name_state(plan.state, person, member)
    return bool(plan.values or find_left(known, person, offer)) or state != known.state


def _does_subscriber_differ(
    people: "_People", address: str, row: GhostMember | None, chosen: set[str], offer: Offer
) -> bool:
    wanted = Wanted(newsletters=frozenset(chosen & offer.newsletters.keys()))
    known = row or GhostMember(email=address)
    person = people.by_id.get(known.ghost_id) or people.by_email.get(api.fold(address))
    if person is None:
        return bool(wanted.newsletters)
    plan = plan_changes(known, person, wanted, offer)
    is_noted = row is not None and row.state == plan.state
    return bool(plan.values or find_left(known, person, offer)) or not is_noted


class _People:
    """Ghost's members by ID and by address."""

    def __init__(self) -> None:
        self.by_id: dict[str, Person] = {}
        self.by_email: dict[str, Person] = {}

    def add(self, person: Person) -> None:
        self.by_id[person.id] = self.by_email[api.fold(person.email)] = person

    def find(self, row: GhostMember | None, member: Member) -> Person | None:
        known = self.by_id.get(row.ghost_id) if row is not None else None
        return known or self.by_email.get(api.fold(member.email))


def _read_people(note: Callable[[int], object]) -> _People:
    people = _People()
    for person in api.walk_people():
        people.add(person)
        note(len(people.by_id))
    return people


def _list_members() -> Iterator[list[Member]]:
    """Yield everybody who has, or may have had, access, with memberships and row, in batches."""
    has_membership = Q(pk__in=Membership.objects.values("member"))
    has_row = Q(pk__in=GhostMember.objects.exclude(member=None).values("member"))
    members = Member.objects.filter(has_membership | has_row, erased_at=None)
    members = members.exclude(pk__in=Erasure.objects.values("member")).select_related("ghost")
    last = 0
    while batch := list(
        members.filter(pk__gt=last).prefetch_related("memberships").order_by("pk")[:_AT_ONCE]
    ):
        last = batch[-1].pk
        yield batch


def _list_subscribers() -> Iterator[list[str]]:
    """Yield the addresses that get a newsletter in Ghost and belong to no member, in batches."""
    chosen = Subscription.objects.confirmed().exclude(newsletter__ghost_slug="")
    others = chosen.exclude(email__in=Member.objects.values("email")).order_by("email")
    last = ""
    while batch := list(
        others.filter(email__gt=last).values_list("email", flat=True).distinct()[:_AT_ONCE]
    ):
        last = batch[-1]
        yield batch


def _find_rows(addresses: list[str]) -> dict[str, GhostMember | None]:
    rows = {row.email: row for row in GhostMember.objects.filter(email__in=addresses)}
    return {address: rows.get(address) for address in addresses}
