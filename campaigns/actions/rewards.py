"""Give members months because friends joined by their link."""

from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from campaigns import members, memberships
from campaigns.actions.counts import publish, recount
from campaigns.actions.people import MemberGone, lock_member
from campaigns.actions.reader_mails import schedule_reader_mail
from campaigns.models import Campaign, Member, Membership, OutgoingMail, Plan, ShareReward

log = structlog.get_logger(__name__)


def give_due_rewards(campaign_id: int, member_id: int) -> int:
    """Give a member the months that their friends have earned; return how many rewards.

    Only friends who count now are counted: one who was refunded earns nothing more, and months
    that were given are kept. A renewing subscription is charged later instead, as after a gift.
    Giving them again changes nothing.
    """
    campaign = Campaign.objects.get(pk=campaign_id)
    now = timezone.now()
    with transaction.atomic():
        try:
            member = lock_member(Member(pk=member_id))
        except MemberGone:
            return 0
        friends = members.count_friends(member, campaign, at=now)
        given = member.share_rewards.filter(campaign=campaign).count()
        plan = _find_plan(member)
        earned = members.count_rewards(campaign, friends) if plan is not None else given
        for number in range(given + 1, earned + 1):
            assert plan is not None
            _give(member, campaign, plan, number=number, friends=friends, at=now)
        campaigns = recount([member]) if earned > given else set()
    publish(campaigns)
    return max(earned - given, 0)


def _find_plan(member: Member) -> Plan | None:
    """Return the plan of the member's newest membership, otherwise the first one on sale."""
    newest = member.memberships.filter(plan__isnull=False).order_by("-started_at", "-pk").first()
    if newest is not None:
        return newest.plan
    return Plan.objects.for_members().order_by("position", "pk").first()


def _give(
    member: Member, campaign: Campaign, plan: Plan, *, number: int, friends: int, at: datetime
) -> None:
    membership = memberships.add_gift(
        member,
        plan=plan,
        months=campaign.reward_months,
        zone=campaign.zone_info,
        current=memberships.lock_current_memberships(member, at=at),
        at=at,
        source=Membership.Source.GRANTED,
        note=f"Friends who joined by their link: {friends}",
    )
    reward = ShareReward.objects.create(
        campaign=campaign,
        member=member,
        number=number,
        friends=friends,
        months=campaign.reward_months,
        membership=membership,
        granted_at=at,
    )
    schedule_reader_mail(
        OutgoingMail.Kind.REWARD, member, "", about=str(reward.pk), membership=membership
    )
    log.info("sharing_rewarded", campaign=campaign.slug, member=member.pk, number=number)
