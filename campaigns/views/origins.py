"""The origin of a reader who opens a form: from the link, or from the page that has the link."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from campaigns import origins
from campaigns.emails import links
from campaigns.origins import Origin

# The campaign's own page links to the forms. A reader led there by a banner came from it.
_CAMPAIGN_PAGE = "page"


def read_origin(request: HttpRequest) -> Origin:
    """Return where the reader came from, when they open a form.

    The link's parameters say so. Without an article among them, the Referer header names it, if the
    reader came from a banner or from the newspaper. From a page of ours, the parameters with which
    the reader opened that page go on.
    """
    given = {name: str(value) for name, value in request.GET.items() if value}
    referer = request.headers.get("Referer", "")
    if _is_ours(request, referer):
        carried = origins.read_query(urlsplit(referer).query)
        if carried.placement and given.get("from") == _CAMPAIGN_PAGE:
            del given["from"]
        return origins.read_parameters(dict(parse_qsl(carried.query)) | given)
    origin = origins.read_parameters(given)
    host = origins.find_host(referer)
    if not origin.referrer:
        origin = replace(origin, referrer=host)
    is_article = origin.placement or host == origins.find_host(links.find_newspaper_url())
    if is_article and not origin.page_url:
        origin = replace(origin, page_url=_read_article(referer))
    return origin


def describe_reader(request: HttpRequest, origin: Origin) -> Origin:
    """Return the origin with the reader's kind of device and country."""
    header = settings.COUNTRY_HEADER
    return replace(
        origin,
        device=origins.find_device(request.headers.get("User-Agent", "")),
        country=origins.clean_country(request.headers.get(header, "")) if header else "",
    )


def _is_ours(request: HttpRequest, referer: str) -> bool:
    """Return whether the page belongs to this application, and not to a newspaper on our host."""
    try:
        parts = urlsplit(referer)
        if parts.netloc not in {request.get_host(), urlsplit(settings.SITE_URL).netloc}:
            return False
        return "campaigns" in resolve(parts.path).app_names
    except (ValueError, Resolver404):
        return False


def _read_article(referer: str) -> str:
    """Return the article that the header names.

    Many newspapers let browsers name only their site, so a first page may be any article.
    """
    page = origins.clean_page(referer)
    return "" if urlsplit(page).path in {"", "/"} else page
