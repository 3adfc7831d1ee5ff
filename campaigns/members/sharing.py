"""A member's own link to a campaign: how many people joined through it, and what it has earned."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Max, Q, Sum

from campaigns.models import Campaign, Member, Tally
from campaigns.models.tally import TallyQuerySet

_FRIEND = "payment__checkout__friend"


@dataclass(frozen=True)
class Reward:
    """The reward of a campaign for friends, and how many months it has given to one member."""

    friends: int
    months: int
    most_months: int
    given_months: int

    @property
    def is_complete(self) -> bool:
        return self.given_months + self.months > self.most_months


def count_joined_by(member: Member) -> int:
    """Return how many people count who joined by a member's own link, without the member."""
    if not member.share_code:
        return 0
    joined = Tally.objects.filter(
        payment__checkout__friend=member.share_code,
        member__isnull=False,
        counted_until__isnull=True,
    ).exclude(member=member)
    return joined.values("member").distinct().count()


def describe_reward(member: Member, campaign: Campaign) -> Reward | None:
    """Return what the campaign gives for friends; None if it gives nothing."""
    if not campaign.friends_for_reward:
        return None
    given = member.share_rewards.filter(campaign=campaign).aggregate(months=Sum("months"))
    return Reward(
        campaign.friends_for_reward,
        campaign.reward_months,
        campaign.most_reward_months,
        given["months"] or 0,
    )


def count_friends(member: Member, campaign: Campaign, *, at: datetime) -> int:
    """Return how many friends count in the campaign then: they joined, and weren't refunded."""
    if not member.share_code:
        return 0
    return _select_friends(campaign, at=at).filter(**{_FRIEND: member.share_code}).count()


def count_rewards(campaign: Campaign, friends: int) -> int:
    """Return how many rewards that many friends earn, up to the campaign's maximum."""
    if not campaign.friends_for_reward or not campaign.reward_months:
        return 0
    earned = friends // campaign.friends_for_reward
    return min(earned, campaign.most_reward_months // campaign.reward_months)


def list_due_rewards(*, at: datetime) -> list[tuple[int, int]]:
    """Return the campaign and member of each reward that was earned and not yet given."""
    rewarding = Campaign.objects.filter(
        friends_for_reward__gt=0, starts_at__lte=at, closed_at__isnull=True
    )
    return [pair for campaign in rewarding for pair in _list_due(campaign, at=at)]


def _list_due(campaign: Campaign, *, at: datetime) -> list[tuple[int, int]]:
    friends = dict(
        _select_friends(campaign, at=at)
        .order_by()
        .values(_FRIEND)
        .annotate(number=Count("pk"))
        .filter(number__gte=campaign.friends_for_reward)
        .values_list(_FRIEND, "number")
    )
    members = (
        Member.objects.filter(share_code__in=list(friends), erasure=None)
        .annotate(given=Count("share_rewards", filter=Q(share_rewards__campaign=campaign)))
        .values_list("pk", "share_code", "given")
    )
    return [
        (campaign.pk, pk)
        for pk, code, given in members
        if count_rewards(campaign, friends[code]) > given
    ]


def _select_friends(campaign: Campaign, *, at: datetime) -> TallyQuerySet:
    """Return the tallies of people who joined by the link of another person."""
    own = Q(member__share_code=F(_FRIEND))
    counting = campaign.tallies.counting_at(at)
    return counting.filter(member__isnull=False, **{f"{_FRIEND}__gt": ""}).exclude(own)


def join_rewards(*, kept: Member, gone: Member) -> None:
    """Move the rewards of a duplicate behind those of the member who is kept."""
    for reward in gone.share_rewards.order_by("number"):
        last = kept.share_rewards.filter(campaign=reward.campaign_id).aggregate(last=Max("number"))
        reward.member, reward.number = kept, (last["last"] or 0) + 1
        reward.save(update_fields=["member", "number"])
