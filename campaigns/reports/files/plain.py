"""The report as JSON and as CSV."""

from campaigns.reports.contents import Contents
from campaigns.reports.formats import as_csv, as_json
from campaigns.spreadsheets import BYTE_ORDER_MARK


def write_json(contents: Contents) -> bytes:
    """Return the report as JSON."""
    return as_json(contents.report, contents.page.outlook).encode()


def write_csv(contents: Contents) -> bytes:
    """Return the report as CSV, one line a day."""
    return (BYTE_ORDER_MARK + as_csv(contents.report)).encode()
