from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, QuerySet
from django.utils.translation import gettext_noop

from campaigns.models import Campaign, Tally
from campaigns.reports.periods import Period

__doc__ = DEFINITION = gettext_noop(
    "People and gifts that started to count in the period, still count and came through "
    "a link that a member shared, and the number of these links."
)


@dataclass(frozen=True)
class Sharing:
    """People and gifts that came through a member's link, and the number of links."""

    joined: int
    links: int


def count_shared(campaign: Campaign, period: Period, *, at: datetime) -> Sharing:
    """Return what came by shared links and counts at a moment, as known now."""
    shared = select_shared(campaign, period, at=at)
    friend = "payment__checkout__friend"
    return Sharing(**shared.aggregate(joined=Count("pk"), links=Count(friend, distinct=True)))


def select_shared(campaign: Campaign, period: Period, *, at: datetime) -> QuerySet[Tally]:
    """Return the rows of what came by shared links."""
    counting = campaign.tallies.counting_at(at).order_by()
    return counting.filter(period.contains("counted_from"), payment__checkout__friend__gt="")
