"""Take a person off the walls of campaigns."""

from functools import partial

from django.db import transaction

from campaigns import banners
from campaigns.models import Member


def take_off_walls(member: Member) -> None:
    """Delete a person's words and publish the pages without them after the commit."""
    entries = member.wall_entries.all()
    concerned = set(entries.values_list("campaign", flat=True))
    entries.delete()
    for campaign_id in concerned:
        transaction.on_commit(partial(banners.request_publishing, campaign_id))
