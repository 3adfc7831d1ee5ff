"""Publishing: banners, campaign page, picture and number, written ahead of readers as files.

A file is replaced as a whole or not at all. An error leaves the last good files, so readers see a
banner even while this application is down.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import Min, Q, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from campaigns.banners.assets import read_component, read_sign_up_component
from campaigns.banners.charts import list_days
from campaigns.banners.files import (
    SIGN_UP_COMPONENT,
    delete_files,
    name_forms,
    retire_languages,
    write_component,
    write_files,
)
from campaigns.banners.leases import LONGEST, Lease, LeaseLost
from campaigns.banners.pages import render_files, render_shared_files
from campaigns.banners.placeholders import list_hour_changes
from campaigns.banners.placements import EMBEDDED
from campaigns.banners.rendering import BannerForms, render_empty_forms, render_forms
from campaigns.banners.sign_ups import render_sign_ups
from campaigns.models import Campaign, PublishedNumber, remember_look
from campaigns.progress import Progress, measure_campaign

log = structlog.get_logger(__name__)

# Published at least this often, to keep the as-of time fresh; the final count has no other time.
# The job looks every 15 seconds, so that no banner becomes a minute old.
FRESH = timedelta(seconds=40)
FRESH_FINAL = timedelta(hours=1)
RETRY = timedelta(seconds=10)
_SHOWN = Q(goals__is_primary=True) | Q(hides_banners=True)


class CannotWithdraw(Exception):
    """The files can't be deleted: the storage failed, or they are being written right now."""


def request_publishing(campaign_id: int) -> None:
    """Make the campaign's files due.

    Call it after the commit: inside a transaction it would lock the row that every settlement of
    this campaign updates.
    """
    now = timezone.now()
    later = Q(publish_at__isnull=True) | Q(publish_at__gt=now)
    Campaign.objects.filter(later, pk=campaign_id).update(publish_at=now)


def hide_banners(campaign_id: int) -> None:
    """Publish empty banners until `show_banners`. Page, picture and number stay."""
    Campaign.objects.filter(pk=campaign_id).update(hides_banners=True)
    request_publishing(campaign_id)


def show_banners(campaign_id: int) -> None:
    Campaign.objects.filter(pk=campaign_id).update(hides_banners=False)
    request_publishing(campaign_id)


def list_campaigns_to_publish(*, at: datetime) -> list[Campaign]:
    """Return the campaigns whose files are due: on request, by their age or by a change of state.

    Each publishing writes into `publish_at` when the next one is due. Files from the future are
    due, too: our clock was set back since.
    """
    due = Q(publish_at__lte=at) | Q(publish_at__isnull=True) | Q(published_at__gt=at + LONGEST)
    return list(Campaign.objects.filter(due, _SHOWN).distinct())


def find_next_publishing() -> datetime | None:
    """Return when the next files are due and nobody is writing them; None if no time is known."""
    times = Campaign.objects.filter(_SHOWN, publish_at__isnull=False).aggregate(
        next=Min(Greatest("publish_at", Coalesce("publish_lease_until", "publish_at")))
    )
    next_at: datetime | None = times["next"]
    return next_at


def publish_campaign(campaign_id: int) -> Progress | None:
    """Write all files of a campaign in every language and return the published progress.

    Returns None if another process holds the lease or takes it over, if a recount is under way, or
    if the campaign has no primary goal. Only the holder of the lease writes, so an older number
    never replaces a newer one. During a recount readers keep the last published number, not half of
    the new one. Hidden banners are emptied in any case. A failure is stored in the campaign's row
    and raised.
    """
    lease = Lease(campaign_id)
    if not lease.take():
        return None
    next_at = timezone.now() + RETRY
    try:
        campaign = Campaign.objects.prefetch_related("copies", "banners").get(pk=campaign_id)
        write_component(read_component(), confirm=lease.confirm)
        sign_up = read_sign_up_component()
        write_component(sign_up, name=SIGN_UP_COMPONENT, confirm=lease.confirm)
        measured_at = timezone.now()
        if campaign.is_without_banners(at=measured_at):
            write_files(campaign.slug, _empty_banners(), confirm=lease.confirm)
        measured = measure_campaign(campaign, at=measured_at)
        if campaign.recount_at is not None or not _has_primary_goal(campaign, measured):
            return None
        with remember_look():
            files = _render_files(campaign, measured, at=measured_at)
        write_files(campaign.slug, files, confirm=lease.confirm)
        retire_languages(campaign.slug)
        _store_published_number(campaign, measured[0], at=measured_at)
        lease.record(published_at=measured_at, publish_error="", publish_failed_at=None)
        next_at = _find_next(campaign, at=measured_at)
        return measured[0]
    except (LeaseLost, Campaign.DoesNotExist):
        return None
    except Exception as error:
        since = Coalesce("publish_failed_at", Value(timezone.now()))
        words = f"{type(error).__name__}: {error}"[:200].replace("\0", "")
        lease.record(publish_error=words, publish_failed_at=since)
        raise
    finally:
        lease.release(next_at=next_at)


