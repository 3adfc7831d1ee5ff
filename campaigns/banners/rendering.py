"""The forms of a banner: HTML fragment, data of the web component, and page of an iframe.

All are made from one `BannerContent` and one template for each placement.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import override

from campaigns.banners.assets import (
    FRAME_STYLE,
    hash_source,
    read_closing_script,
    read_frame_script,
)
from campaigns.banners.contents import BannerContent, describe_banner, thank_member
from campaigns.banners.placements import PLACEMENTS
from campaigns.models import Campaign
from campaigns.progress import Progress

HIDDEN_STYLE = ":host{display:none!important}"
VERSION = 1  # of the component's data; the component ignores all others
_BETWEEN_LINES = re.compile(r"[ \t]*\n\s*")
# HTML has no capitals in names; this one of SVG has.
_CAPITALS = {"viewbox": "viewBox"}
_VOID = {"br", "wbr"}


@dataclass(frozen=True)
class BannerForms:
    """One placement in one language, ready to be published."""

    fragment: str
    fragment_without_number: str
    fragment_for_member: str
    data: str
    frame: str


def render_forms(
    campaign: Campaign,
    progress: Progress,
    *,
    placement: str,
    language: str,
    published_at: datetime | None,
) -> BannerForms:
    """Render every form of a banner."""

    banner, old = (
        describe_banner(
            campaign,
            progress,
            placement=placement,
            language=language,
            with_number=with_number,
            published_at=published_at,
        )
        for with_number in (True, False)
    )
    html, old_html = render_content(banner), render_content(old)
    fragment = wrap_fragment(banner, html)
    thanks = thank_member(banner) if settings.BANNER_FOR_MEMBERS == "THANKS" else None
    thanks_html = render_content(thanks) if thanks else SafeString("")
    return BannerForms(
        fragment=fragment,
        fragment_without_number=wrap_fragment(old, old_html),
        fragment_for_member=wrap_fragment(thanks, thanks_html) if thanks else "",
        data=write_data(
            {"banner": html, "without_number": old_html, "for_member": thanks_html},
            banner=banner,
        ),
        frame=wrap_frame(banner, fragment, old_html),
    )


def render_empty_forms() -> BannerForms:
    """Return the forms of a hidden banner."""
    return BannerForms("", "", "", write_data({}), wrap_frame(None, SafeString(""), SafeString("")))


def render_banner(
    campaign: Campaign,
    progress: Progress,
    *,
    placement: str,
    language: str,
    with_number: bool = True,
    published_at: datetime | None = None,
) -> SafeString:
    """Return one placement as an HTML fragment, in that language and the campaign's time zone.

    It is the same for every reader and works on any server: URLs are absolute, and styles, script
    and drawings are inside. Its shadow root keeps the rules of the page out.
    """
    banner = describe_banner(
        campaign,
        progress,
        placement=placement,
        language=language,
        with_number=with_number,
        published_at=published_at,
    )
    return wrap_fragment(banner, render_content(banner))


def render_content(banner: BannerContent) -> SafeString:
    """Return the HTML inside a banner's shadow root."""
    with override(banner.language):
        html = render_to_string(PLACEMENTS[banner.placement].template, {"banner": banner})
    return squeeze(html)


def write_fragment_style(banner: BannerContent) -> SafeString:
    """Return the style of a banner that is drawn before its script runs.

    Until then the button that hides it is invisible. Its room is kept, so that nothing moves.
    """
    rule = (
        ".campaign-hide[hidden]{display:inline!important;visibility:hidden}"
        if banner.hide_days
        else ""
    )
    return mark_safe(f"{banner.style}{rule}")  # noqa: S308 (ours)


def wrap_fragment(banner: BannerContent, html: SafeString) -> SafeString:
    """Return the content with its shadow root, its style, and the script that hides it."""
    context = {"style": write_fragment_style(banner), "script": read_closing_script(), "html": html}
    fragment = render_to_string("campaigns/embed/fragment.html", {"banner": banner} | context)
    return squeeze(fragment)


def render_missing_frame(address: str) -> str:
    """Return an empty page for an iframe that names no published banner; its console says so."""
    nothing = SafeString("")
    return wrap_frame(None, nothing, nothing, title=f"There is no campaign banner at {address}")


def wrap_frame(
    banner: BannerContent | None,
    fragment: SafeString,
    html_without_number: SafeString,
    *,
    title: str = "",
) -> str:
    """Return a page for an iframe. Its policy allows exactly its own styles and scripts."""
    script = read_frame_script()
    own_styles = [FRAME_STYLE, *([write_fragment_style(banner)] if banner else [])]
    styles = " ".join(map(hash_source, own_styles))
    scripts = " ".join(map(hash_source, (script, read_closing_script())))
    policy = f"default-src 'none'; style-src {styles}; script-src {scripts}"
    framed = fragment.replace("<campaign-banner", "<campaign-banner data-framed", 1)
    context = {
        "title": banner.label if banner else title,
        "language": banner.language if banner else settings.LANGUAGE_CODE,
        "policy": mark_safe(policy),  # noqa: S308 (hashes)
        "page_style": FRAME_STYLE,
        "fragment": mark_safe(framed),  # noqa: S308 (as it was)
        "html_without_number": html_without_number,
        "max_age": settings.BANNER_MAX_AGE_MINUTES * 60,
        "script": script,
    }
    return render_to_string("campaigns/embed/frame.html", context)


def write_data(htmls: Mapping[str, SafeString], *, banner: BannerContent | None = None) -> str:
    """Return the data of the web component. Without HTML, it shows nothing.

    An element is `[tag, {attributes}, child, ...]`; a text is a string. The component builds them
    without parsing HTML, because the policies of some pages forbid that.
    """
    published_at = banner.published_at if banner else None
    data = {
        "version": VERSION,
        "published_at": published_at.isoformat() if published_at else None,
        "max_age": settings.BANNER_MAX_AGE_MINUTES * 60,
        "style": banner.style if banner else HIDDEN_STYLE,
        **{name: build_tree(html) for name, html in htmls.items() if html},
    }
    return json.dumps(data, separators=(",", ":"))


def build_tree(html: str) -> list[Any]:
    """Return HTML of our own as nested lists."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    [tree] = builder.open[0][2:]
    return list(tree)


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[list[Any]] = [["", {}]]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = self._add(tag, attrs)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._add(tag, attrs)

    def _add(self, tag: str, attrs: list[tuple[str, str | None]]) -> list[Any]:
        named = {_CAPITALS.get(name, name): value or "" for name, value in attrs if name != "xmlns"}
        element: list[Any] = [tag, named]
        self.open[-1].append(element)
        return element

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].append(data)


def squeeze(html: str) -> SafeString:
    """Remove the line breaks and indentation of templates, which would be texts of their own."""
    lines = _BETWEEN_LINES.sub("\n", html.strip())
    joined = lines.replace("\n<", "<").replace(">\n", ">")
    return mark_safe(joined)  # noqa: S308 (as it was)
