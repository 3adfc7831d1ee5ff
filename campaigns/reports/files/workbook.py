"""The report as XLSX: a sheet for each question, with typed cells and charts of the spreadsheet."""

import io
import math
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.utils.translation import gettext, override

from campaigns.models import read_look
from campaigns.money import decimal_places, to_major
from campaigns.reports.contents import Contents
from campaigns.reports.files.description import describe_document
from campaigns.reports.files.document import (
    Document,
    Grid,
    Money,
    Part,
    Share,
    Value,
    measure,
)
from campaigns.reports.sources import TOP
from campaigns.spreadsheets import neutralise_cell

_WIDTH = 9  # columns of a line of text
_CHARACTERS = 125  # in such a line
_CHART_ROWS = 16
_SHEET_NAME = 31  # characters, by Excel's rules


def write_workbook(contents: Contents) -> bytes:
    """Return the report as XLSX."""
    document = describe_document(contents)
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    book.set_properties({"title": document.title, "author": document.newsroom})
    book.set_properties({"created": contents.report.as_of.replace(tzinfo=None)})
    writer = _Writer(book, accent=read_look().light.accent)
    with override(contents.language):
        for number, part in enumerate(document.parts):
            writer.write_part(part, document if number == 0 else None)
        writer.write_rule(document)
    book.close()
    return file.getvalue()


