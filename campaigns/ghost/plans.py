"""Changes to make in Ghost for one person, only of what came from us. Makes no request itself."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from campaigns import memberships
from campaigns.ghost.api import Person, fold, write_tiers
from campaigns.ghost.site import Offer
from campaigns.models import GhostMember, Member, Subscription

_State = GhostMember.State


@dataclass(frozen=True)
class Wanted:
    """The state that a person should have in Ghost. With access, `until` None is no end."""

    has_access: bool = False
    until: datetime | None = None
    label: str = ""
    newsletters: frozenset[str] = frozenset()  # Ghost's slugs


@dataclass
class Plan:
    """The values to write, and what the person then has from us: the columns of their row.

    `newsletters` None leaves them as they are.
    """

    state: GhostMember.State
    values: dict[str, Any] = field(default_factory=dict)
    tier_id: str = ""
    newsletters: list[str] | None = None


def find_wanted(people: Iterable[Member], *, at: datetime) -> dict[int, Wanted]:
    """Return what these members should have in Ghost, by their ids. Their memberships are read."""
    people = list(people)
    standings = {member.pk: memberships.find_standing(member, at=at) for member in people}
    campaigns = memberships.find_campaigns(
        membership.pk for _standing, membership in standings.values() if membership is not None
    )
    newsletters = find_chosen(member.email for member in people)
    wanted = {}
    for member in people:
        standing, membership = standings[member.pk]
        campaign = campaigns.get(membership.pk) if membership is not None else None
        wanted[member.pk] = Wanted(
            has_access=standing.has_access,
            # Ghost keeps no fractions of a second.
            until=standing.until.replace(microsecond=0) if standing.until else None,
            label=f"campaign:{campaign}" if campaign else "",
            newsletters=frozenset(newsletters[member.email]),
        )
    return wanted


def find_chosen(addresses: Iterable[str]) -> dict[str, set[str]]:
    """Return the slugs in Ghost of the newsletters that are sent to these addresses."""
    found: dict[str, set[str]] = {address: set() for address in addresses}
    chosen = Subscription.objects.confirmed().exclude(newsletter__ghost_slug="")
    for email, slug in chosen.filter(email__in=found).values_list(
        "email", "newsletter__ghost_slug"
    ):
        found[email].add(slug)
    return found


def plan_changes(row: GhostMember, person: Person, wanted: Wanted, offer: Offer) -> Plan:
    """Return what to change for a person who is in Ghost."""
    if person.is_paying:
        return Plan(_State.PAYS)
    if not wanted.has_access:
        plan = Plan(_State.ENDED)
        is_left = bool(row.tier_id) and not person.tiers and person.status != "free"
        if row.tier_id in person.tiers or is_left:
            plan.values["tiers"] = write_tiers(_without(person.tiers, row.tier_id))
        _plan_newsletters(plan, row, person, find_newsletters(wanted, offer))
        return plan
    if _is_given_by_others(row, person, wanted, offer):
        return Plan(_State.OTHER)
    plan = Plan(_State.GIVEN, tier_id=offer.tier_id)
    if person.status == "free" or person.tiers.get(offer.tier_id, _MISSING) != wanted.until:
        others = _without(_without(person.tiers, row.tier_id), offer.tier_id)
        plan.values["tiers"] = write_tiers({offer.tier_id: wanted.until} | others)
    if wanted.label and wanted.label not in row.labels:
        _add_label(plan, person, wanted.label)
    _plan_newsletters(plan, row, person, find_newsletters(wanted, offer))
    return plan


_MISSING = object()


def find_newsletters(wanted: Wanted, offer: Offer) -> list[str]:
    """Return the IDs of the newsletters that Ghost has of those that a person wants."""
    return sorted(offer.newsletters[slug] for slug in wanted.newsletters & set(offer.newsletters))


def find_left(row: GhostMember, person: Person, offer: Offer) -> list[str]:
    """Return the slugs of newsletters that we passed on, and that a person left in Ghost.

    One that Ghost has no more, or has archived, was left by nobody.
    """
    left = set(row.newsletters) - set(person.newsletters)
    return sorted(slug for slug, newsletter in offer.newsletters.items() if newsletter in left)


def _plan_newsletters(plan: Plan, row: GhostMember, person: Person, wanted: list[str]) -> None:
    """Pass on what was chosen or left here since the last time. What was changed there stays."""
    left = set(row.newsletters) - set(wanted)
    new = set(wanted) - set(row.newsletters)
    after = [each for each in person.newsletters if each not in left]
    after += sorted(new - set(after))
    if set(after) != set(person.newsletters):
        plan.values["newsletters"] = write_newsletters(after)
    plan.newsletters = wanted


def write_newsletters(ids: Iterable[str]) -> list[dict[str, str]]:
    return [{"id": each} for each in ids]


def _without(tiers: dict[str, datetime | None], tier_id: str) -> dict[str, datetime | None]:
    return {tier: end for tier, end in tiers.items() if tier != tier_id}


def _is_given_by_others(row: GhostMember, person: Person, wanted: Wanted, offer: Offer) -> bool:
    """Return whether Ghost's staff gave a tier that is as good, or that we would overwrite."""
    others = _without(person.tiers, row.tier_id)
    if set(others) - {offer.tier_id}:
        return True
    if offer.tier_id not in others:
        return False
    end = others[offer.tier_id]
    return end is None or (wanted.until is not None and end >= wanted.until)


def _add_label(plan: Plan, person: Person, label: str) -> None:
    if label not in person.labels:
        plan.values["labels"] = _write_labels([*person.labels, label])


def _write_labels(names: Iterable[str]) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def plan_removal(row: GhostMember, person: Person) -> dict[str, Any] | None:
    """Return what takes back all that came from us; None if the person as a whole did."""
    tiers = _without(person.tiers, row.tier_id)
    labels = [name for name in person.labels if name not in row.labels]
    newsletters = [each for each in person.newsletters if each not in row.newsletters]
    is_ours = row.is_created and not person.is_paying and not person.note
    if is_ours and not (tiers or labels or newsletters):
        return None
    values: dict[str, Any] = {}
    if len(tiers) < len(person.tiers) and not person.is_paying:
        values["tiers"] = write_tiers(tiers)
    if len(labels) < len(person.labels):
        values["labels"] = _write_labels(labels)
    if len(newsletters) < len(person.newsletters):
        values["newsletters"] = write_newsletters(newsletters)
    return values


def is_moved(person: Person, member: Member) -> bool:
    """Return whether Ghost has another address than we."""
    return fold(person.email) != fold(member.email)


def name_state(state: str, person: Person, member: Member) -> str:
    """Return the state to show: another address in Ghost, unless the person is left alone."""
    if state in GhostMember.LEFT_ALONE or not is_moved(person, member):
        return state
    return _State.MOVED
