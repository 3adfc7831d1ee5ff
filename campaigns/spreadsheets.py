"""CSV and XLSX files, safe to open in a spreadsheet and written row by row. Pure functions."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import IO

import xlsxwriter

Cell = str | int | Decimal | datetime | None

# Spreadsheets run a cell as a formula if it starts with one of these, in either width.
# https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_STARTS = tuple("=+-@＝＋－＠\t\r\n")
BYTE_ORDER_MARK = "\ufeff"  # tells spreadsheets that a file is UTF-8
_CHUNK = 64_000  # characters
# https://support.microsoft.com/en-us/office/excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3
_MOST_ROWS = 1_048_576


def is_formula(text: str) -> bool:
    """Return whether a spreadsheet would read the text as a formula."""
    return text.startswith(FORMULA_STARTS)


def neutralise_cell(text: str) -> str:
    """Return the text with an apostrophe before it if a spreadsheet would read a formula."""
    return f"'{text}" if is_formula(text) else text


def stream_csv(rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Yield the file in chunks, holding one chunk at a time."""
    table = io.StringIO(newline="")
    table.write(BYTE_ORDER_MARK)
    writer = csv.writer(table)
    for row in rows:
        writer.writerow([_as_text(cell) for cell in row])
        if table.tell() > _CHUNK:
            yield table.getvalue()
            table.seek(0)
            table.truncate()
    yield table.getvalue()


def write_xlsx(rows: Iterable[Sequence[Cell]], file: IO[bytes]) -> None:
    """Write one sheet, or more of a million rows, to an open file, holding one row at a time.

    Times have to be in the zone in which people read them: spreadsheets know no zones.
    """
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    sheet, number = book.add_worksheet(), 0
    for row in rows:
        if number == _MOST_ROWS:
            sheet, number = book.add_worksheet(), 0
        for column, cell in enumerate(row):
            match cell:
                case datetime():
                    sheet.write_datetime(number, column, cell.replace(tzinfo=None), moment)
                case str():
                    sheet.write_string(number, column, neutralise_cell(cell))
                case int() | Decimal():
                    sheet.write_number(number, column, cell)
        number += 1
    book.close()


def _as_text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case datetime():
            return cell.isoformat(" ", "minutes")
        case str():
            return neutralise_cell(cell)
        case _:
            return str(cell)
