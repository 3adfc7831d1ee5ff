"""Tables of text from CSV files and from spreadsheets."""

import csv
import io
import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import python_calamine

# Spreadsheets write semicolons in countries that use a decimal comma.
DELIMITERS = (",", ";", "\t")
# The first bytes of .xlsx and .ods files, and of .xls files.
SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
# Excel's own first line names the delimiter.
_NAMED_DELIMITER = re.compile(r'"?sep=(.)"?[;,\t]*\r?\n', re.IGNORECASE)


class UnreadableTable(Exception):
    """The file can't be read; the message says why."""


@dataclass(frozen=True)
class Line:
    """The cells of a line; its number is that of its last line in the file."""

    number: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    headings: list[str]
    lines: list[Line]


def read_table(path: Path) -> Table:
    """Return the lines that are not empty; the first has the headings. Raises UnreadableTable."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableTable(f"{path} can't be read: {error.strerror}.") from error
    is_spreadsheet = content.startswith(SPREADSHEETS)
    lines = _read_sheet(path, content) if is_spreadsheet else _read_csv(path, content)
    filled = [line for line in lines if any(line.cells)]
    return Table(filled[0].cells if filled else [], filled[1:])


def _read_csv(path: Path, content: bytes) -> list[Line]:
    text = _decode(path, content)
    named = _NAMED_DELIMITER.match(text)
    text, skipped = (text[named.end() :], 1) if named else (text, 0)
    first_line = text.lstrip("\r\n").partition("\n")[0]
    delimiter = named[1] if named else max(DELIMITERS, key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return [
            Line(reader.line_num + skipped, [cell.strip() for cell in cells]) for cells in reader
        ]
    except csv.Error as error:
        number = reader.line_num + skipped
        raise UnreadableTable(f"{path} can't be read at line {number}: {error}.") from error


def _decode(path: Path, content: bytes) -> str:
    # The “Unicode text” of spreadsheets is UTF-16, recognisable by its first two bytes.
    encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableTable(
            f"{path} is not in UTF-8 (see line {line}). Save it as “CSV UTF-8” and try again."
        ) from error


def _read_sheet(path: Path, content: bytes) -> list[Line]:
    """Return the lines of the first sheet."""
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise UnreadableTable(
            f"{path} can't be read as a spreadsheet. Save it as “CSV UTF-8” and try again."
        ) from error
    return [
        Line(number, [_write_cell(cell) for cell in cells])
        for number, cells in enumerate(rows, start=1)
    ]


def _write_cell(value: Any) -> str:
    match value:
        case datetime():
            return value.isoformat(" ")
        case date():
            return value.isoformat()
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value).strip()
