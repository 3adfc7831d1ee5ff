"""The report as files, from the same contents as its page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils.module_loading import import_string

from campaigns.models import Campaign
from campaigns.reports.contents import Contents, NamedChart
from campaigns.reports.files.drawings import draw_chart_png, draw_chart_svg
from campaigns.spreadsheets import XLSX

__all__ = ["CHARTS", "FILES", "ChartFormat", "FileFormat", "name_file"]


@dataclass(frozen=True)
class FileFormat:
    """A format of the whole report.

    Its writer is a name, loaded when a file is written: typst and others take many megabytes.
    """

    writer: str
    content_type: str

    def write(self, contents: Contents) -> bytes:
        content: bytes = import_string(self.writer)(contents)
        return content


@dataclass(frozen=True)
class ChartFormat:
    """A format of one chart."""

    draw: Callable[[NamedChart], bytes]
    content_type: str


_HERE = "campaigns.reports.files"
FILES = {
    "pdf": FileFormat(f"{_HERE}.pdf.write_pdf", "application/pdf"),
    "xlsx": FileFormat(f"{_HERE}.workbook.write_workbook", XLSX),
    "html": FileFormat(f"{_HERE}.web.write_html", "text/html; charset=utf-8"),
    "json": FileFormat(f"{_HERE}.plain.write_json", "application/json"),
    "csv": FileFormat(f"{_HERE}.plain.write_csv", "text/csv; charset=utf-8"),
}
CHARTS = {
    "png": ChartFormat(draw_chart_png, "image/png"),
    "svg": ChartFormat(draw_chart_svg, "image/svg+xml"),
}


def name_file(campaign: Campaign, kind: str, *, at: datetime, about: str = "") -> str:
    """Return the name of a file: the campaign, what it is about, and the day."""
    day = at.astimezone(campaign.zone_info).date().isoformat()
    return "-".join(filter(None, (campaign.slug, about, day))) + f".{kind}"
