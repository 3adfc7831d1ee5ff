"""oEmbed: other sites ask how to embed a campaign page. Source: https://oembed.com, version 1.0.

The answer is made from a published file, so it needs no database.
"""

import json
import re
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from campaigns.banners.files import FRAME, OEMBED, read_file

PLACEMENT = "inline"
# The size of the frame in px, unless the other site has less room.
WIDTH, HEIGHT = 640, 420
_PATH = re.compile(r"/campaign/([-a-zA-Z0-9_]{1,50})/(?:([-a-zA-Z0-9_]{1,8})/)?")


@require_safe
@cache_control(public=True, max_age=300)
def describe_page(request: HttpRequest) -> HttpResponse:
    """Describe the frame of a campaign page, as JSON or XML.

    The answer is 404 if the address is no published campaign page, and 501 for other formats.
    """
    wanted = request.GET.get("format", "json")
    if wanted not in {"json", "xml"}:
        return _refuse("Use format=json or format=xml.", status=501)
    found = _find_page(request.GET.get("url", ""))
    if found is None:
        return _refuse("There is no campaign page at this address.", status=404)
    slug, language, about = found
    room = (request.GET.get("maxwidth", ""), request.GET.get("maxheight", ""))
    width, height = _fit((WIDTH, HEIGHT), room=room)
    picture = (int(about["thumbnail_width"]), int(about["thumbnail_height"]))
    if _fit(picture, room=room) != picture:
        about = {name: fact for name, fact in about.items() if not name.startswith("thumbnail")}
    answer = {
        "version": "1.0",
        "type": "rich",
        **about,
        "cache_age": 300,
        "width": width,
        "height": height,
        "html": _write_html(slug, language, str(about["title"]), height=height),
    }
    if wanted == "xml":
        response = HttpResponse(_write_xml(answer), content_type="text/xml; charset=utf-8")
    else:
        response = HttpResponse(json.dumps(answer), content_type="application/json")
    response["Access-Control-Allow-Origin"] = "*"
    return response


def _refuse(words: str, *, status: int) -> HttpResponse:
    return HttpResponse(words, status=status, content_type="text/plain; charset=utf-8")


def _find_page(url: str) -> tuple[str, str, dict[str, Any]] | None:
    """Return slug, language and description of the campaign page at this address, if it is ours."""
    try:
        parts, site = urlsplit(url), urlsplit(settings.SITE_URL)
    except ValueError:  # for example half an IPv6 address
        return None
    if parts.scheme not in {"http", "https"} or parts.netloc.lower() != site.netloc.lower():
        return None
    matched = _PATH.fullmatch(parts.path)
    if matched is None:
        return None
    slug, language = matched[1], matched[2] or settings.LANGUAGE_CODE
    if language not in dict(settings.LANGUAGES):
        return None
    file = read_file(slug, f"{language}/{OEMBED}")
    return None if file is None else (slug, language, json.loads(file.bodies[""]))


def _fit(size: tuple[int, int], *, room: tuple[str, str]) -> tuple[int, int]:
    """Return width and height in px, reduced to the room that the other site has."""
    width, height = (
        max(min(int(typed), usual), 1) if re.fullmatch("[0-9]{1,5}", typed) else usual
        for typed, usual in zip(room, size, strict=True)
    )
    return width, height


def _write_html(slug: str, language: str, title: str, *, height: int) -> str:
    """Return a link, and the frame that hides it once it has loaded, as WordPress expects it.

    The frame is as wide as its column: WordPress asks for 500 px, which is too much for a phone.
    Its policy tells it the article's address, which its links name, instead of the site alone.
    """
    folder = f"{settings.SITE_URL}/campaign/{slug}/{language}/"
    return format_html(
        '<blockquote><a href="{}">{}</a></blockquote>'
        '<iframe src="{}{}{}" width="100%" height="{}" title="{}" frameborder="0"'
        ' referrerpolicy="no-referrer-when-downgrade"></iframe>',
        f"{folder}?from={PLACEMENT}",
        title,
        folder,
        PLACEMENT,
        FRAME,
        height,
        title,
    )


def _write_xml(answer: dict[str, object]) -> bytes:
    root = ElementTree.Element("oembed")
    for name, value in answer.items():
        ElementTree.SubElement(root, name).text = str(value)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))
