"""The wall on the campaign page: new members by first name, and how many more there are."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from campaigns.models import Campaign, Goal, Member, Tally, WallEntry
from campaigns.progress import GOAL_KINDS, Progress

# The newest ones. The others are in the number of those who aren't named.
MOST_NAMED = 30


@dataclass(frozen=True)
class Wall:
    """The named members, and the number of new members who are not named."""

    entries: list[WallEntry]
    unnamed: int


def list_walls_for(member: Member, *, at: datetime) -> QuerySet[Campaign]:
    """Return the campaigns with a wall in which the person counts then, the newest first."""
    counting = Tally.objects.counting_at(at)
    # Two questions: an index answers each, where one about either would read all tallies.
    own = Q(pk__in=counting.filter(member=member).values("campaign"))
    claimed = Q(pk__in=counting.filter(gift__claimed_by=member).values("campaign"))
    return Campaign.objects.filter(own | claimed, shows_wall=True).order_by("-starts_at", "pk")


def gather_wall(campaign: Campaign, goals: list[Progress]) -> Wall | None:
    """Return the wall of a campaign; None if it has none or nobody is named.

    Named and unnamed members add up to the count of new members at the same moment.
    """
    if not campaign.shows_wall:
        return None
    counted = next((goal for goal in goals if goal.kind == Goal.Kind.NEW_MEMBERS), None)
    is_live = counted is not None and not counted.is_final
    at = counted.as_of if counted is not None and is_live else timezone.now()
    named = campaign.wall_entries.visible(at=at).order_by("-written_at", "-pk")
    entries = list(named[:MOST_NAMED])
    if not entries:
        return None
    if counted is not None:
        total = counted.counted
    else:
        total = GOAL_KINDS[Goal.Kind.NEW_MEMBERS].count(campaign, at).total
    return Wall(entries, max(total - len(entries), 0))
