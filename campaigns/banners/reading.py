"""Reading of a published banner for an article, without the database."""

import re
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.core.validators import slug_re
from django.utils import timezone

from campaigns.banners.files import name_banner, read_file
from campaigns.banners.placements import PLACEMENTS

log = structlog.get_logger(__name__)

_PUBLISHED_AT = re.compile(r'data-published="([^"]+)"')


def read_banner(slug: str, placement: str, *, language: str) -> str:
    """Return the last published banner, or an empty string if there is none. Never raises.

    If the file is older than BANNER_MAX_AGE_MINUTES, return the banner without the number.
    """
    known = dict(settings.LANGUAGES)
    wanted = language if language in known else settings.LANGUAGE_CODE
    html = _read(slug, placement, wanted, with_number=True)
    if html is None:
        log.warning("banner_missing", campaign=slug, placement=placement, language=wanted)
        return ""
    if is_too_old(html):
        log.warning("banner_too_old", campaign=slug, placement=placement, language=wanted)
        return _read(slug, placement, wanted, with_number=False) or ""
    return html


def _read(slug: str, placement: str, language: str, *, with_number: bool) -> str | None:
    # Accept only names that publishing writes, so that no argument leads out of the folder.
    if not slug_re.match(slug) or placement not in PLACEMENTS:
        return None
    # A literal in a template is a SafeString; a slice of it is a plain string.
    file = read_file(slug[:], f"{language}/{name_banner(placement[:], with_number=with_number)}")
    try:
        return None if file is None else file.bodies[""].decode()
    except UnicodeDecodeError:
        return None


def is_too_old(html: str) -> bool:
    """Return whether a banner's number is older than the limit. Final counts don't grow old."""
    found = _PUBLISHED_AT.search(html, 0, 500)
    if found is None:
        return False
    limit = timedelta(minutes=settings.BANNER_MAX_AGE_MINUTES)
    return timezone.now() - datetime.fromisoformat(found[1]) > limit
