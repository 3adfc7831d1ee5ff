"""Reading the files of a report again, each with a library that didn't write it."""

import io
import re
from typing import Any

import openpyxl
import pypdfium2

from campaigns.models import Campaign
from campaigns.reports.contents import Contents, gather_contents
from campaigns.reports.page import Choice
from tests.support.factories import at


def gather(
    campaign: Campaign, *, now: str, choice: Choice | None = None, language: str = "en"
) -> Contents:
    chosen = choice or Choice()
    return gather_contents(campaign, chosen, at=at(now), language=language)


def read_pdf(content: bytes) -> str:
    """Return the text of all pages, with single spaces."""
    document = pypdfium2.PdfDocument(content)
    try:
        pages = []
        for page in document:
            text = page.get_textpage()
            pages.append(text.get_text_bounded())
            text.close()
            page.close()
        return " ".join(" ".join(pages).split())
    finally:
        document.close()


def read_workbook(content: bytes) -> dict[str, list[list[Any]]]:
    """Return the rows of each sheet, without the empty cells and rows."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {
        sheet.title: [
            cells
            for row in sheet.iter_rows(values_only=True)
            if (cells := [cell for cell in row if cell is not None])
        ]
        for sheet in book
    }


def find_row(rows: list[list[Any]], name: Any) -> list[Any]:
    """Return what stands behind a name in its first row."""
    return next(row[1:] for row in rows if row[0] == name)


def strip_markup(html: str) -> str:
    """Return the words of a page, with single spaces."""
    text = re.sub(r"<(style|title)\b.*?</\1>", " ", html, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())