def _has_primary_goal(campaign: Campaign, measured: list[Progress]) -> bool:
    return bool(measured) and campaign.goals.filter(is_primary=True).exists()


def _find_next(campaign: Campaign, *, at: datetime) -> datetime:
    """Return when the files are due again: when they are old, or when the state changes."""
    old_at = at + (FRESH if campaign.closed_at is None else FRESH_FINAL)
    changes = (
        campaign.starts_at,
        campaign.last_day_begins_at,
        *list_hour_changes(campaign),
        campaign.ends_at,
        campaign.banners_end_at,
    )
    return min([old_at, *(moment for moment in changes if moment is not None and moment > at)])


@contextmanager
def withdraw_files(campaign_id: int) -> Iterator[None]:
    """Delete the campaign's files, so that the block can delete the campaign.

    Nobody publishes it meanwhile. If it still exists after the block, its files are due. Raises
    CannotWithdraw.
    """
    lease = Lease(campaign_id)
    if not lease.take():
        raise CannotWithdraw
    try:
        slug = Campaign.objects.values_list("slug", flat=True).get(pk=campaign_id)
        try:
            delete_files(slug, confirm=lease.confirm)
        except Exception as error:  # every storage has its own errors
            raise CannotWithdraw from error
        yield
    finally:
        lease.release(next_at=timezone.now())


def _store_published_number(campaign: Campaign, progress: Progress, *, at: datetime) -> None:
    last = campaign.published.order_by("-published_at", "-pk").first()
    is_same_unit = last is not None and last.kind in {"", progress.kind}
    shown = (progress.shown, progress.shown_target)
    if last is None or (last.counted, last.target) != shown or not is_same_unit:
        PublishedNumber.objects.create(
            campaign=campaign,
            published_at=at,
            counted=progress.shown,
            target=progress.shown_target,
            kind=progress.kind,
            currency=progress.currency,
        )


def _render_files(
    campaign: Campaign, measured: list[Progress], *, at: datetime
) -> dict[str, bytes]:
    """Render all files before any is written: an error in one leaves all of them unchanged."""
    files = render_shared_files(campaign, measured)
    if not campaign.is_without_banners(at=at):
        files |= _render_banners(campaign, measured[0], at=at)
    days = list_days(campaign, measured)
    for language, _name in settings.LANGUAGES:
        files |= render_files(campaign, measured, days, language=language)
        files |= render_sign_ups(campaign.slug, language=language)
    return files


def _render_banners(campaign: Campaign, progress: Progress, *, at: datetime) -> dict[str, bytes]:
    return _name_forms(
        lambda language, placement: render_forms(
            campaign, progress, placement=placement, language=language, published_at=at
        )
    )


def _empty_banners() -> dict[str, bytes]:
    empty = render_empty_forms()
    return _name_forms(lambda language, placement: empty)


def _name_forms(render: Callable[[str, str], BannerForms]) -> dict[str, bytes]:
    """Return the content of each banner's files by name, for every language and placement.

    All characters are ASCII, so that no page shows them in a wrong charset.
    """
    return {
        f"{language}/{name}": form.encode("ascii", "xmlcharrefreplace")
        for language, _name in settings.LANGUAGES
        for placement in EMBEDDED
        for name, form in zip(
            name_forms(placement), astuple(render(language, placement)), strict=True
        )
    }
