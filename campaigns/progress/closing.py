"""Close a campaign: its numbers are kept as they are then, whatever is learnt later."""

import json
from collections.abc import Sequence
from zlib import crc32

from django.db import transaction
from django.utils import timezone

from campaigns.models import Campaign, Phase
from campaigns.progress.goals import Progress, measure_campaign


class CannotClose(Exception):
    """The campaign is not over, has no goal, is being counted anew, or is not what staff saw."""


class AlreadyClosed(CannotClose):
    """A colleague was quicker."""


def fingerprint(goals: Sequence[Progress]) -> int:
    """Tells whether the numbers are those that somebody has looked at."""
    shown = [(goal.kind, goal.counted, goal.pending) for goal in goals]
    return crc32(json.dumps(shown).encode())


def close_campaign(campaign_id: int, *, by: str, seen: int) -> list[Progress]:
    """Keep what each goal counts now, once; `seen` is the fingerprint of what was shown.

    Raises CannotClose if the campaign is not over, has no goal, is being counted anew or counts
    something else by now, and AlreadyClosed if it is closed.
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
    """The number is what the rows say again; what was kept, or none if it was not closed."""
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update(no_key=True).get(pk=campaign_id)
        if campaign.closed_at is None:
            return None
        kept: dict[str, int] = campaign.final_counts or {}
        campaign.closed_at, campaign.closed_by, campaign.final_counts = None, "", None
        campaign.save(update_fields=["closed_at", "closed_by", "final_counts"])
    return kept
