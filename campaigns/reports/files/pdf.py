"""The report as a PDF of A4 pages, made by typst from `report.typ`.

Texts reach the template as data, never as markup. The same report gives the same bytes.
"""

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import typst
from django.utils.translation import gettext, override

from campaigns import fonts
from campaigns.models import read_look
from campaigns.reports.contents import Contents
from campaigns.reports.files.description import describe_document
from campaigns.reports.files.document import Document, Grid, Part, measure, write_value
from campaigns.reports.files.drawings import draw_for_paper
from campaigns.reports.sources import TOP

TEMPLATE = Path(__file__).with_name("report.typ")
MOST_ROWS = 62  # of a table on paper


def write_pdf(contents: Contents) -> bytes:
    """Return the report as PDF."""
    document = describe_document(contents)
    with override(contents.language):
        data = _describe(document)
    return typst.compile(
        TEMPLATE.read_bytes(),
        font_paths=load_fonts(),
        sys_inputs={"report": json.dumps(data)},
        format="pdf",
        timestamp=int(contents.report.as_of.timestamp()),
    )


@cache
def load_fonts() -> typst.Fonts:
    """Load our fonts, then those in FONT_DIR. Cached, because it is slow."""
    return typst.Fonts(include_system_fonts=False, font_paths=fonts.list_folders())


def _describe(document: Document) -> dict[str, Any]:
    return {
        "language": document.language.partition("-")[0],
        "colours": asdict(read_look().light),
        "title": fonts.drop_missing(document.title),
        "newsroom": fonts.drop_missing(document.newsroom),
        "lines": document.lines,
        "number": document.number,
        "of": document.of,
        "percent": document.percent,
        "parts": [_describe_part(part, document.language) for part in document.parts],
        "definitions": gettext("Definitions"),
        "rule": [gettext("What counts"), [document.rule]],
        "page": gettext("Page"),
    }


def _describe_part(part: Part, language: str) -> dict[str, Any]:
    return {
        "title": part.title,
        "answer": part.answer,
        "notes": part.notes,
        "definitions": part.definitions,
        "facts": [
            (fact.name, write_value(fact.value, language), fact.words) for fact in part.facts
        ],
        "charts": [
            {
                "svg": fonts.drop_missing(draw_for_paper(chart)),
                "title": chart.title,
                "sentence": fonts.drop_missing(chart.sentence),
            }
            for chart in part.charts
        ],
        "grids": [_describe_grid(grid, language) for grid in part.grids if not grid.is_detail],
    }


def _describe_grid(grid: Grid, language: str) -> dict[str, Any]:
    """Return the table with its longest bars in percent; long tables lose their first rows."""
    rows, left_out = list(grid.rows), ""
    if grid.is_ranking:
        rows = rows[:TOP]
        rest = sum(measure(row[1]) for row in grid.rows[TOP:])
        if rest:
            left_out = gettext("Others: %(others)s") % {"others": write_value(rest, language)}
    elif len(rows) > MOST_ROWS:
        rows = rows[-MOST_ROWS:]
        left_out = gettext("The last %(shown)s of %(count)s rows. The spreadsheet has all of them.")
        left_out %= {"shown": len(rows), "count": len(grid.rows)}
    return {
        "title": grid.title,
        "head": [fonts.drop_missing(name) for name in grid.head],
        "rows": [[fonts.drop_missing(write_value(cell, language)) for cell in row] for row in rows],
        "bars": grid.bars[: len(rows)] if grid.is_ranking else [],
        "left_out": left_out,
        "empty": grid.empty or gettext("There is nothing to show yet."),
    }
