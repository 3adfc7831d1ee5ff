"""Members and sign-ups as rows of a file, for other systems and for spreadsheets.

The columns `email`, `name`, `since` and `until` are those that the import of members reads.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from campaigns import memberships
from campaigns.models import (
    Campaign,
    Checkout,
    Gift,
    Member,
    Membership,
    Payment,
    Subscription,
    Tally,
)
from campaigns.models.erasure import is_of_erased
from campaigns.money import to_major
from campaigns.spreadsheets import Cell

MEMBER_COLUMNS = (
    *("member", "email", "name", "language", "has_access", "since", "until"),
    *("plan", "source", "status", "counts_in", "newsletters"),
)
SIGN_UP_COLUMNS = (
    *("sign_up", "created_at", "campaign", "placement", "kind", "status", "member", "email"),
    *("name", "language", "plan", "price", "number", "amount", "currency"),
    *("page_url", "page_title", "referrer", "utm_source", "utm_medium", "utm_campaign"),
    *("utm_content", "friend", "device", "country"),
)
_CHUNK = 500


def members_of(campaign: Campaign, people: QuerySet[Member], *, at: datetime) -> QuerySet[Member]:
    """Return those who paid in a campaign, count in it, or claimed a gift that was bought in it."""
    later = Campaign.objects.filter(starts_at__gt=campaign.starts_at, starts_at__lte=at)
    is_newest = not later.exists()
    paid = Payment.objects.filter(campaign=campaign, status=Payment.Status.SUCCEEDED)
    counted = Tally.objects.filter(campaign=campaign)
    claimed = Gift.objects.filter(checkout__campaign=campaign)
    return people.filter(
        _has(paid, "member", is_newest)
        | _has(counted, "member", is_newest)
        | _has(claimed, "claimed_by", is_newest)
    )


def _has(rows: QuerySet[Any], name: str, is_newest: bool) -> Q:
    """Return what finds members whom one of these rows names.

    The newest members are mostly those of the newest campaign: a page of them is full after few
    look-ups. For an equality PostgreSQL would read all rows of the campaign first, which is better
    for earlier ones; it looks up a range for each member.
    """
    key = OuterRef("pk")
    names = {f"{name}__gte": key, f"{name}__lte": key} if is_newest else {name: key}
    return Q(Exists(rows.filter(**names)))


def list_members(people: QuerySet[Member], *, at: datetime) -> Iterator[list[Cell]]:
    """Yield the headings and one row for each member who isn't erased."""
    yield list(MEMBER_COLUMNS)
    zone = ZoneInfo(settings.NEWSROOM_TIME_ZONE)
    related = people.filter(erased_at=None).prefetch_related(
        Prefetch("memberships", Membership.objects.select_related("plan").order_by("started_at")),
        Prefetch("tallies", Tally.objects.counting_at(at).select_related("campaign")),
    )
    rows = related.order_by("pk").iterator(chunk_size=_CHUNK)
    while batch := list(islice(rows, _CHUNK)):
        letters = _find_newsletters(batch)
        for member in batch:
            about = _describe(member, zone, at)
            own = ", ".join(letters.get(member.email, ()))
            yield [member.pk, member.email, member.name, member.language, *about, own]


def list_sign_ups(checkouts: QuerySet[Checkout]) -> Iterator[list[Cell]]:
    """Yield the headings and one row for each Checkout, whether it was paid or not."""
    yield list(SIGN_UP_COLUMNS)
    zone = ZoneInfo(settings.NEWSROOM_TIME_ZONE)
    related = checkouts.select_related("campaign", "price__plan").order_by("created_at", "pk")
    for checkout in related.iterator(chunk_size=_CHUNK):
        origin = asdict(checkout.origin)
        placement = origin.pop("placement")
        yield [
            str(checkout.pk),
            checkout.created_at.astimezone(zone),
            checkout.campaign.slug if checkout.campaign else "",
            placement,
            checkout.kind,
            checkout.status,
            checkout.member_id,
            "" if is_of_erased(checkout.email) else checkout.email,
            checkout.name,
            checkout.language,
            checkout.price.plan.slug,
            checkout.price.kind,
            checkout.quantity,
            to_major(checkout.amount_minor, checkout.currency),
            checkout.currency,
            *origin.values(),
        ]


def _describe(member: Member, zone: ZoneInfo, at: datetime) -> list[Cell]:
    """Return the columns about access, the newest membership and the counts."""
    own = list(member.memberships.all())
    newest = own[-1] if own else None
    has_access = memberships.has_access(member, at)
    until = memberships.access_until(member, at) if has_access else None
    return [
        "yes" if has_access else "no",
        own[0].started_at.astimezone(zone) if own else None,
        until.astimezone(zone) if until else None,
        newest.plan.slug if newest and newest.plan else "",
        newest.source if newest else "",
        newest.status if newest else "",
        ", ".join(sorted({tally.campaign.slug for tally in member.tallies.all()})),
    ]


def _find_newsletters(people: Sequence[Member]) -> dict[str, list[str]]:
    """Return the short names of the newsletters that each address gets."""
    addresses = [member.email for member in people]
    confirmed = Subscription.objects.confirmed().filter(email__in=addresses)
    found: dict[str, list[str]] = {}
    rows = confirmed.order_by("newsletter__slug").values_list("email", "newsletter__slug")
    for address, slug in rows:
        found.setdefault(address, []).append(slug)
    return found
