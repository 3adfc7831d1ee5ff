"""Publishing: banners, campaign page, picture and number, written ahead of readers as files.

A file is replaced as a whole or not at all. An error leaves the last good files, so readers see a
banner even while this application is down.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import Q, Value
from django.db.models.functions import Coalesce
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from campaigns.banners.files import NUMBER, PAGE, PICTURE, delete_files, name_banner, write_files
from campaigns.banners.leases import Lease, LeaseLost
from campaigns.banners.pages import draw_picture, render_page
from campaigns.banners.pictures import CARDS, read_mark
from campaigns.banners.placements import PLACEMENTS
from campaigns.banners.texts import choose_text, write_count
from campaigns.models import Campaign, PublishedNumber
from campaigns.progress import Progress, measure_campaign

log = structlog.get_logger(__name__)

# Published at least this often, to keep the as-of time fresh; the final count has no other time.
FRESH = timedelta(seconds=60)
FRESH_FINAL = timedelta(hours=1)
RETRY = timedelta(seconds=10)


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

    Each publishing writes into `publish_at` when the next one is due.
    """
    due = Q(publish_at__lte=at) | Q(publish_at__isnull=True)
    shown = Q(goals__is_primary=True) | Q(hides_banners=True)
    return list(Campaign.objects.filter(due, shown).distinct())


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
        campaign = Campaign.objects.prefetch_related("copies").get(pk=campaign_id)
        if campaign.hides_banners:
            write_files(campaign.slug, _empty_banners(), confirm=lease.confirm)
        measured_at = timezone.now()
        measured = measure_campaign(campaign, at=measured_at)
        if campaign.recount_at is not None or not _has_primary_goal(campaign, measured):
            return None
        files = _render_files(campaign, measured, at=measured_at)
        write_files(campaign.slug, files, confirm=lease.confirm)
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
    last_moment = campaign.ends_at - timedelta(microseconds=1)
    last_day = last_moment.astimezone(campaign.zone_info).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    old_at = at + (FRESH if campaign.closed_at is None else FRESH_FINAL)
    changes = (campaign.starts_at, last_day, campaign.ends_at)
    return min([old_at, *(moment for moment in changes if moment > at)])


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
    shown = (progress.counted, progress.target)
    if last is None or (last.counted, last.target) != shown or not is_same_unit:
        PublishedNumber.objects.create(
            campaign=campaign,
            published_at=at,
            counted=progress.counted,
            target=progress.target,
            kind=progress.kind,
            currency=progress.currency,
        )


def _render_files(
    campaign: Campaign, measured: list[Progress], *, at: datetime
) -> dict[str, bytes]:
    """Render all files before any is written: an error in one leaves all of them unchanged."""
    files = {NUMBER: json.dumps([_as_json(goal) for goal in measured]).encode()}
    if not campaign.hides_banners:
        files |= _render_banners(campaign, measured[0], at=at)
    for language, _name in settings.LANGUAGES:
        page = render_page(campaign, measured, language=language)
        files[f"{language}/{PAGE}"] = page.encode()
        files[f"{language}/{PICTURE}"] = draw_picture(campaign, measured, language=language)
    return files


def _render_banners(campaign: Campaign, progress: Progress, *, at: datetime) -> dict[str, bytes]:
    return {
        f"{language}/{name_banner(placement, with_number=with_number)}": render_banner(
            campaign,
            progress,
            placement=placement,
            language=language,
            with_number=with_number,
            published_at=at,
        ).encode()
        for language, _name in settings.LANGUAGES
        for placement in PLACEMENTS
        for with_number in (True, False)
    }


def _empty_banners() -> dict[str, bytes]:
    return {
        f"{language}/{name_banner(placement, with_number=with_number)}": b""
        for language, _name in settings.LANGUAGES
        for placement in PLACEMENTS
        for with_number in (True, False)
    }


def render_banner(
    campaign: Campaign,
    progress: Progress,
    *,
    placement: str,
    language: str,
    with_number: bool = True,
    published_at: datetime | None = None,
) -> str:
    """Return one placement as an HTML fragment, in that language and the campaign's time zone.

    The fragment is the same for every reader and works on any server: URLs are absolute, drawings
    are inline, and it loads no style, script or cookie. Without the number, it drops the sentences
    that need it. It names the time of its publishing unless its count is final.
    """
    copy = campaign.copy_for(language)
    here = {"slug": campaign.slug}
    origin = f"?from={placement}"
    with override(language), timezone.override(campaign.zone_info):
        return render_to_string(
            PLACEMENTS[placement].template,
            {
                "banner": choose_text(
                    campaign,
                    progress,
                    placement=placement,
                    copy=copy,
                    language=language,
                    with_number=with_number,
                ),
                "campaign": campaign,
                "progress": progress,
                "shows_count": progress.shows_count and with_number,
                "published_at": None if progress.is_final else published_at,
                "count": write_count(progress, language=language),
                "placement": placement,
                "language": language,
                "emblem": campaign.drawn_emblem or read_mark("emblem"),
                "cards": [read_mark(card) for card in CARDS],
                "newsroom_name": settings.NEWSROOM_NAME,
                "join_url": settings.SITE_URL + reverse("campaigns:join", kwargs=here) + origin,
                "gift_url": settings.SITE_URL + reverse("campaigns:gift", kwargs=here) + origin,
                "campaign_url": settings.SITE_URL
                + reverse("campaigns:campaign", kwargs=here)
                + origin,
            },
        )


def _as_json(progress: Progress) -> dict[str, object]:
    return {
        "kind": progress.kind,
        **progress.unit,
        "counted": progress.counted,
        "target": progress.target,
        "percent": progress.percent,
        "pending": 0 if progress.is_final else progress.pending,
        "state": progress.state,
        "provisional": progress.is_provisional,
        "final": progress.is_final,
        "as_of": progress.as_of.isoformat(),
    }
