"""Drawings that a newsroom brings along as SVG: emblems and the logo.

They are placed inside our pages, and inside banners on other sites. So only shapes and their paint
are kept, and everything that could run, load or name something is refused or left out.
"""

import re
from collections.abc import Container, Iterator
from functools import cache, lru_cache
from pathlib import Path
from xml.etree import ElementTree

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

LONGEST = 20_000  # characters
DEEPEST = 50  # groups within groups
SHAPES = {"g", "path", "circle", "ellipse", "rect", "line", "polyline", "polygon"}
# Editors add these, and they draw nothing.
IGNORED = {"title", "desc", "metadata", "defs", "namedview"}
_NUMBERS = re.compile(r"(?:[-+.,%\s\deE]|px)+")
_PATH = re.compile(r"[-+.,\s\deEmMzZlLhHvVcCsSqQtTaA]+")
_TRANSFORM = re.compile(r"(?:\s*,?\s*[a-zA-Z]+\([-+.,\s\deE]+\))+\s*")
_PAINT = re.compile(r"none|currentColor|#[0-9a-fA-F]{3,8}|rgba?\([\d.,%\s]+\)|[a-zA-Z]{3,20}")
_WORD = re.compile(r"[a-z]{4,8}")
ATTRIBUTES = {
    **dict.fromkeys(("d",), _PATH),
    **dict.fromkeys(("transform",), _TRANSFORM),
    **dict.fromkeys(("fill", "stroke"), _PAINT),
    **dict.fromkeys(("fill-rule", "stroke-linecap", "stroke-linejoin"), _WORD),
    **dict.fromkeys(
        (
            *("cx", "cy", "r", "rx", "ry", "x", "y", "x1", "y1", "x2", "y2", "width", "height"),
            *("points", "opacity", "fill-opacity", "stroke-opacity", "stroke-width"),
            *("stroke-miterlimit", "stroke-dasharray", "stroke-dashoffset"),
        ),
        _NUMBERS,
    ),
}


_SIZE = ' width="48" height="48"'  # on pages, unless their styles say otherwise


class DrawingRefused(ValueError):
    """The text is not a drawing that can be shown; the message says why."""


def validate_drawing(svg: str) -> None:
    try:
        clean_drawing(svg)
    except DrawingRefused as error:
        raise ValidationError(str(error)) from None


@lru_cache(maxsize=100)
def clean_drawing(svg: str) -> SafeString:
    """Return the drawing as an inline SVG that only draws. Raises DrawingRefused."""
    if len(svg) > LONGEST:
        raise DrawingRefused(
            _("This drawing is too large. Simplify it to at most 20,000 characters.")
        )
    if "<!DOCTYPE" in svg.upper() or "<!ENTITY" in svg.upper():
        raise DrawingRefused(_("Remove the line that starts with <!DOCTYPE or <!ENTITY."))
    try:
        root = ElementTree.fromstring(svg.strip())  # noqa: S314 (no DTD, so no entities)
    except ElementTree.ParseError:
        raise DrawingRefused(_("This is not an SVG drawing.")) from None
    if _name_of(root) != "svg":
        raise DrawingRefused(_("This is not an SVG drawing."))
    shapes = "".join(_draw(child) for child in root)
    if not shapes:
        raise DrawingRefused(_("This drawing has no shapes."))
    box = _find_box(root)
    paint = _write_attributes(root, without={"width", "height", "x", "y"})
    return mark_safe(  # noqa: S308 (every part was checked above)
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"{_SIZE}'
        f'{paint} aria-hidden="true">{shapes}</svg>'
    )


def _name_of(element: "ElementTree.Element") -> str:
    return str(element.tag).rpartition("}")[2]


def _find_box(root: "ElementTree.Element") -> str:
    box = root.get("viewBox", "")
    if not box:
        width, height = (root.get(name, "").removesuffix("px") for name in ("width", "height"))
        box = f"0 0 {width} {height}"
    if not re.fullmatch(r"\s*(?:[-+]?[\d.]+[\s,]*){4}", box):
        raise DrawingRefused(_("This drawing has no viewBox."))
    return " ".join(box.replace(",", " ").split())


def _draw(element: "ElementTree.Element", *, depth: int = 0) -> str:
    name = _name_of(element)
    if depth > DEEPEST:
        raise DrawingRefused(_("This drawing has too many nested groups."))
    if name in IGNORED:
        return ""
    if name not in SHAPES:
        raise DrawingRefused(
            _(
                "This drawing contains “%(name)s”. Use only shapes: convert texts and effects to "
                "paths."
            )
            % {"name": name[:30]}
        )
    inside = "".join(_draw(child, depth=depth + 1) for child in element)
    return f"<{name}{_write_attributes(element)}>{inside}</{name}>"


def _write_attributes(element: "ElementTree.Element", *, without: Container[str] = ()) -> str:
    return "".join(
        f' {name}="{escape(value)}"' for name, value in _list_attributes(element, without)
    )


def _list_attributes(
    element: "ElementTree.Element", without: Container[str]
) -> Iterator[tuple[str, str]]:
    """Yield the attributes that draw, also those that are written as a style."""
    styled = {
        part.partition(":")[0].strip(): part.partition(":")[2].strip()
        for part in element.get("style", "").split(";")
    }
    for name, value in (dict(element.attrib) | styled).items():
        pattern = None if name in without else ATTRIBUTES.get(name)
        if pattern is not None and pattern.fullmatch(value):
            yield name, value
        elif pattern is not None:
            raise DrawingRefused(
                _("This drawing contains “%(value)s”. Use plain colours and numbers.")
                % {"value": value[:30]}
            )


def free_drawing(svg: str, *, ink: str) -> str:
    """Return a clean drawing for a file of its own: in its own size, with that current colour."""
    return svg.replace(_SIZE, f' color="{ink}"', 1)


def read_logo() -> SafeString:
    """Return the drawing that NEWSROOM_LOGO names; empty without one.

    Raises OSError and ValueError; a check reports them at the start.
    """
    return _read_drawing(settings.NEWSROOM_LOGO) if settings.NEWSROOM_LOGO else SafeString("")


@cache
def _read_drawing(path: str) -> SafeString:
    return clean_drawing(Path(path).read_text("utf-8"))
