"""Who counts, and when. The rule is written here, once: RULE in words, the functions in code."""

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

_AT_ONCE = 500  # people asked about by one statement

# Shown to staff beside the number.
RULE = _(
    "A person counts once, from the first standing first payment of a membership begun in the "
    "campaign, if it was made in the window and the person had no active membership when the campaign "
    "began and has redeemed no gift that counts. A gift counts once, when paid, until its own "
    "share is refunded. A payment stands if it succeeded and was neither refunded to its full "
    "amount nor lost in a dispute. One taken offline counts by the date entered, one in another "
    "currency than was asked for once staff take it. Renewals, changes of plan, grants and imports "
    "never count."
)


@dataclass(frozen=True)
class Count:
    """An interval in which somebody counts, and the payment from which they do."""

    counted_from: datetime
    counted_until: datetime | None
    payment_id: int


def counted_payments(campaign: Campaign) -> QuerySet[Payment]:
    """The payments that can count: those of the window that are not held."""
    return payments_of_window(campaign).filter(hold__in=Payment.COUNTED_HOLDS)


def payments_of_window(campaign: Campaign) -> QuerySet[Payment]:
    """First payments and gifts, succeeded, made in the window; held ones, too."""
    return Payment.objects.filter(
        campaign=campaign,
        status=Payment.Status.SUCCEEDED,
        role__in=Payment.COUNTED_ROLES,
        paid_at__gte=campaign.starts_at,
        paid_at__lt=campaign.ends_at,
    )


def count_gift(gift: Gift, campaign: Campaign) -> list[Count]:
    """When the gift counts: while its share of the payment stands, if made in the window.

    Not if the payment is held, or staff did not take it.
    """
    if gift.payment.campaign_id != campaign.pk or not campaign.holds(gift.payment.paid_at):
        return []
    if gift.payment.hold not in Payment.COUNTED_HOLDS:
        return []
    standing = valid_interval_of(gift)
    return [Count(*standing, gift.payment_id)] if standing else []


def count_people(people: Collection[Member], campaign: Campaign) -> dict[int, list[Count]]:
    """When each counts; never twice at one moment, and not while a redeemed gift does."""
    payments = (
        counted_payments(campaign)
        .filter(member__in=people, role=Payment.Role.FIRST)
        .filter(membership__started_at__gte=campaign.starts_at)
        .prefetch_related("refunds", "disputes")
        .order_by("paid_at", "intent_id", "pk")  # of two in one second, the same in any order
    )
    standing: defaultdict[int, list[Count]] = defaultdict(list)
    for payment in payments:
        if (interval := valid_interval(payment)) is not None:
            standing[payment.member_id].append(Count(*interval, payment.pk))
    taken: defaultdict[int, list[Interval]] = defaultdict(list)
    for gift in _claimed_gifts(people, campaign):
        assert gift.claimed_by_id is not None
        for count in count_gift(gift, campaign):
            until = count.counted_until
            if gift.claimed_at is not None and (until is None or gift.claimed_at < until):
                taken[gift.claimed_by_id].append((max(count.counted_from, gift.claimed_at), until))
    were_members = _find_members(people, campaign.starts_at)
    return {
        pk: [] if pk in were_members else _without(_joined(standing[pk]), taken[pk])
        for pk in (member.pk for member in people)
    }


def _find_members(people: Collection[Member], moment: datetime) -> set[int]:
    """Who of them came to that moment with an active membership.

    One that was sold and never paid, by a debit that failed say, was none.
    """
    before = Membership.objects.filter(member__in=people, started_at__lt=moment)
    paid = Q(payments__status=Payment.Status.SUCCEEDED, payments__paid_at__lt=moment)
    held = before.filter(Q(checkout__isnull=True) | paid)
    access = [(each.member_id, find_access(each)) for each in held]
    return {member_id for member_id, each in access if each is not None and each.covers(moment)}


def _claimed_gifts(people: Collection[Member], campaign: Campaign) -> QuerySet[Gift]:
    return (
        Gift.objects.filter(claimed_by__in=people, payment__campaign=campaign)
        .select_related("payment")
        .prefetch_related("payment__refunds", "payment__disputes", "refunds")
    )


def _joined(counts: Iterable[Count]) -> list[Count]:
    """The same moments in intervals that neither overlap nor touch; counts come in time's order."""
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


def _without(counts: list[Count], holes: list[Interval]) -> list[Count]:
    """The intervals with the holes cut out."""
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
    inside a transaction: the people are locked.
    """
    member_ids = sorted({member.pk for member in members})
    for first in range(0, len(member_ids), _AT_ONCE):
        # In one order: two payments of one person settle one after the other.
        ordered = Member.objects.filter(pk__in=member_ids[first : first + _AT_ONCE]).order_by("pk")
        people = list(ordered.select_for_update(no_key=True))
        # Not by joins: those would pair every payment of a campaign with every tally of it.
        paid_in = Payment.objects.filter(member__in=people).values("campaign")
        counted_in = Tally.objects.filter(member__in=people).values("campaign")
        for campaign in Campaign.objects.filter(Q(pk__in=paid_in) | Q(pk__in=counted_in)):
            known = campaign.tallies.filter(member__in=people)
            _keep_tallies(known, count_people(people, campaign), campaign=campaign, of="member_id")


def tally_gifts(gifts: Iterable[Gift]) -> None:
    """Write when these gifts count. Their rows are locked by the caller."""
    counts: defaultdict[Campaign, dict[UUID, list[Count]]] = defaultdict(dict)
    for gift in gifts:
        if (campaign := gift.payment.campaign) is not None:
            counts[campaign][gift.pk] = count_gift(gift, campaign)
    for campaign, of_gifts in counts.items():
        known = campaign.tallies.filter(gift__in=of_gifts)
        _keep_tallies(known, of_gifts, campaign=campaign, of="gift_id")


def tally_gift(gift: Gift) -> None:
    tally_gifts([gift])


def _keep_tallies(
    known: QuerySet[Tally], counts: Mapping[Any, list[Count]], *, campaign: Campaign, of: str
) -> None:
    """Let there be these tallies and no others, `of` people or of gifts; what is right stays."""
    wanted = {(pk, count) for pk, found in counts.items() for count in found}
    wrong = []
    for row in known:
        stands = (
            getattr(row, of),
            Count(row.counted_from, row.counted_until, row.payment_id),
        )
        if stands in wanted:
            wanted.remove(stands)
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