class _Writer:
    """Writes parts to sheets, from top to bottom."""

    def __init__(self, book: Any, *, accent: str) -> None:
        self.book, self.accent = book, accent
        self.formats: dict[str, Any] = {}
        self.sheet: Any = None
        self.row = 0

    def write_part(self, part: Part, document: Document | None) -> None:
        self._add_sheet(part.name)
        if document is not None:
            self._write_head(document)
        self._write_text(part.title, size=14, bold=True)
        if part.answer:
            self._write_text(part.answer, size=12)
        for note in part.notes:
            self._write_text(note)
        self.row += 1
        for fact in part.facts:
            self._write_cell(self.row, 0, fact.name)
            self._write_cell(self.row, 1, fact.value, bold=True)
            self._write_cell(self.row, 2, fact.words)
            self.row += 1
        self.row += bool(part.facts)
        for grid in part.grids:
            self._write_grid(grid, part.name)
        for definition in part.definitions:
            self._write_text(definition, quiet=True)

    def write_rule(self, document: Document) -> None:
        self._add_sheet(gettext("What counts"))
        self._write_text(gettext("What counts"), size=14, bold=True)
        self._write_text(document.rule)

    def _add_sheet(self, name: str) -> None:
        self.sheet, self.row = self.book.add_worksheet(name[:_SHEET_NAME]), 0
        self.sheet.set_column(0, 0, 34)
        self.sheet.set_column(1, 24, 14)
        self.sheet.hide_gridlines(2)
        self.sheet.set_landscape()
        self.sheet.set_paper(9)  # A4
        self.sheet.fit_to_pages(1, 0)

    def _write_head(self, document: Document) -> None:
        self._write_text(document.newsroom, bold=True, color=self.accent)
        self._write_text(document.title, size=20, bold=True)
        for line in document.lines:
            self._write_text(line, quiet=True)
        self._write_text(f"{document.number} {document.of}".strip(), size=18, bold=True)
        self.row += 1

    def _write_text(
        self, text: str, *, size: int = 11, bold: bool = False, quiet: bool = False, color: str = ""
    ) -> None:
        """Write a line of text across the sheet; long ones wrap."""
        style: dict[str, Any] = {"text_wrap": True, "valign": "top", "font_size": size}
        style |= {"bold": bold, "font_color": color or ("#55524b" if quiet else "#1b1a17")}
        lines = math.ceil(len(text) * size / 11 / _CHARACTERS) or 1
        self.sheet.set_row(self.row, lines * size * 1.45)
        form = self._find_format(style)
        self.sheet.merge_range(self.row, 0, self.row, _WIDTH - 1, "", form)
        self.sheet.write_string(self.row, 0, neutralise_cell(text), form)
        self.row += 1

    def _write_grid(self, grid: Grid, sheet_name: str) -> None:
        self._write_cell(self.row, 0, grid.title, bold=True)
        self.row += 1
        first = self.row
        if not grid.rows:
            self._write_cell(first, 0, grid.empty)
            self.row += 2
            return
        for column, name in enumerate(grid.head):
            style = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}
            style |= {} if column == 0 else {"align": "right"}
            form = self._find_format(style)
            self.sheet.write_string(first, column, neutralise_cell(name), form)
        for at, row in enumerate(grid.rows, first + 1):
            for column, value in enumerate(row):
                self._write_cell(at, column, value)
        self.row = first + len(grid.rows) + 2
        if grid.plot and any(measure(value) for row in grid.rows for value in row[1:]):
            self._insert_chart(grid, sheet_name, first)
            self.row = max(self.row, first + _CHART_ROWS)

    def _write_cell(self, row: int, column: int, value: Value, *, bold: bool = False) -> None:
        """Write a value as a text, a number or a date; one that doesn't exist stays empty."""
        if value is None or value == "":
            return
        style: dict[str, Any] = {"bold": True} if bold else {}
        if isinstance(value, str):
            form = self._find_format(style)
            self.sheet.write_string(row, column, neutralise_cell(value), form)
        elif isinstance(value, date):
            is_day = not isinstance(value, datetime)
            style |= {"num_format": "yyyy-mm-dd" if is_day else "yyyy-mm-dd hh:mm", "align": "left"}
            moment = value.replace(tzinfo=None) if isinstance(value, datetime) else value
            self.sheet.write_datetime(row, column, moment, self._find_format(style))
        else:
            number, style["num_format"] = _measure(value)
            self.sheet.write_number(row, column, number, self._find_format(style))

    def _insert_chart(self, grid: Grid, sheet_name: str, first: int) -> None:
        """Draw the grid's numbers beside it."""
        kinds: dict[str, dict[str, str]] = {
            "line": {"type": "line"},
            "stacks": {"type": "column", "subtype": "stacked"},
            "columns": {"type": "column"},
            "bars": {"type": "bar"},
        }
        chart = self.book.add_chart(kinds[grid.plot])
        count = min(len(grid.rows), TOP) if grid.plot == "bars" else len(grid.rows)
        columns: Sequence[int] = grid.plotted or range(1, len(grid.head))
        name = sheet_name[:_SHEET_NAME]
        for at, column in enumerate(columns):
            # The first series is the campaign's own.
            colour = {} if at else {"color": self.accent}
            chart.add_series(
                {
                    "name": [name, first, column],
                    "categories": [name, first + 1, 0, first + count, 0],
                    "values": [name, first + 1, column, first + count, column],
                    "line": {"width": 1.5 if at else 2.75, **colour},
                    # A line of one day would be invisible.
                    **({"marker": {"type": "circle"}} if count == 1 else {}),
                    "gap": 40,
                    **({"fill": colour} if colour and grid.plot != "line" else {}),
                }
            )
        chart.set_title({"name": neutralise_cell(grid.title), "name_font": {"size": 12}})
        is_dated = isinstance(grid.rows[0][0], date)
        axis: dict[str, Any] = {"num_format": "d mmm", "date_axis": True} if is_dated else {}
        chart.set_x_axis(axis | ({"reverse": True} if grid.plot == "bars" else {}))
        if len(columns) == 1:
            chart.set_legend({"none": True})
        else:
            chart.set_legend({"position": "bottom"})
        chart.set_size({"width": 620, "height": 300})
        self.sheet.insert_chart(first, len(grid.head) + 1, chart, {"description": grid.title})

    def _find_format(self, style: dict[str, Any]) -> Any:
        key = repr(sorted(style.items()))
        if key not in self.formats:
            self.formats[key] = self.book.add_format(style)
        return self.formats[key]


def _measure(value: int | float | Money | Share) -> tuple[float | Decimal, str]:
    """Return the number of a cell, and its format."""
    if isinstance(value, Money):
        places = decimal_places(value.currency)
        pattern = f"#,##0{'.' + '0' * places if places else ''}"
        return to_major(value.minor, value.currency), f'{pattern} "{value.currency.upper()}"'
    if isinstance(value, Share):
        return round(value.percent / 100, 6), "0.0%"
    return value, "#,##0" if float(value).is_integer() else "#,##0.0"
