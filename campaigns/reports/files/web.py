"""The report as one HTML file, which opens without a network: styles and charts are inside it."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import override

from campaigns.models import read_look
from campaigns.reports.charts import draw_both
from campaigns.reports.charts.standalone import STYLES
from campaigns.reports.contents import Contents
from campaigns.reports.files.description import describe_document
from campaigns.reports.files.document import Part, write_value

_OWN = Path(__file__).with_name("report.css")
_WRONG = {"light": "#9b1c1c", "dark": "#ff9d94"}  # as in tokens.css
_LONG = 24  # rows of a table that is closed at first


def write_html(contents: Contents) -> bytes:
    """Return the report as HTML."""
    document = describe_document(contents)
    with override(contents.language):
        parts = [_describe_part(part, contents.language) for part in document.parts]
        context = {"document": document, "parts": parts, "styles": _write_styles()}
        return render_to_string("campaigns/report/file.html", context).lstrip().encode()


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
            {"title": each.title, "sentence": each.sentence, "svg": draw_both(each.draw)}
            for each in part.charts
        ],
        "grids": [
            {
                "title": grid.title,
                "head": grid.head,
                "rows": [
                    {"cells": [write_value(cell, language) for cell in row], "bar": bar}
                    for row, bar in zip(grid.rows, grid.bars, strict=True)
                ],
                "is_ranking": grid.is_ranking,
                "empty": grid.empty,
                "is_long": grid.is_detail or len(grid.rows) > _LONG,
            }
            for grid in part.grids
        ],
    }


def _write_styles() -> SafeString:
    """Return the tokens of the newsroom's look in both schemes, and the stylesheets."""
    look = read_look()
    light, dark = (
        "".join(f"--campaign-{name}:{value};" for name, value in tokens.items())
        for tokens in (
            asdict(palette)
            | {"quiet": palette.quiet, "edge": palette.edge, "wrong": _WRONG[scheme]}
            for scheme, palette in (("light", look.light), ("dark", look.dark))
        )
    )
    families = f"--campaign-serif:{look.serif};--campaign-sans:{look.sans};"
    tokens = (
        f":root{{color-scheme:light dark;{light}{families}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    )
    styles = [tokens, STYLES.read_text("utf-8"), _OWN.read_text("utf-8")]
    # Colours and fonts of the look are validated, and the stylesheets are ours.
    return mark_safe("\n".join(styles))  # noqa: S308
