"""Every file that the report page offers, downloaded in a browser and opened again."""

import csv
import io
import json
from collections.abc import Callable

import openpyxl
import pytest
from playwright.sync_api import Page

from campaigns.models import Campaign
from tests.admin.test_report_journey import browse, make_scene, site
from tests.support.browser import Reader, open_reader, run_chromium
from tests.support.report_files import read_pdf, read_workbook, strip_markup

__all__ = ["browse", "site"]  # fixtures

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True), pytest.mark.thorough]


def download(page: Page, address: str) -> bytes:
    """Follow the link with that address; return the file."""
    with page.expect_download() as started:
        page.locator(f'.report-downloads a[href="{address}"]').click()
    assert started.value.suggested_filename.startswith("birthday-")
    return started.value.path().read_bytes()


def read_number(text: str) -> int:
    return int(text.replace(",", ""))


def check_report(kind: str, content: bytes, *, counted: int) -> None:
    """Fail if a file of the report doesn't have the count of the page."""
    written = f"{counted:,}"
    match kind:
        case "PDF":
            assert content.startswith(b"%PDF")
            assert f"{written} of 800 new members" in read_pdf(content)
        case "HTML":
            assert f"{written} of 800 new members" in strip_markup(content.decode())
        case "JSON":
            assert json.loads(content)["goals"][0]["counted"] == counted
        case "Excel":
            cells = [
                cell for rows in read_workbook(content).values() for row in rows for cell in row
            ]
            assert counted in cells
        case _:
            raise AssertionError(f"{kind} isn't checked")


def read_rows(kind: str, content: bytes) -> list[dict[str, str]]:
    """Return the rows of a file by the names of their columns, as text."""
    if kind == "CSV":
        assert content.startswith(b"\xef\xbb\xbf")
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True).worksheets[0]
    head, *rows = sheet.iter_rows(values_only=True)
    names = [str(name) for name in head]
    return [dict(zip(names, map(_as_text, row), strict=True)) for row in rows]


def _as_text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell)


def test_every_file_of_the_page_opens_and_has_its_count(
    browse: Callable[[Reader, Campaign], None],
) -> None:
    campaign = make_scene("mid")
    with run_chromium() as chromium, open_reader(chromium, accept_downloads=True) as reader:
        browse(reader, campaign)
        page = reader.page
        counted = read_number(page.locator(".staff-number strong").first.inner_text())
        assert counted > 300
        links = page.locator(".report-downloads > p a").all()
        reports = {link.inner_text(): link.get_attribute("href") or "" for link in links}
        assert list(reports) == ["PDF", "Excel", "HTML", "JSON"]
        for kind, address in reports.items():
            check_report(kind, download(page, address), counted=counted)

        page.get_by_text("Download rows and charts").click()
        rows, charts = page.locator(".report-files table").all()
        lists: dict[str, list[list[dict[str, str]]]] = {}
        for row in rows.locator("tr").all():
            of_kind = lists.setdefault(row.locator("th").inner_text(), [])
            for link in row.locator("a").all():
                content = download(page, link.get_attribute("href") or "")
                of_kind.append(read_rows(link.inner_text(), content))
        sums = page.locator(".report-standing table tr")

        def read_sum(name: str) -> int:
            return read_number(sums.filter(has_text=name).locator("td").last.inner_text())

        for number in (0, 1):  # CSV and Excel
            found = {name: of_kind[number] for name, of_kind in lists.items()}
            assert len(found) == 5
            signed_up = found["Counted sign-ups"]
            assert sum(not row["counted_until"] for row in signed_up) == counted
            assert len(signed_up) == read_sum("Joined")
            days = found["Days"]
            assert sum(int(row["people"]) for row in days) == read_sum("People")
            assert sum(int(row["stopped"]) for row in days) == read_sum("Left")
            assert int(days[-1]["total"]) == counted
            assert len(found["Gifts"]) == read_sum("Gifts")
            assert len(found["Payments"]) == read_sum("Joined")
            assert found["Refunds and lost disputes"]
        for link in charts.locator("a").all():
            content = download(page, link.get_attribute("href") or "")
            start = {"PNG": b"\x89PNG", "SVG": b"<svg"}[link.inner_text()]
            assert start in content[:200]
