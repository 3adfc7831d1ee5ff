"""CSV and XLSX files, safe to open in a spreadsheet and written row by row. Pure functions."""

import csv
import io
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice
from typing import IO

import rustpy_xlsxwriter
import xlsxwriter

Cell = str | int | Decimal | date | datetime | None

# Spreadsheets run a cell as a formula if it starts with one of these, in either width.
# https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_STARTS = tuple("=+-@＝＋－＠\t\r\n")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BYTE_ORDER_MARK = "\ufeff"  # tells spreadsheets that a file is UTF-8
_CHUNK = 64_000  # characters
# https://support.microsoft.com/en-us/office/excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3
_MOST_ROWS = 1_048_576
_LONGEST_TEXT = 32_767
ANY_MONEY = "#,##0.00##"  # for amounts in currencies of different decimal places
_COLUMN_WIDTH = 18


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


def write_xlsx(
    rows: Iterable[Sequence[Cell]],
    file: IO[bytes],
    *,
    sheets: int = 1,
    money_format: str = ANY_MONEY,
) -> None:
    """Write the headings and the rows to an open file, holding one row at a time.

    More than a million rows need more sheets (`count_sheets`). Times have to be in the zone in
    which people read them: spreadsheets know no zones.
    """
    remaining = iter(rows)
    head = [str(name) for name in next(remaining)]
    first = next(remaining, None)
    if first is None:
        _write_head(head, file)
        return
    dates = [name for name, cell in zip(head, first, strict=True) if type(cell) is date]
    cells = (
        {name: _as_cell(cell) for name, cell in zip(head, row, strict=True)}
        for row in chain([first], remaining)
    )
    names = [f"Sheet{number + 1}" for number in range(sheets)]
    # Only a file with a path is written piece by piece; another one would be held in memory.
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as whole:
        _write_sheets(names, cells, whole.name, dates=dates, money_format=money_format)
        shutil.copyfileobj(whole, file)


def _write_sheets(
    names: Sequence[str],
    cells: Iterator[dict[str, Cell]],
    path: str,
    *,
    dates: Sequence[str],
    money_format: str,
) -> None:
    rustpy_xlsxwriter.write_worksheets(
        # Each sheet takes its rows when its turn comes.
        [(name, islice(cells, _MOST_ROWS - 1)) for name in names],
        path,
        freeze_panes={"general": {"row": 1, "col": 0}},
        bold_headers=True,
        column_width={"general": _COLUMN_WIDTH},
        float_format=money_format,  # of every Decimal
        datetime_format="yyyy-mm-dd hh:mm",
        column_formats={
            sheet: {name: rustpy_xlsxwriter.Format().set_num_format("yyyy-mm-dd") for name in dates}
            for sheet in names
        },
    )


def count_sheets(rows: int) -> int:
    """Return the number of sheets that so many rows need, each with its headings."""
    return max(-(-rows // (_MOST_ROWS - 1)), 1)


def choose_money_format(places: Iterable[int]) -> str:
    """Return the number format of a column of amounts with these numbers of decimal places."""
    found = set(places)
    if len(found) != 1:
        return ANY_MONEY
    [only] = found
    return f"#,##0.{'0' * only}" if only else "#,##0"


def _write_head(head: Sequence[str], file: IO[bytes]) -> None:
    """Write a file with headings alone."""
    book = xlsxwriter.Workbook(file)
    book.add_worksheet("Sheet1").write_row(0, 0, head, book.add_format({"bold": True}))
    book.close()


def _as_cell(cell: Cell) -> Cell:
    match cell:
        case datetime():
            return cell.replace(tzinfo=None)
        case str():
            return neutralise_cell(cell)[:_LONGEST_TEXT]
        case _:
            return cell


def _as_text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case datetime():
            return cell.isoformat(" ", "minutes")
        case date():
            return cell.isoformat()
        case str():
            return neutralise_cell(cell)
        case _:
            return str(cell)
