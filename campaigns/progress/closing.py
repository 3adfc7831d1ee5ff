"""The closing of a campaign: its final counts are stored and no longer change."""

import json
from collections.abc import Sequence
from zlib import crc32

from django.db import transaction
from django.utils import timezone

from campaigns.models import Campaign, Phase
from campaigns.progress.goals import Progress, measure_campaign


class CannotClose(Exception):
    """Raised if a campaign can't be closed.

    It hasn't ended, has no goal, is being recounted, or has changed since staff looked at it.
    """


class AlreadyClosed(CannotClose):
    """Raised if the campaign is closed already."""


def fingerprint(goals: Sequence[Progress]) -> int:
    """Return a hash of the counts, to notice changes between showing a page and submitting it."""
    shown = [(goal.kind, goal.counted, goal.pending) for goal in goals]
    return crc32(json.dumps(shown).encode())


def close_campaign(campaign_id: int, *, by: str, seen: int) -> list[Progress]:
    """Close the campaign: store each goal's count as its final count.

    `seen` is the fingerprint of the counts that staff were shown. Raises AlreadyClosed if the
    campaign is closed. Raises CannotClose if it hasn't ended, has no goal, is being recounted, or
    if its counts differ from `seen`.
    """
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update(no_key=True).get(pk=campaign_id)
        if campaign.closed_at is not None:
            raise AlreadyClosed
        now = timezone.now()
        goals = measure_campaign(campaign, at=now)
        is_over = campaign.phase(at=now) is Phase.ENDED and campaign.recount_at is None
        if not goals or not is_over or fingerprint(goals) != seen:
            raise CannotClose
        campaign.closed_at, campaign.closed_by = now, by
        campaign.final_counts = {goal.kind: goal.counted for goal in goals}
        campaign.save(update_fields=["closed_at", "closed_by", "final_counts"])
    return goals


def reopen_campaign(campaign_id: int) -> dict[str, int] | None:
    """Reopen the campaign, so that its counts come from the rows again.

    Returns the final counts it had, or None if it wasn't closed.
    """
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update(no_key=True).get(pk=campaign_id)
        if campaign.closed_at is None:
            return None
        final_counts: dict[str, int] = campaign.final_counts or {}
        campaign.closed_at, campaign.closed_by, campaign.final_counts = None, "", None
        campaign.save(update_fields=["closed_at", "closed_by", "final_counts"])
    return final_counts
