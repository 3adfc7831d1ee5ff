"""Fonts of pictures, gift cards and receipts, and the characters that they can't draw.

The bundled fonts cover Latin, Greek, Cyrillic, Hebrew, Arabic and some others. FONT_DIR adds those
of the machine. A character that no font has would be an empty box, so it is left out.
"""

import struct
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import structlog
from django.conf import settings

log = structlog.get_logger(__name__)

BUNDLED = Path(__file__).resolve().parent / "static" / "campaigns" / "fonts"
ENDINGS = {".ttf", ".otf", ".ttc", ".otc"}
# Characters that only change their neighbours: joiners and variants of emoji.
_JOINERS = {"\N{ZERO WIDTH JOINER}", *map(chr, range(0xFE00, 0xFE10))}


def list_folders(text: str = "") -> list[Path]:
    """Return the folders of fonts that the text needs; without a text, all of them.

    Searching a machine's fonts takes long, so that is done only for what the bundled ones lack.
    """
    if text and not _find_missing(text, _list_characters(BUNDLED)):
        return [BUNDLED]
    return [BUNDLED, *([settings.FONT_DIR] if settings.FONT_DIR.is_dir() else [])]


def list_missing(text: str) -> str:
    """Return the characters of the text that no font can draw, each once."""
    missing = _find_missing(text, _list_characters(BUNDLED))
    if missing and settings.FONT_DIR.is_dir():
        missing = _find_missing(
            text, _list_characters(BUNDLED) | _list_characters(settings.FONT_DIR)
        )
    return "".join(sorted(missing))


def drop_missing(text: str) -> str:
    """Return the text without the characters that no font can draw, and without their marks."""
    missing = {*list_missing(text)}
    if not missing:
        return text
    kept = []
    is_dropped = False  # the last character that is no mark
    for letter in text:
        if not unicodedata.category(letter).startswith("M"):
            is_dropped = letter in missing
        if not is_dropped and letter not in missing | _JOINERS:
            kept.append(letter)
    return "\n".join(" ".join(line.split()) for line in "".join(kept).split("\n"))


def _find_missing(text: str, known: frozenset[int]) -> set[str]:
    return {
        letter
        for letter in text
        if ord(letter) not in known
        and letter not in _JOINERS
        and unicodedata.category(letter) not in {"Cc", "Cf", "Zs"}
    }


@cache
def _list_characters(folder: Path) -> frozenset[int]:
    """Return the code points that a folder's fonts can draw."""
    found: set[int] = set()
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in ENDINGS:
            try:
                found.update(_read_characters(path.read_bytes()))
            except (OSError, struct.error, IndexError) as error:
                log.warning("font_unreadable", font=path.name, error=type(error).__name__)
    return frozenset(found)


def _read_characters(font: bytes) -> Iterator[int]:
    """Yield the code points in the `cmap` table of a TrueType or OpenType font.

    Source: https://learn.microsoft.com/typography/opentype/spec/cmap
    """
    start = struct.unpack_from(">I", font, 12)[0] if font[:4] == b"ttcf" else 0
    for record in range(struct.unpack_from(">H", font, start + 4)[0]):
        tag, _, table, _ = struct.unpack_from(">4sIII", font, start + 12 + 16 * record)
        if tag == b"cmap":
            for entry in range(struct.unpack_from(">H", font, table + 2)[0]):
                offset = struct.unpack_from(">HHI", font, table + 4 + 8 * entry)[2]
                yield from _read_subtable(font, table + offset)


def _read_subtable(font: bytes, at: int) -> Iterator[int]:
    kind = struct.unpack_from(">H", font, at)[0]
    if kind == 4:
        size = struct.unpack_from(">H", font, at + 6)[0]
        ends = struct.unpack_from(f">{size // 2}H", font, at + 14)
        starts = struct.unpack_from(f">{size // 2}H", font, at + 16 + size)
        for first, last in zip(starts, ends, strict=True):
            yield from range(first, min(last, 0xFFFE) + 1)
    elif kind == 12:
        for group in range(struct.unpack_from(">I", font, at + 12)[0]):
            first, last = struct.unpack_from(">II", font, at + 16 + 12 * group)
            yield from range(first, min(last, 0x10FFFF) + 1)
