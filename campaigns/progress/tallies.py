"""The count rule: RULE says in words, and the functions in code, who counts and when."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns.gifts import valid_interval_of
from campaigns.memberships import find_access
from campaigns.models import Campaign, Gift, Member, Membership, Payment, Tally
from campaigns.payments import Interval, valid_interval

_AT_ONCE = 500  # people in one query

# Shown to staff beside the number.
RULE = _(
    "A person counts once, from the first valid first payment of a membership that started in the "
    "campaign. The payment has to be made in the campaign’s window. The person must not have been "
    "a member when the campaign began, and must not have claimed a gift that counts. A gift counts "
    "once, when it is paid, until its own share is refunded. A payment is valid if it succeeded "
    "and was neither refunded in full nor lost in a dispute. An offline payment counts by the date "
    "entered. A payment in an unexpected currency counts once staff accept it. Renewals, plan "
    "changes, contributions without membership, grants and imports never count."
)


@dataclass(frozen=True)
class Count:
    """An interval in which a person or gift counts, and the payment that starts it."""

    counted_from: datetime
    counted_until: datetime | None
    payment_id: int


def select_counted_payments(campaign: Campaign) -> QuerySet[Payment]:
    """Return the payments that can count: those of the window that are not held."""
    return select_window_payments(campaign).filter(hold__in=Payment.COUNTED_HOLDS)


def select_window_payments(campaign: Campaign) -> QuerySet[Payment]:
    """Return succeeded payments of the window that are no renewals or changes, with held ones."""
    return Payment.objects.filter(
        campaign=campaign,
        status=Payment.Status.SUCCEEDED,
        role__in=Payment.MONEY_ROLES,
        paid_at__gte=campaign.starts_at,
        paid_at__lt=campaign.ends_at,
    )


def count_gift(gift: Gift, campaign: Campaign) -> list[Count]:
    """Return when the gift counts: while its share of the payment is valid, if paid in the window.

    Never while the payment is held, or after staff declined it.
    """
    if gift.payment.campaign_id != campaign.pk or not campaign.holds(gift.payment.paid_at):
        return []
    if gift.payment.hold not in Payment.COUNTED_HOLDS:
        return []
    interval = valid_interval_of(gift)
    return [Count(*interval, gift.payment_id)] if interval else []


def count_people(people: Collection[Member], campaign: Campaign) -> dict[int, list[Count]]:
    """Return when each person counts: never twice at once, nor while a gift they claimed counts."""
    payments = (
        select_counted_payments(campaign)
        .filter(member__in=people, role=Payment.Role.FIRST)
        .filter(membership__started_at__gte=campaign.starts_at)
        .prefetch_related("refunds", "disputes")
        .order_by("paid_at", "intent_id", "pk")  # a fixed order for payments of the same second
    )
    paid: defaultdict[int, list[Count]] = defaultdict(list)
    for payment in payments:
        if (interval := valid_interval(payment)) is not None:
            paid[payment.member_id].append(Count(*interval, payment.pk))
    by_gift: defaultdict[int, list[Interval]] = defaultdict(list)
    for gift in _select_claimed_gifts(people, campaign):
        assert gift.claimed_by_id is not None
        for count in count_gift(gift, campaign):
            until = count.counted_until
            if gift.claimed_at is not None and (until is None or gift.claimed_at < until):
                begin = max(count.counted_from, gift.claimed_at)
                by_gift[gift.claimed_by_id].append((begin, until))
    were_members = _find_members(people, campaign.starts_at)
    return {
        pk: [] if pk in were_members else _cut_out(_join(paid[pk]), by_gift[pk])
        for pk in (member.pk for member in people)
    }


def _find_members(people: Collection[Member], moment: datetime) -> set[int]:
    """Return the ids of those who had an active membership at that moment.

    A membership that was sold but never paid, for example by a failed debit, doesn't count.
    """
    before = Membership.objects.filter(member__in=people, started_at__lt=moment)
    paid = Q(payments__status=Payment.Status.SUCCEEDED, payments__paid_at__lt=moment)
    held = before.filter(Q(checkout__isnull=True) | paid)
    access = [(each.member_id, find_access(each)) for each in held]
    return {member_id for member_id, each in access if each is not None and each.covers(moment)}


def _select_claimed_gifts(people: Collection[Member], campaign: Campaign) -> QuerySet[Gift]:
    return (
        Gift.objects.filter(claimed_by__in=people, payment__campaign=campaign)
        .select_related("payment")
        .prefetch_related("payment__refunds", "payment__disputes", "refunds")
    )


def _join(counts: Iterable[Count]) -> list[Count]:
    """Join intervals that overlap or touch; `counts` are ordered by time."""
    joined: list[Count] = []
    for count in counts:
        last = joined[-1] if joined else None
        if last is None or (
            last.counted_until is not None and last.counted_until < count.counted_from
        ):
            joined.append(count)
        elif last.counted_until is not None and (
            count.counted_until is None or count.counted_until > last.counted_until
        ):
            joined[-1] = Count(last.counted_from, count.counted_until, last.payment_id)
    return joined


def _cut_out(counts: list[Count], holes: list[Interval]) -> list[Count]:
    """Return the intervals without the holes."""
    for hole_from, hole_until in holes:
        left: list[Count] = []
        for count in counts:
            begin, end = count.counted_from, count.counted_until
            if (end is not None and end <= hole_from) or (
                hole_until is not None and hole_until <= begin
            ):
                left.append(count)
                continue
            if begin < hole_from:
                left.append(Count(begin, hole_from, count.payment_id))
            if hole_until is not None and (end is None or hole_until < end):
                left.append(Count(hole_until, end, count.payment_id))
        counts = left
    return counts


def tally_members(members: Iterable[Member]) -> None:
    """Write when these people count, in every campaign in which they paid or counted.

    A membership can matter to any campaign that began while it ran, not only to its own. Call
    inside a transaction: it locks the people.
    """
    member_ids = sorted({member.pk for member in members})
    for first in range(0, len(member_ids), _AT_ONCE):
        # Lock in a fixed order: two payments of one person settle one after the other.
        ordered = Member.objects.filter(pk__in=member_ids[first : first + _AT_ONCE]).order_by("pk")
        people = list(ordered.select_for_update(no_key=True))
        # Subqueries, because joins would pair every payment of a campaign with each of its tallies.
        paid_in = Payment.objects.filter(member__in=people).values("campaign")
        counted_in = Tally.objects.filter(member__in=people).values("campaign")
        for campaign in Campaign.objects.filter(Q(pk__in=paid_in) | Q(pk__in=counted_in)):
            known = campaign.tallies.filter(member__in=people)
            _replace_tallies(
                known, count_people(people, campaign), campaign=campaign, of="member_id"
            )


def tally_gifts(gifts: Iterable[Gift]) -> None:
    """Write when these gifts count. The caller locks their rows."""
    counts: defaultdict[Campaign, dict[UUID, list[Count]]] = defaultdict(dict)
    for gift in gifts:
        if (campaign := gift.payment.campaign) is not None:
            counts[campaign][gift.pk] = count_gift(gift, campaign)
    for campaign, of_gifts in counts.items():
        known = campaign.tallies.filter(gift__in=of_gifts)
        _replace_tallies(known, of_gifts, campaign=campaign, of="gift_id")


def tally_gift(gift: Gift) -> None:
    tally_gifts([gift])


def _replace_tallies(
    known: QuerySet[Tally], counts: Mapping[Any, list[Count]], *, campaign: Campaign, of: str
) -> None:
    """Replace the `known` tallies by those of `counts`; rows that are right stay as they are.

    `of` names the column of the keys of `counts`: member_id or gift_id.
    """
    wanted = {(pk, count) for pk, found in counts.items() for count in found}
    wrong = []
    for row in known:
        tally = (
            getattr(row, of),
            Count(row.counted_from, row.counted_until, row.payment_id),
        )
        if tally in wanted:
            wanted.remove(tally)
        else:
            wrong.append(row.pk)
    if wrong:
        campaign.tallies.filter(pk__in=wrong).delete()
    Tally.objects.bulk_create(
        Tally(
            **{of: pk},
            campaign=campaign,
            payment_id=count.payment_id,
            counted_from=count.counted_from,
            counted_until=count.counted_until,
        )
        for pk, count in wanted
    )
