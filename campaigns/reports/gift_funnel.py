from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext, gettext_noop

from campaigns.models import Campaign, Gift, Payment, Tally
from campaigns.reports.periods import Period
from campaigns.reports.rates import Rate

__doc__ = DEFINITION = gettext_noop(
    "Gifts that were paid in the period and still count. Delivered gifts were sent to the "
    "recipient or handed to the buyer. Expired gifts were never claimed. Paying members "
    "are the people who claimed one of these gifts and later paid for a membership "
    "of their own."
)


@dataclass(frozen=True)
class GiftFunnel:
    """The steps of the counted gifts; each step is part of the one before."""

    paid: int
    delivered: int
    claimed: int
    expired: int
    claimants: int  # people: one person can claim several gifts
    paying_members: int

    @property
    def unclaimed(self) -> int:
        """Gifts that aren't claimed yet or expired."""
        return self.paid - self.claimed

    @property
    def paying_share(self) -> Rate:
        return Rate(self.paying_members, self.claimants, gettext("No gifts claimed yet."))


def count_gift_steps(campaign: Campaign, period: Period, *, at: datetime) -> GiftFunnel:
    """Return how far the counted gifts came by a moment, as known now."""
    counting = select_counting(campaign, period, at=at)
    has_expired = Q(gift__status=Gift.Status.EXPIRED, gift__expires_at__lte=at)
    steps = counting.aggregate(
        paid=Count("pk"),
        delivered=Count("pk", filter=_is_delivered(at)),
        claimed=Count("pk", filter=_is_claimed(at)),
        expired=Count("pk", filter=has_expired),
        claimants=Count("gift__claimed_by", filter=_is_claimed(at), distinct=True),
    )
    people = select_paying(counting, at=at).values("gift__claimed_by").distinct()
    return GiftFunnel(**steps, paying_members=people.count())


def select_counting(campaign: Campaign, period: Period, *, at: datetime) -> QuerySet[Tally]:
    """Return the rows of the period's gifts that count at a moment."""
    counting = campaign.tallies.counting_at(at)
    return counting.filter(period.contains("counted_from"), gift__isnull=False).order_by()


def select_delivered(counting: QuerySet[Tally], *, at: datetime) -> QuerySet[Tally]:
    """Return those whose gift had been delivered."""
    return counting.filter(_is_delivered(at))


def select_claimed(counting: QuerySet[Tally], *, at: datetime) -> QuerySet[Tally]:
    """Return those whose gift had been claimed."""
    return counting.filter(_is_claimed(at))


def select_paying(counting: QuerySet[Tally], *, at: datetime) -> QuerySet[Tally]:
    """Return those whose gift was claimed by someone who paid for a membership afterwards."""
    paid_later = Payment.objects.filter(
        member=OuterRef("gift__claimed_by"),
        status=Payment.Status.SUCCEEDED,
        role=Payment.Role.FIRST,
        paid_at__gt=OuterRef("gift__claimed_at"),
        paid_at__lte=at,
    )
    return select_claimed(counting, at=at).filter(Exists(paid_later))


def _is_claimed(at: datetime) -> Q:
    return Q(gift__claimed_at__lte=at)


def _is_delivered(at: datetime) -> Q:
    return Q(gift__delivered_at__lte=at) | _is_claimed(at)
