"""A list of recipients, pasted or uploaded, becomes rows: name, e-mail, message. Pure."""

import codecs
import csv
import io
import re
from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

COLUMNS = ("recipient_name", "recipient_email", "message")
LARGEST = 200_000  # bytes
Row = dict[str, str]

# Headings, as people and their address books write them; case and apostrophes do not matter.
_HEADINGS = {
    **dict.fromkeys(
        (
            *("name", "full name", "recipient", "recipient name", "recipients name", "to"),
            *("імя", "імя та прізвище", "прізвище та імя", "піб", "одержувач", "отримувач"),
            *("імя одержувача", "імя отримувача", "кому"),
        ),
        "recipient_name",
    ),
    **dict.fromkeys(
        (
            *("email", "mail", "address", "email address", "recipient email", "recipients email"),
            *("пошта", "електронна пошта", "ел пошта", "адреса", "електронна адреса", "емейл"),
            *("імейл", "email адреса", "адреса email"),
        ),
        "recipient_email",
    ),
    **dict.fromkeys(
        (
            *("message", "note", "text", "greeting", "wish", "your message"),
            *("повідомлення", "вітання", "побажання", "текст", "лист", "ваше повідомлення"),
        ),
        "message",
    ),
}
_ADDRESS = re.compile(r"[^\s,;\"@]+@[^\s,;\"@]+")
_NOT_IN_HEADINGS = re.compile(r"[’'ʼ`.\-_‐*]")


class UnreadableList(Exception):
    """The list can not be read; says why, and what to do."""

    def __init__(self, text: "str | Promise") -> None:
        super().__init__(text)
        self.text = text


def decode_list(content: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 that says so."""
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise UnreadableList(
            _("This is a spreadsheet. Please open it and save it as “CSV UTF-8”, then choose that.")
        )
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableList(
            _("We cannot read the letters in this file. Please save it as “CSV UTF-8”.")
        ) from error


def read_list(text: str, *, most: int) -> list[Row]:
    """The rows of a list; raises UnreadableList."""
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise UnreadableList(
            _("There are characters in this list that no text has. Please save it as “CSV UTF-8”.")
        )
    if not text.strip():
        raise UnreadableList(_("This list is empty."))
    lines = _pick_delimiter(text)
    columns: tuple[str, ...] = COLUMNS
    if (headings := _read_headings(lines[0][1])) is not None:
        columns, lines = headings, lines[1:]
    if not lines:
        raise UnreadableList(_("There is nobody in this list below its headings."))
    if len(lines) > most:
        raise UnreadableList(
            format_lazy(
                _("There are {number} rows in this list. At most {most} gifts fit one payment."),
                number=len(lines),
                most=most,
            )
        )
    for number, cells in lines:
        if len(cells) > len(columns):
            raise UnreadableList(
                format_lazy(
                    _(
                        "Line {line} has {number} columns. Each line has a name, an e-mail and a "
                        "message; one in which a comma stands needs quotation marks around it."
                    ),
                    line=number,
                    number=len(cells),
                )
            )
    empty = dict.fromkeys(COLUMNS, "")
    return [empty | dict(zip(columns, cells, strict=False)) for _number, cells in lines]


def _pick_delimiter(text: str) -> list[tuple[int, list[str]]]:
    """The lines, parted by what makes the most sense of them: headings, then addresses."""
    best: list[tuple[int, list[str]]] = []
    best_sense: tuple[bool, int, int] | None = None
    failure: csv.Error | None = None
    for delimiter in ",;\t":
        try:
            lines = _part(text, delimiter)
        except csv.Error as error:
            failure = error
            continue
        sense = _make_sense(cells for _number, cells in lines)
        if best_sense is None or sense > best_sense:
            best, best_sense = lines, sense
    # Where only another delimiter than the one that fails makes a single column, it was that one.
    if best_sense is None or (failure and best_sense == (False, 0, 0)):
        raise UnreadableList(
            _("A quotation mark in this list is opened and not closed, or closed too early.")
        ) from failure
    return best


def _part(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """The cells of each line that is not empty, with the number of the line."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    lines = []
    begins = 1
    for written in reader:
        cells = [cell.strip() for cell in written]
        while cells and not cells[-1]:  # a spreadsheet writes its empty columns, too
            cells.pop()
        if cells:
            lines.append((begins, cells))
        begins = reader.line_num + 1
    return lines


def _make_sense(lines: Iterable[list[str]]) -> tuple[bool, int, int]:
    rows = list(lines)
    addresses = sum(
        len(cells) > 1 and "@" not in cells[0] and bool(_ADDRESS.fullmatch(cells[1]))
        for cells in rows
    )
    fitting = sum(1 < len(cells) <= len(COLUMNS) for cells in rows)
    return (bool(rows) and _read_headings(rows[0]) is not None, addresses, fitting)


def _read_headings(cells: list[str]) -> tuple[str, ...] | None:
    """The order of the columns by the first line, if that is one of headings."""
    named = [_HEADINGS.get(_NOT_IN_HEADINGS.sub("", cell).casefold().strip()) for cell in cells]
    columns = tuple(name for name in named if name)
    if len(columns) != len(named) or len(set(columns)) != len(columns):
        return None
    return columns if "recipient_name" in columns else None
