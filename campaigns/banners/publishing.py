"""Publishing of banners and counts: small files that any web server or CDN can serve.

A file is replaced as a whole or not at all. An error leaves the last good file, so readers see a
banner even while this application is down.
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
from campaigns.banners.placements import PLACEMENTS
from campaigns.banners.texts import choose_text, write_count
from campaigns.models import Campaign, PublishedNumber
from campaigns.progress import Progress, measure_campaign

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)
OLDEST = timedelta(seconds=60)  # published at least this often, to keep the as-of time fresh


def request_publishing(campaign_id: int) -> None:
    """Make the campaign's banners due.

    Call it after the commit: inside a transaction it would lock the row that every settlement of
    this campaign updates.
    """
    now = timezone.now()
    later = Q(publish_at__isnull=True) | Q(publish_at__gt=now)
    Campaign.objects.filter(later, pk=campaign_id).update(publish_at=now)


def list_campaigns_to_publish(*, at: datetime) -> list[Campaign]:
    """Return the campaigns whose count changed or whose files are too old."""
    due = Q(publish_at__lte=at) | Q(published_at__isnull=True) | Q(published_at__lte=at - OLDEST)
    return list(Campaign.objects.filter(due, goals__is_primary=True).distinct())


def publish_campaign(campaign_id: int) -> Progress | None:
    """Write every placement in every language and return the published progress.

    Returns None if another process holds the lease, if a recount is under way, or if the campaign
    has no primary goal. Only the holder of the lease writes, so an older count never replaces a
    newer one. During a recount readers keep the last published count, not half of the new one.
    """
    now = timezone.now()
    lease = now + LEASE
    free = Q(publish_lease_until__isnull=True) | Q(publish_lease_until__lte=now)
    # Due again when the lease ends, in case this process dies before it writes the files.
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
        # Keep it due if another settlement requested publishing in the meantime.
        Campaign.objects.filter(pk=campaign_id, publish_at=lease).update(publish_at=None)
        return measured[0]
    except Exception:
        request_publishing(campaign_id)  # retry soon, not only after OLDEST
        raise
    finally:
        Campaign.objects.filter(pk=campaign_id, publish_lease_until=lease).update(
            publish_lease_until=None
        )


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


def _write_files(campaign: Campaign, measured: list[Progress]) -> None:
    # Render everything before writing anything: an error in one file leaves all of them unchanged.
    folder = settings.PUBLISH_DIR / campaign.slug
    files = {
        folder / language / f"{placement}.html": render_banner(
            campaign, measured[0], placement=placement, language=language
        )
        for language, _name in settings.LANGUAGES
        for placement in PLACEMENTS
    }
    files[folder / "progress.json"] = json.dumps([_as_json(goal) for goal in measured])
    for path, text in files.items():
        _replace(path, text)


def render_banner(campaign: Campaign, progress: Progress, *, placement: str, language: str) -> str:
    """Return one placement as an HTML fragment, in that language and the campaign's time zone.

    The fragment is the same for every reader and works on any server: URLs are absolute, drawings
    are inline, and it loads no style, script or cookie.
    """
    copy = campaign.copy_for(language)
    here = {"slug": campaign.slug}
    origin = f"?from={placement}"
    with override(language), timezone.override(campaign.zone_info):
        return render_to_string(
            PLACEMENTS[placement].template,
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
    """Return the last published banner, or an empty string if there is none. Never raises."""
    known = dict(settings.LANGUAGES)
    wanted = language if language in known else settings.LANGUAGE_CODE
    # Accept only names that publishing writes, so that no argument leads out of the folder.
    if slug_re.match(slug) and placement in PLACEMENTS:
        # A literal in a template is a SafeString, which pathlib rejects; a slice of it is a str.
        folder = settings.PUBLISH_DIR / slug[:] / wanted
        try:
            return (folder / f"{placement[:]}.html").read_text("utf-8")
        except (OSError, ValueError):
            pass
    log.warning("banner_missing", campaign=slug, placement=placement, language=wanted)
    return ""
