"""The wall: members write and remove their entry, staff show and hide it."""

from datetime import datetime

import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from campaigns import banners
from campaigns.actions.counts import publish
from campaigns.actions.people import lock_member
from campaigns.models import Campaign, Member, WallEntry
from campaigns.models.moves import check_move

log = structlog.get_logger(__name__)


class NotOnWall(Exception):
    """The campaign has no wall, or the person isn't one of its new members."""


def write_wall_entry(
    member: Member,
    campaign: Campaign,
    *,
    first_name: str,
    town: str,
    sentence: str,
    language: str,
) -> WallEntry:
    """Write the member's words for the wall; they wait for staff. Sending them again changes
    nothing, and other words replace them.

    Raises MemberGone and NotOnWall.
    """
    words = {"first_name": first_name, "town": town, "sentence": sentence}
    with transaction.atomic():
        locked = lock_member(member)
        walls = banners.list_walls_for(locked, at=timezone.now())
        if not walls.filter(pk=campaign.pk).exists():
            raise NotOnWall
        entries = WallEntry.objects.select_for_update(no_key=True)  # staff may decide right now
        old = entries.filter(member=locked, campaign=campaign).first()
        if old is not None and all(getattr(old, name) == text for name, text in words.items()):
            return old
        if old is not None:
            old.delete()
        entry = WallEntry.objects.create(
            member=locked, campaign=campaign, language=language, **words
        )
    if old is not None and old.status == WallEntry.Status.SHOWN:
        publish([campaign.pk])
    return entry


def remove_wall_entry(member: Member, campaign: Campaign) -> bool:
    """Delete the member's words and publish; return whether there were any."""
    deleted, _rows = WallEntry.objects.filter(member=member, campaign=campaign).delete()
    if deleted:
        publish([campaign.pk])
    return bool(deleted)


def show_wall_entry(entry: WallEntry, *, by: User) -> bool:
    """Approve the words: they appear on the campaign page. Return whether that is new.

    The member may have removed or replaced the words meanwhile: then nothing happens.
    """
    return _decide(entry, WallEntry.Status.SHOWN, by=by, at=timezone.now())


def hide_wall_entry(entry: WallEntry, *, by: User) -> bool:
    """Take the words off the campaign page, or keep them off. Return whether that is new."""
    return _decide(entry, WallEntry.Status.HIDDEN, by=by, at=timezone.now())


def _decide(entry: WallEntry, status: WallEntry.Status, *, by: User, at: datetime) -> bool:
    with transaction.atomic():
        locked = WallEntry.objects.select_for_update(no_key=True).filter(pk=entry.pk).first()
        if locked is None or locked.status == status:
            return False
        check_move(WallEntry.MOVES, old=locked.status, new=status)
        locked.status, locked.decided_at, locked.decided_by = status, at, by
        locked.save(update_fields=["status", "decided_at", "decided_by"])
    publish([locked.campaign_id])
    log.info("wall_entry_decided", entry=locked.pk, status=status, by=by.pk)
    return True
