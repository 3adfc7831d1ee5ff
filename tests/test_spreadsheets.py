"""Cells that a spreadsheet would run as a formula are made harmless."""

import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import python_calamine

from campaigns.spreadsheets import (
    Cell,
    count_sheets,
    is_formula,
    neutralise_cell,
    stream_csv,
    write_xlsx,
)


@pytest.mark.parametrize("text", ["=1+1", "+380", "-2", "@SUM(A1)", "＝1", "\t=1", "\r=1", "\n=1"])
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert is_formula(text)
    assert neutralise_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Ada", "2-1", "a@example.org", "'=1"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert not is_formula(text)
    assert neutralise_cell(text) == text


def rows(number: int) -> Iterator[list[Cell]]:
    for at in range(number):
        yield [at, f"Reader {at}", Decimal("60.00"), datetime(2026, 11, 10, 12, tzinfo=UTC), None]


def peak_of(number: int, write: Callable[[int], object]) -> int:
    """Return the most memory in bytes while a file of that many rows is written."""
    tracemalloc.start()
    try:
        write(number)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def read_through(number: int) -> None:
    for _chunk in stream_csv(rows(number)):
        pass


def write_to_disk(number: int) -> None:
    with tempfile.TemporaryFile() as file:
        write_xlsx(rows(number), file)


@pytest.mark.parametrize("write", [read_through, write_to_disk])
def test_a_file_of_many_rows_takes_no_more_memory_than_one_of_few(
    write: Callable[[int], object],
) -> None:
    write(10)  # imports and caches
    few, many = peak_of(3_000, write), peak_of(12_000, write)
    assert many < few * 1.3 + 200_000


def test_csv_cells_are_written_as_text() -> None:
    written = "".join(stream_csv([["=1", 2, Decimal("60.50"), *next(rows(1))[3:]]]))
    assert written == "\ufeff'=1,2,60.50,2026-11-10 12:00+00:00,\r\n"


def test_more_rows_than_a_sheet_holds_continue_on_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("campaigns.spreadsheets._MOST_ROWS", 3)
    assert [count_sheets(number) for number in (0, 1, 2, 3, 5)] == [1, 1, 1, 2, 3]
    head: list[Cell] = ["number", "name", "amount", "at", "nothing"]
    with tempfile.TemporaryFile() as file:
        write_xlsx(iter([head, *rows(3)]), file, sheets=count_sheets(3))
        file.seek(0)
        book = python_calamine.CalamineWorkbook.from_filelike(file)
    sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    assert [[row[0] for row in sheet] for sheet in sheets] == [["number", 0, 1], ["number", 2]]


def test_a_long_text_is_cut_where_a_cell_ends() -> None:
    with tempfile.TemporaryFile() as file:
        write_xlsx(iter([["text"], ["x" * 40_000]]), file)
        file.seek(0)
        book = python_calamine.CalamineWorkbook.from_filelike(file)
    assert len(str(book.get_sheet_by_index(0).to_python()[1][0])) == 32_767
