"""The last steps of every action: recount the people concerned, notify other systems, publish."""

from collections.abc import Iterable

from campaigns import banners, memberships, progress
from campaigns.models import Gift, Member, Tally


def recount(people: Iterable[Member], *, about: Iterable[Gift] = ()) -> set[int]:
    """Recount these people, and tell other systems of their access; return the ids of the
    campaigns to publish.

    `about` names the gifts that the action changed: their campaigns are published as well. Call
    this inside the transaction of the change, and `publish` with the result after the commit.
    """
    people = list(people)
    concerned = {gift.checkout.campaign_id for gift in about} | _campaigns_of(people)
    progress.tally_members(people)
    memberships.announce_access(people)
    return {pk for pk in concerned | _campaigns_of(people) if pk is not None}


def _campaigns_of(people: list[Member]) -> set[int | None]:
    return set(Tally.objects.filter(member__in=people).values_list("campaign_id", flat=True))


def publish(campaign_ids: Iterable[int]) -> None:
    """Ask for new banners. Not inside a transaction: every settlement writes this row."""
    for campaign_id in sorted(campaign_ids):
        banners.request_publishing(campaign_id)
