"""Origins: the banner, the article and the link that brought a reader. Pure functions.

Everything here comes from an address or a header, so anybody can invent it. A value is cut, cleaned
or dropped, and never an error. None of it may name a reader: texts with an e-mail address are
dropped, and an address of an article keeps only the parameters that identify an article.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import idna

from campaigns.people import clean_name

# The longest values that are kept, in characters.
LENGTHS = {
    "placement": 32,
    "page_url": 800,
    "page_title": 200,
    "referrer": 100,
    "utm_source": 100,
    "utm_medium": 100,
    "utm_campaign": 100,
    "utm_content": 100,
    "friend": 16,
}
# The parameters of a link to a form. `read_query` reads what `Origin.query` writes.
_PARAMETERS = {"from": "placement", "page": "page_url", "title": "page_title"}
PARAMETERS = _PARAMETERS | {name: name for name in LENGTHS if name not in _PARAMETERS.values()}

# Content management systems that have no readable addresses identify an article by one of these.
_IDENTIFYING = {"id", "p", "page_id", "article", "article_id", "story", "news"}
_MOST_PARAMETERS = 100
_MEANINGLESS_COUNTRIES = {"XX", "ZZ"}  # content delivery networks write them for "unknown"
_SLUG = re.compile(r"[A-Za-z0-9_-]+")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_EMAIL = re.compile(r"[^\s/@]+(@|%40)[^\s/@]+\.\w", re.IGNORECASE)
_ESCAPE = re.compile(r"%[0-9a-f]{2}")


@dataclass(frozen=True)
class Origin:
    """The origin of a sale. Empty values are unknown; without a placement it is a direct sale."""

    placement: str = ""
    page_url: str = ""
    page_title: str = ""
    referrer: str = ""  # the host of the page with the link to us
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    utm_content: str = ""
    friend: str = ""  # the code of the member who shared the link
    device: str = ""  # "phone" or "desk"
    country: str = ""  # two letters

    @property
    def query(self) -> str:
        """The query string that carries it through links and forms.

        Without device and country, which every request tells by itself.
        """
        values = ((parameter, getattr(self, name)) for parameter, name in PARAMETERS.items())
        return urlencode([(parameter, value) for parameter, value in values if value])


def read_query(query: str) -> Origin:
    """Return the origin in a query string, as far as its values are usable."""
    try:
        return read_parameters(dict(parse_qsl(query, max_num_fields=_MOST_PARAMETERS)))
    except ValueError:
        return Origin()


def read_parameters(given: Mapping[str, str]) -> Origin:
    """Return the origin in a link's parameters, as far as its values are usable."""
    page_url = clean_page(given.get("page", ""))
    return Origin(
        placement=clean_placement(given.get("from", "")),
        page_url=page_url,
        page_title=_clean_text(given.get("title", ""), "page_title") if page_url else "",
        referrer=clean_host(given.get("referrer", "")),
        friend=_clean_code(given.get("friend", "")),
        # One spelling, so that "Facebook" and "facebook" are one source.
        **{
            name: _clean_text(given.get(name, ""), name).lower()
            for name in LENGTHS
            if name.startswith("utm_")
        },
    )


def clean_placement(name: str) -> str:
    """Return the name of a placement; empty if it has other characters than a placement has."""
    is_usable = len(name) <= LENGTHS["placement"] and _SLUG.fullmatch(name)
    return name if is_usable else ""


def _clean_code(code: str) -> str:
    is_usable = len(code) <= LENGTHS["friend"] and _SLUG.fullmatch(code)
    return code if is_usable else ""


def clean_page(address: str) -> str:
    """Return the address of an article in one spelling; empty if it isn't a web address.

    Credentials, fragments and parameters are dropped, except those that identify the article. An
    address that is too long, or that contains an e-mail address, is cut to its site.
    """
    try:
        parts = urlsplit(address.strip())
        host, port = _clean_host(parts.hostname or ""), parts.port
        query = parse_qsl(parts.query, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not host:
        return ""
    site = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    kept = [
        (name, value)
        for name, value in query
        if name in _IDENTIFYING and len(value) <= 64 and _SLUG.fullmatch(value)
    ]
    path = quote(_visible(parts.path), safe="/%:@!$&'()*+,;=~-._") or "/"
    path = _ESCAPE.sub(lambda escape: escape[0].upper(), path)
    page = site + path + (f"?{urlencode(kept)}" if kept else "")
    is_usable = len(page) <= LENGTHS["page_url"] and not _EMAIL.search(path)
    page = page if is_usable else f"{site}/"
    return page if len(page) <= LENGTHS["page_url"] else ""


def find_host(address: str) -> str:
    """Return the host of a web address without "www."; empty if it has none."""
    try:
        parts = urlsplit(address)
        is_web = parts.scheme in {"http", "https"}
        return clean_host(parts.hostname or "") if is_web else ""
    except ValueError:
        return ""


def clean_host(host: str) -> str:
    """Return a host in one spelling, without "www."; empty if it isn't one or is too long."""
    try:
        cleaned = _clean_host(host).removeprefix("www.")
    except ValueError:
        return ""
    return cleaned if len(cleaned) <= LENGTHS["referrer"] else ""


def find_device(user_agent: str) -> str:
    """Return "phone" or "desk"; nothing else of the browser is kept."""
    if not user_agent:
        return ""
    return "phone" if "Mobi" in user_agent else "desk"


def clean_country(code: str) -> str:
    """Return a country's two letters; empty if the code says that it is unknown."""
    country = code.strip().upper()
    is_code = len(country) == 2 and country.isascii() and country.isalpha()
    return country if is_code and country not in _MEANINGLESS_COUNTRIES else ""


def _clean_host(host: str) -> str:
    """Return a host in ASCII, or nothing; raises ValueError."""
    if not host.isascii():
        host = idna.encode(host, uts46=True).decode()
    host = host.lower()
    return host if _HOST.fullmatch(host) else ""


def _clean_text(text: str, name: str) -> str:
    """Return a text on one line, cut to the length of its column; empty if it names someone."""
    if _EMAIL.search(text):
        return ""
    return " ".join(_visible(text[: 4 * LENGTHS[name]]).split())[: LENGTHS[name]].strip()


def _visible(text: str) -> str:
    """Return the text without control, private and unassigned characters."""
    kept = "".join(
        letter if unicodedata.category(letter) not in {"Cc", "Cs", "Co", "Cn"} else " "
        for letter in text
    )
    return clean_name(kept)
