"""Lists of recipients: pasted or uploaded text becomes rows of name, e-mail and message."""

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

# Column headings that people and address books use, without case and apostrophes.
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
_BETWEEN_MAILBOXES = re.compile(r"[;\n]|(?<=>)\s*,")
_NOT_IN_HEADINGS = re.compile(r"[’'ʼ`.\-_‐*]")


class UnreadableList(Exception):
    """The list can't be read; `text` says why and what to do."""

    def __init__(self, text: "str | Promise") -> None:
        super().__init__(text)
        self.text = text


def decode_list(content: bytes) -> str:
    """Return the text of a file in UTF-8, or in UTF-16 with a byte order mark."""
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise UnreadableList(
            _("This is a spreadsheet. Save it as “CSV UTF-8” and choose that file.")
        )
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableList(
            _("We can’t read the characters in this file. Save it as “CSV UTF-8” and try again.")
        ) from error


def read_list(text: str, *, most: int) -> list[Row]:
    """Return the rows of a list. Raises UnreadableList."""
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise UnreadableList(
            _("This list has characters we can’t read. Save it as “CSV UTF-8” and try again.")
        )
    lines = _read_mailboxes(text) or _pick_delimiter(text)
    if not lines:  # an empty sheet is exported as lines of commas
        raise UnreadableList(_("This list is empty."))
    columns: tuple[str, ...] = COLUMNS
    if (headings := _read_headings(lines[0][1])) is not None:
        columns, lines = headings, lines[1:]
    if not lines:
        raise UnreadableList(_("This list has headings but no recipients."))
    if len(lines) > most:
        raise UnreadableList(
            format_lazy(
                _("This list has {number} rows. You can buy up to {most} gifts in one payment."),
                number=len(lines),
                most=most,
            )
        )
    for number, cells in lines:
        if len(cells) > len(columns):
            raise UnreadableList(
                format_lazy(
                    _(
                        "Line {line} has {number} columns. Each line should have a name, an e-mail "
                        "and a message. Put text that contains a comma in quotation marks."
                    ),
                    line=number,
                    number=len(cells),
                )
            )
    empty = dict.fromkeys(COLUMNS, "")
    return [
        _split_mailbox(empty | dict(zip(columns, cells, strict=False))) for _number, cells in lines
    ]


def _read_mailboxes(text: str) -> list[tuple[int, list[str]]]:
    """Return recipients as e-mail programs write them: "Ada <ada@example.org>; Ben <…>".

    Return nothing if the text has anything else, such as messages.
    """
    lines: list[tuple[int, list[str]]] = []
    pieces = _BETWEEN_MAILBOXES.split(text) if "<" in text else []
    for piece in filter(None, (each.strip(" ,\t\r") for each in pieces)):
        mailbox = _read_mailbox(piece) or ("", piece)
        if not _ADDRESS.fullmatch(mailbox[1]):
            return []
        lines.append((1, list(mailbox)))
    return lines


def _read_mailbox(text: str) -> tuple[str, str] | None:
    """Return the name and the address of "Ada Reader <ada@example.org>", or None."""
    name, opened, address = text.partition("<")
    address = address.strip().removesuffix(">").strip()
    if not opened or not _ADDRESS.fullmatch(address):
        return None
    return name.strip().strip("\"'").strip(), address


def _split_mailbox(row: Row) -> Row:
    """Return the row with a name and an address that were written in one cell as two."""
    name, email, message = (row[column] for column in COLUMNS)
    if (mailbox := _read_mailbox(name)) and not _ADDRESS.fullmatch(email):
        return dict(zip(COLUMNS, (*mailbox, message or email), strict=True))
    if mailbox := _read_mailbox(email):
        return row | {"recipient_name": name or mailbox[0], "recipient_email": mailbox[1]}
    return row


def _pick_delimiter(text: str) -> list[tuple[int, list[str]]]:
    """Return the lines, split by the delimiter that finds headings or else most addresses."""
    best: list[tuple[int, list[str]]] = []
    best_score: tuple[bool, int, int] | None = None
    failure: csv.Error | None = None
    for delimiter in ",;\t":
        try:
            lines = _split_lines(text, delimiter)
        except csv.Error as error:
            failure = error
            continue
        score = _score_lines(cells for _number, cells in lines)
        if best_score is None or score > best_score:
            best, best_score = lines, score
    # If one delimiter fails and the others find a single column, the one that fails was right.
    if best_score is None or (failure and best_score == (False, 0, 0)):
        raise UnreadableList(
            _("A quotation mark in this list is missing or in the wrong place.")
        ) from failure
    return best


def _split_lines(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Return the cells of each line that isn't empty, with its line number."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    lines = []
    first_line = 1
    for row in reader:
        cells = [cell.strip() for cell in row]
        while cells and not cells[-1]:  # spreadsheets export empty columns too
            cells.pop()
        if cells:
            lines.append((first_line, cells))
        first_line = reader.line_num + 1
    return lines


def _score_lines(lines: Iterable[list[str]]) -> tuple[bool, int, int]:
    rows = list(lines)
    addresses = sum(
        len(cells) > 1 and "@" not in cells[0] and bool(_ADDRESS.fullmatch(cells[1]))
        for cells in rows
    )
    fitting = sum(1 < len(cells) <= len(COLUMNS) for cells in rows)
    return (bool(rows) and _read_headings(rows[0]) is not None, addresses, fitting)


def _read_headings(cells: list[str]) -> tuple[str, ...] | None:
    """Return the order of the columns if the first line has headings, else None."""
    named = [_HEADINGS.get(_NOT_IN_HEADINGS.sub("", cell).casefold().strip()) for cell in cells]
    columns = tuple(name for name in named if name)
    if len(columns) != len(named) or len(set(columns)) != len(columns):
        return None
    return columns if "recipient_name" in columns else None
