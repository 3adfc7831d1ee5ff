"""The newsroom's logo in e-mails. Mail programs show no SVG, so it is sent along as a PNG."""

import re
from email.mime.image import MIMEImage
from functools import lru_cache
from typing import NamedTuple

import resvg_py

from campaigns.models import Look
from campaigns.models.drawings import free_drawing

# CSS pixels, drawn at twice that size.
HIGH, WIDEST = 32, 280
CONTENT_ID = "logo"
_BOX = re.compile(r'viewBox="\S+ \S+ (\S+) (\S+)"')


class Logo(NamedTuple):
    width: int
    height: int
    picture: MIMEImage


def draw_logo(look: Look) -> Logo | None:
    """Return the logo on the newsroom's own paper, which keeps it visible in dark mail programs.

    None without a logo, or if it has no size.
    """
    svg, colours = look.shown_logo, look.light
    found = _BOX.search(svg)
    if found is None or min(wide := float(found[1]), high := float(found[2])) <= 0:
        return None
    scale = min(HIGH / high, WIDEST / wide)
    width, height = round(wide * scale), round(high * scale)
    if not width or not height:
        return None
    drawn = free_drawing(svg, ink=colours.ink)
    picture = MIMEImage(_draw(drawn, 2 * width, 2 * height, colours.paper), "png")
    picture.add_header("Content-ID", f"<{CONTENT_ID}>")
    picture.add_header("Content-Disposition", "inline", filename=f"{CONTENT_ID}.png")
    return Logo(width, height, picture)


@lru_cache(maxsize=4)
def _draw(svg: str, width: int, height: int, paper: str) -> bytes:
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg, width=width, height=height, background=paper, skip_system_fonts=True
        )
    )
