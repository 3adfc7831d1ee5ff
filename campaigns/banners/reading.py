"""Reading of a published banner for an article, without the database."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

import structlog
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.validators import slug_re
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from campaigns.banners.files import SIGN_UPS, name_banner, read_file
from campaigns.banners.placements import EMBEDDED

log = structlog.get_logger(__name__)

LONGEST = 200  # characters of a value in a link
_FROM = re.compile(r"\?from=[a-z]+")
_PUBLISHED_AT = re.compile(r'data-published="([^"]+)"')


def read_banner(slug: str, placement: str, *, language: str, for_member: bool = False) -> str:
    """Return the last published banner, or an empty string if there is none. Never raises.

    If the file is older than BANNER_MAX_AGE_MINUTES, return the banner without the number. For a
    member, return thanks, which have no number.
    """
    known = dict(settings.LANGUAGES)
    wanted = language if language in known else settings.LANGUAGE_CODE
    html = _read(slug, placement, wanted, for_member=for_member)
    if html is None:
        log.warning("banner_missing", campaign=slug, placement=placement, language=wanted)
        return ""
    if not for_member and is_too_old(html):
        log.warning("banner_too_old", campaign=slug, placement=placement, language=wanted)
        return _read(slug, placement, wanted, with_number=False) or ""
    return html


def _read(
    slug: str, placement: str, language: str, *, with_number: bool = True, for_member: bool = False
) -> str | None:
    # Accept only names that publishing writes, so that no argument leads out of the folder.
    if not slug_re.match(slug) or placement not in EMBEDDED:
        return None
    # A literal in a template is a SafeString; a slice of it is a plain string.
    name = name_banner(placement[:], with_number=with_number, for_member=for_member)
    file = read_file(slug[:], f"{language}/{name}")
    try:
        return None if file is None else file.bodies[""].decode()
    except UnicodeDecodeError:
        return None


def read_sign_up(slug: str, placement: str, *, language: str) -> str:
    """Return a published newsletter sign-up, or an empty string if there is none. Never raises."""
    wanted = language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    if not slug_re.match(slug) or placement not in SIGN_UPS:
        return ""
    file = read_file(slug[:], f"{wanted}/{placement[:]}.html")
    try:
        return "" if file is None else file.bodies[""].decode()
    except UnicodeDecodeError:
        return ""


def is_too_old(html: str) -> bool:
    """Return whether a banner's number is older than the limit. Final counts don't grow old."""
    found = _PUBLISHED_AT.search(html, 0, 500)
    if found is None:
        return False
    limit = timedelta(minutes=settings.BANNER_MAX_AGE_MINUTES)
    return timezone.now() - datetime.fromisoformat(found[1]) > limit


def find_article(request: HttpRequest, *, title: str) -> dict[str, str]:
    """Return what the links of a banner say about its article: address, title, UTM parameters."""
    try:
        found = {"page": request.build_absolute_uri(request.path)}
    except SuspiciousOperation:  # a host that isn't ours
        found = {}
    utm = {name: value for name, value in request.GET.items() if name.startswith("utm_")}
    found |= {"title": title} | {name: str(value) for name, value in utm.items()}
    return {name: value[:LONGEST] for name, value in found.items() if value}


def place_banner(
    html: str, *, article: Mapping[str, str], nonce: str = "", scheme: str = "auto"
) -> SafeString:
    """Return a published banner for one article: its links, and the nonce of the page's policy."""
    if article:
        query = escape("&" + urlencode(article))
        html = _FROM.sub(lambda found: found[0] + query, html)
    if nonce:
        html = html.replace("<style>", f'<style nonce="{escape(nonce)}">')
        html = html.replace("<script>", f'<script nonce="{escape(nonce)}">')
    if scheme in {"light", "dark"}:
        html = html.replace('data-scheme="auto"', f'data-scheme="{scheme}"')
    return mark_safe(html)  # noqa: S308 (made by our own templates, which escape)
