"""Ghost as a whole: the tier to give, and rests after it failed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from campaigns.ghost import api
from campaigns.ghost.api import GhostDown, GhostRefused, GhostRefusesKey, GhostUnusable
from campaigns.models import GhostSite

log = structlog.get_logger(__name__)

_Trouble = GhostSite.Trouble
# After so many failures in a row Ghost rests, and staff are notified.
MANY_FAILURES = 3
_LONGEST_REST = timedelta(minutes=15)
_LONGEST_RETRY_AFTER = timedelta(hours=1)
# Tiers and newsletters are looked up again after this time.
_LOOKED_UP_FOR = timedelta(minutes=10)
_NOTED_EVERY = timedelta(seconds=30)


@dataclass(frozen=True)
class Offer:
    """The parts of a Ghost that we use: the tier's ID, and its newsletters' IDs by slug."""

    tier_id: str
    newsletters: dict[str, str]


def is_in_use() -> bool:
    return bool(settings.GHOST_URL)


def stop_resting() -> None:
    """Ask Ghost again at once: staff may have mended what was wrong."""
    GhostSite.objects.update(rests_until=None, looked_up_at=None)


def find_trouble() -> tuple[GhostSite.Trouble, str] | None:
    """Return what is wrong with Ghost as a whole, with details; None if nothing is."""
    site = GhostSite.read()
    trouble = _Trouble(site.trouble)
    is_short = trouble == _Trouble.DOWN and site.failures < MANY_FAILURES
    if not is_in_use() or trouble == _Trouble.NONE or is_short:
        return None
    return trouble, site.detail


def explain(error: Exception) -> str:
    """Return what is wrong in a sentence, for a command."""
    match error:
        case GhostRefusesKey():
            return (
                f"Ghost at {settings.GHOST_URL} refuses our key ({error}). Set GHOST_ADMIN_KEY to "
                "the Admin API key of a custom integration there."
            )
        case GhostUnusable():
            words = {
                _Trouble.TIER: "Set GHOST_TIER to the name of an active paid tier",
                _Trouble.STRIPE: "Connect Ghost to Stripe under Settings, Tiers",
            }
            return f"{words.get(error.trouble, error.trouble.label)} ({error})."
        case GhostDown():
            return f"Ghost at {settings.GHOST_URL} did not answer: {error}"
    return f"Ghost refused a request: {error}"


@contextmanager
def noting_trouble() -> Iterator[None]:
    """Note whether Ghost worked in the block; errors of Ghost as a whole are raised again."""
    try:
        yield
    except GhostDown as error:
        _note_failure(error)
        raise
    except GhostRefusesKey as error:
        _note_trouble(_Trouble.KEY, str(error))
        raise
    except GhostUnusable as error:
        _note_trouble(error.trouble, str(error))
        raise
    except GhostRefused:  # of one person: Ghost itself works
        _note_answer()
        raise
    else:
        _note_answer()


def _note_answer() -> None:
    """Note that Ghost works, in a row that all workers share: not each time."""
    now, site = timezone.now(), GhostSite.read()
    is_known = site.worked_at is not None and site.worked_at > now - _NOTED_EVERY
    if site.trouble or site.failures or site.rests_until or not is_known:
        GhostSite.write(
            trouble=_Trouble.NONE, detail="", failures=0, rests_until=None, worked_at=now
        )


def _note_failure(error: GhostDown) -> None:
    now = timezone.now()
    GhostSite.write(trouble=_Trouble.DOWN, detail=str(error)[:200])
    GhostSite.objects.update(failures=F("failures") + 1)
    failures = GhostSite.read().failures
    rest = timedelta(0)
    if error.retry_after is not None:
        rest = min(timedelta(seconds=error.retry_after), _LONGEST_RETRY_AFTER)
    if failures >= MANY_FAILURES:
        rest = max(rest, min(timedelta(seconds=5 * 2 ** min(failures, 12)), _LONGEST_REST))
    if rest:
        GhostSite.objects.update(rests_until=now + rest)
    log.warning("ghost_down", failures=failures, reason=str(error))


def _note_trouble(trouble: GhostSite.Trouble, detail: str) -> None:
    """Ask no more for a while: only staff can mend it."""
    rests_until = timezone.now() + _LONGEST_REST
    GhostSite.write(trouble=trouble, detail=detail[:200], failures=0, rests_until=rests_until)
    GhostSite.objects.update(looked_up_at=None)
    log.error("ghost_unusable", trouble=str(trouble))


def find_offer(*, at: datetime, needs_tier: bool = True) -> Offer:
    """Return what Ghost can give, asked at most every few minutes.

    Raises GhostUnusable, unless the tier isn't needed; then its ID is empty.
    """
    site = GhostSite.read()
    looked_up_for = f"{settings.GHOST_URL} {settings.GHOST_TIER}"[:300]
    is_known = site.looked_up_at is not None and site.looked_up_at > at - _LOOKED_UP_FOR
    if is_known and site.looked_up_for == looked_up_for and site.tier_id:
        return Offer(site.tier_id, site.newsletters)
    try:
        tier_id = _find_tier()
    except GhostUnusable:
        if needs_tier:
            raise
        tier_id = ""
    newsletters = {
        each["slug"]: each["id"]
        for each in api.list_newsletters()
        if each.get("status", "active") == "active"
    }
    GhostSite.write(
        tier_id=tier_id,
        newsletters=newsletters,
        looked_up_for=looked_up_for,
        looked_up_at=at,
    )
    return Offer(tier_id, newsletters)


def _find_tier() -> str:
    """Return the ID of the tier that GHOST_TIER names, or of the only one. Raises GhostUnusable."""
    paid = [each for each in api.list_tiers() if each.get("type") == "paid"]
    active = [each for each in paid if each.get("active")]
    wanted = settings.GHOST_TIER.casefold()
    if not wanted:
        if len(active) != 1:
            raise GhostUnusable(_Trouble.TIER, f"{len(active)} tiers")
        return str(active[0]["id"])
    for tiers, words in ((active, ""), (paid, "archived")):
        for each in tiers:
            if wanted in {each["slug"].casefold(), each["name"].casefold()}:
                if words:
                    raise GhostUnusable(_Trouble.TIER, f"{settings.GHOST_TIER}: {words}")
                return str(each["id"])
    raise GhostUnusable(_Trouble.TIER, f"{settings.GHOST_TIER}: unknown")
