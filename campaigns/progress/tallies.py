"""Who counts, and when. The rule is written here, once: RULE in words, the functions in code."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns.gifts import standing_interval_of
from campaigns.models import Campaign, Gift, Member, Payment, Tally
from campaigns.payments import Interval, standing_interval

# Shown to staff beside the number.
RULE = _(
    "A person counts once, from the first standing first payment of a membership begun in the "
    "drive, if it was made in the window and the person had no active membership when the drive "
    "began and has redeemed no gift that counts. A gift counts once, when paid, until its own "
    "share is refunded. A payment stands if it succeeded and was neither refunded to its full "
    "amount nor lost in a dispute. One taken offline counts by the date entered. Renewals, changes "
    "of plan, grants and imports never count."
)


@dataclass(frozen=True)
class Count:
    """An interval in which somebody counts, and the payment from which they do."""

    counted_from: datetime
    counted_until: datetime | None
    payment_id: int


def counted_payments(campaign: Campaign) -> QuerySet[Payment]:
    """The payments that can count: first ones and gifts, succeeded, made in the window."""
    return Payment.objects.filter(
        campaign=campaign,
        status=Payment.Status.SUCCEEDED,
        role__in=Payment.COUNTED_ROLES,
        paid_at__gte=campaign.starts_at,
        paid_at__lt=campaign.ends_at,
    )


def count_gift(gift: Gift, campaign: Campaign) -> list[Count]:
    """When the gift counts: while its share of the payment stands, if made in the window."""
    if gift.payment.campaign_id != campaign.pk or not campaign.holds(gift.payment.paid_at):
        return []
    standing = standing_interval_of(gift)
    return [Count(*standing, gift.payment_id)] if standing else []


def count_person(member: Member, campaign: Campaign) -> list[Count]:
    """When the person counts; never twice at one moment, and not while a redeemed gift does."""
    if _was_member(member, campaign.starts_at):
        return []
    payments = (
        counted_payments(campaign)
        .filter(member=member, role=Payment.Role.FIRST)
        .filter(membership__started_at__gte=campaign.starts_at)
        .prefetch_related("refunds", "disputes")
        .order_by("paid_at", "intent_id", "pk")  # of two in one second, the same in any order
    )
    standing = [
        Count(*interval, payment.pk)
        for payment in payments
        if (interval := standing_interval(payment)) is not None
    ]
    taken = [
        (max(count.counted_from, gift.claimed_at), count.counted_until)
        for gift in _redeemed_gifts(member, campaign)
        for count in count_gift(gift, campaign)
        if gift.claimed_at is not None
        and (count.counted_until is None or gift.claimed_at < count.counted_until)
    ]
    return _without(_joined(standing), taken)


def _was_member(member: Member, moment: datetime) -> bool:
    """Whether the person came to that moment with an active membership.

    One that was sold and never paid, by a debit that failed say, was none.
    """
    before = member.memberships.filter(started_at__lt=moment).active_at(moment)
    paid = Q(payments__status=Payment.Status.SUCCEEDED, payments__paid_at__lt=moment)
    return before.filter(Q(checkout__isnull=True) | paid).exists()


def _redeemed_gifts(member: Member, campaign: Campaign) -> QuerySet[Gift]:
    return (
        member.gifts_redeemed.filter(payment__campaign=campaign)
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
    inside a transaction: each person is locked in turn.
    """
    for member_id in sorted({member.pk for member in members}):
        # One ordered lock: two payments of one person settle one after the other.
        member = Member.objects.select_for_update(no_key=True).get(pk=member_id)
        concerned = Q(payments__member=member) | Q(tallies__member=member)
        for campaign in Campaign.objects.filter(concerned).distinct():
            _keep_tallies(
                Tally.objects.filter(campaign=campaign, member=member),
                count_person(member, campaign),
                campaign=campaign,
                member=member,
            )


def tally_gift(gift: Gift) -> None:
    """Write when this gift counts. The gift's row is locked by the caller."""
    campaign = gift.payment.campaign
    if campaign is None:
        return
    _keep_tallies(
        Tally.objects.filter(campaign=campaign, gift=gift),
        count_gift(gift, campaign),
        campaign=campaign,
        gift=gift,
    )


def _keep_tallies(
    rows: QuerySet[Tally],
    counts: list[Count],
    *,
    campaign: Campaign,
    member: Member | None = None,
    gift: Gift | None = None,
) -> None:
    wanted = set(counts)
    for row in rows:
        count = Count(row.counted_from, row.counted_until, row.payment_id)
        if count in wanted:
            wanted.remove(count)
        else:
            row.delete()
    Tally.objects.bulk_create(
        Tally(
            campaign=campaign,
            member=member,
            gift=gift,
            payment_id=count.payment_id,
            counted_from=count.counted_from,
            counted_until=count.counted_until,
        )
        for count in wanted
    )


def people_who_may_count(campaign: Campaign) -> QuerySet[Member]:
    """Whoever has, or could have, a tally there: for a recount after the window was moved."""
    return Member.objects.filter(
        Q(payments__campaign=campaign) | Q(tallies__campaign=campaign)
    ).distinct()


def recount_campaign(campaign: Campaign) -> None:
    """Tally anew everything that counts there, or could: after its window was moved."""
    with transaction.atomic():
        # Locked in the order in which a settlement locks the gifts of its Checkout.
        for gift in (
            Gift.objects.filter(payment__campaign=campaign)
            .select_for_update(of=("self",), no_key=True)
            .select_related("payment__campaign")
            .prefetch_related("payment__refunds", "payment__disputes", "refunds")
            .order_by("checkout", "position")
        ):
            tally_gift(gift)
        tally_members(people_who_may_count(campaign))
