"""Inline drawings for banners and the campaign's picture, and line breaks for its text."""

import textwrap
from functools import cache
from pathlib import Path

from django.utils.safestring import SafeString, mark_safe

MARKS = Path(__file__).resolve().parent.parent / "static" / "campaigns" / "marks"
CARDS = ("visa", "mastercard", "amex")


@cache
def read_mark(name: str) -> SafeString:
    """Return one of our drawings as SVG, to be placed inline.

    Articles are on another server with its own rules, so a banner brings its pictures along.
    """
    return mark_safe((MARKS / f"{name}.svg").read_text("utf-8").strip())  # noqa: S308 (our files)


def wrap_lines(text: str, *, width: int, most: int) -> list[str]:
    """Return the text in at most `most` lines of at most `width` characters: SVG has no wrapping.

    Uses as few lines as possible, of similar length. Text that is too long ends in "…". Control
    characters are removed because SVG doesn't allow them.
    """
    clean = "".join(letter for letter in text if letter.isprintable() or letter.isspace())
    lines = textwrap.wrap(clean, width=width, max_lines=most, placeholder="…")
    for narrower in range(width - 1, width // 2, -1):
        balanced = textwrap.wrap(clean, width=narrower)
        if len(balanced) > len(lines):
            break
        lines = balanced
    return lines
