"""Drawings that stand inside a banner or the campaign's picture, and lines for a picture's text."""

import textwrap
from functools import cache
from pathlib import Path

from django.utils.safestring import SafeString, mark_safe

MARKS = Path(__file__).resolve().parent.parent / "static" / "campaigns" / "marks"
CARDS = ("visa", "mastercard", "amex")


@cache
def read_mark(name: str) -> SafeString:
    """One of our own drawings as SVG, to be set inside the page.

    An article stands on another server, under rules of its own: a picture that travels inside the
    banner is there wherever the banner is.
    """
    return mark_safe((MARKS / f"{name}.svg").read_text("utf-8").strip())  # noqa: S308 (our files)


def wrap_lines(text: str, *, width: int, most: int) -> list[str]:
    """The text in lines of at most so many letters, since SVG breaks none.

    As few lines as can be, of much the same length; what is too long ends in "…". Control
    characters go: a picture that holds one cannot be drawn.
    """
    clean = "".join(letter for letter in text if letter.isprintable() or letter.isspace())
    lines = textwrap.wrap(clean, width=width, max_lines=most, placeholder="…")
    for narrower in range(width - 1, width // 2, -1):
        balanced = textwrap.wrap(clean, width=narrower)
        if len(balanced) > len(lines):
            break
        lines = balanced
    return lines
