"""Publish a campaign's banners and its number as files that any web server can hold.

A file is replaced at once or not at all, and a fault leaves the last good one: what readers see
never depends on this application being well at that moment.
"""

import contextlib
import json
import os
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.core.validators import slug_re
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from campaigns.banners.pictures import CARDS, read_mark
from campaigns.banners.texts import choose_text, write_count
from campaigns.models import Banner, Campaign, PublishedNumber
from campaigns.progress import Progress, measure_campaign

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)
OLDEST = timedelta(seconds=60)  # published again at least so often, for the as-of time


def request_publishing(campaign_id: int) -> None:
    """Make the campaign's banners due. Not for a transaction: all that settle share this row."""
    now = timezone.now()
    later = Q(publish_at__isnull=True) | Q(publish_at__gt=now)
    Campaign.objects.filter(later, pk=campaign_id).update(publish_at=now)


def list_campaigns_to_publish(*, at: datetime) -> list[Campaign]:
    """The campaigns whose number changed or was published too long ago."""
    due = Q(publish_at__lte=at) | Q(published_at__isnull=True) | Q(published_at__lte=at - OLDEST)
    return list(Campaign.objects.filter(due, goals__is_primary=True).distinct())


def publish_campaign(campaign_id: int) -> Progress | None:
    """Write every placement in every language; the number as published, None if another is at it.

    Whoever holds the lease is the only one to write, so that no older number follows a newer one.
    While everybody is counted anew the last number stands: half of a count is shown to nobody.
    """
    now = timezone.now()
    lease = now + LEASE
    free = Q(publish_lease_until__isnull=True) | Q(publish_lease_until__lte=now)
    # Due again when the lease is over, should we die with the number measured and not written.
    if not Campaign.objects.filter(free, pk=campaign_id, recount_at__isnull=True).update(
        publish_lease_until=lease, publish_at=lease
    ):
        return None
    try:
        campaign = Campaign.objects.prefetch_related("copies").get(pk=campaign_id)
        measured_at = timezone.now()
        measured = measure_campaign(campaign, at=measured_at)
        if not measured or not campaign.goals.filter(is_primary=True).exists():
            return None
        _write_files(campaign, measured)
        _store_published_number(campaign, measured[0], at=measured_at)
        Campaign.objects.filter(pk=campaign_id).update(published_at=measured_at)
        # Unless somebody settled meanwhile and asked for it anew.
        Campaign.objects.filter(pk=campaign_id, publish_at=lease).update(publish_at=None)
        return measured[0]
    except Exception:
        request_publishing(campaign_id)  # soon again, not when the last good one is old
        raise
    finally:
        Campaign.objects.filter(pk=campaign_id, publish_lease_until=lease).update(
            publish_lease_until=None
        )


def _store_published_number(campaign: Campaign, progress: Progress, *, at: datetime) -> None:
    last = campaign.published.order_by("-published_at", "-pk").first()
    if last is None or (last.counted, last.target) != (progress.counted, progress.target):
        PublishedNumber.objects.create(
            campaign=campaign,
            published_at=at,
            counted=progress.counted,
            target=progress.target,
        )


def _write_files(campaign: Campaign, measured: list[Progress]) -> None:
    # All are made before the first is written: a fault in one leaves every file as it was.
    folder = settings.PUBLISH_DIR / campaign.slug
    files = {
        folder / language / f"{placement}.html": render_banner(
            campaign, measured[0], placement=placement, language=language
        )
        for language, _name in settings.LANGUAGES
        for placement in Banner.Placement.values
    }
    files[folder / "progress.json"] = json.dumps([_as_json(each) for each in measured])
    for path, text in files.items():
        _replace(path, text)


def render_banner(campaign: Campaign, progress: Progress, *, placement: str, language: str) -> str:
    """One placement as a complete fragment of HTML, in that language and the campaign's zone.

    It is the same for every reader and may stand on another server: addresses are whole, drawings
    stand inside, and nothing in it asks for a style, a script or a cookie.
    """
    copy = campaign.copy_for(language)
    here = {"slug": campaign.slug}
    origin = f"?from={placement}"
    with override(language), timezone.override(campaign.zone_info):
        return render_to_string(
            f"campaigns/embed/{placement}.html",
            {
                "banner": choose_text(
                    campaign, progress, placement=placement, copy=copy, language=language
                ),
                "campaign": campaign,
                "progress": progress,
                "count": write_count(progress, language=language),
                "placement": placement,
                "language": language,
                "emblem": read_mark("emblem"),
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
        "counted": progress.counted,
        "target": progress.target,
        "percent": progress.percent,
        "pending": 0 if progress.is_final else progress.pending,
        "state": progress.state,
        "provisional": progress.is_provisional,
        "final": progress.is_final,
        "as_of": progress.as_of.isoformat(),
    }


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def read_banner(slug: str, placement: str, *, language: str) -> str:
    """The last good banner as it was published; nothing if there is none. Never raises."""
    known = dict(settings.LANGUAGES)
    wanted = language if language in known else settings.LANGUAGE_CODE
    # Only names that publishing gives: nothing that a page's template says leads out of the folder.
    if slug_re.match(slug) and placement in Banner.Placement.values:
        # A template's own literal is a SafeString, which pathlib will not take; its slice is plain.
        folder = settings.PUBLISH_DIR / slug[:] / wanted
        try:
            return (folder / f"{placement[:]}.html").read_text("utf-8")
        except (OSError, ValueError):
            pass
    log.warning("banner_missing", campaign=slug, placement=placement, language=wanted)
    return ""
