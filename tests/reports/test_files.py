"""The files of a report: each is opened again, and all of them say the same."""

import csv
import io
import json
import re
import struct
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema_rs
import openpyxl
import pytest
from django.contrib.auth.models import User
from django.test import Client
from time_machine import TimeMachineFixture

from campaigns.models import Campaign, Checkout, Payment
from campaigns.reports.files import CHARTS, FILES
from campaigns.reports.page import PREVIOUS, Choice
from tests.support.commands import run_command
from tests.support.factories import at, make_campaign, make_member, make_payment, recount_campaign
from tests.support.generated import NOW, generate_sales, make_generated
from tests.support.newsletters import make_newsletter, make_subscription
from tests.support.report_files import find_row, gather, read_pdf, read_workbook, strip_markup
from tests.support.staff import read_page, sign_in_staff

pytestmark = pytest.mark.django_db

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "report.schema.json"


def write_all(campaign: Campaign, *, now: str, **given: Any) -> dict[str, bytes]:
    contents = gather(campaign, now=now, **given)
    return {kind: each.write(contents) for kind, each in FILES.items()}


def check_json(content: bytes) -> dict[str, Any]:
    """Return the data of a report's JSON, which has to fit the schema."""
    data: dict[str, Any] = json.loads(content)
    validator = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert [
        f"{error.instance_path}: {error.message}" for error in validator.iter_errors(data)
    ] == []
    return data


@pytest.mark.both_databases
def test_the_page_the_command_and_all_files_agree(
    client: Client, time_machine: TimeMachineFixture
) -> None:
    sales = generate_sales(60)
    campaign = make_generated(sales)
    contents = gather(campaign, now=NOW.isoformat())
    files = {kind: each.write(contents) for kind, each in FILES.items()}
    data = check_json(files["json"])
    # Worked out from the list of sales, not from the rows.
    counted = sum(sold.counts_now for sold in sales)
    joined = sum(sold.counts for sold in sales)
    gross = {
        currency: sum(sold.minor for sold in sales if sold.currency == currency)
        for currency in {sold.currency for sold in sales}
    }
    assert data["goals"][0]["counted"] == counted
    assert {each["currency"]: each["gross_minor"] for each in data["money"]} == gross

    sheets = read_workbook(files["xlsx"])
    assert [f"{counted} of 1,000 new members"] in sheets["Standing"]
    assert find_row(sheets["Standing"], "In all")[0] == joined
    euros = find_row(sheets["Money"], "EUR")
    assert euros[1] == gross["eur"] / 100
    assert find_row(sheets["Money"], "JPY")[1] == gross["jpy"]
    days = sheets["Days"][sheets["Days"].index(["Numbers day by day"]) + 2 : -1]
    assert sum(row[1] + row[2] for row in days) == joined
    assert days[-1][4] == counted

    rows = list(csv.DictReader(io.StringIO(files["csv"].decode("utf-8-sig"))))
    assert sum(int(row["people"]) + int(row["gifts"]) for row in rows) == joined
    assert rows[-1]["total"] == str(counted)
    assert sum(Decimal(row["raised"]) for row in rows) == Decimal(euros[-1]).quantize(
        Decimal(".01")
    )

    net = next(each for each in data["money"] if each["currency"] == "eur")["net_minor"]
    for text in (read_pdf(files["pdf"]), strip_markup(files["html"].decode())):
        assert f"{counted} of 1,000 new members" in text
        assert f"€{gross['eur'] // 100:,}" in text
        assert f"{net / 100:,.2f}".removesuffix(".00") in text
        assert contents.report.rule[:60] in text
    in_terminal = run_command("campaign_report", "autumn", "--at", NOW.isoformat())
    assert f"{counted:,} of 1,000" in in_terminal
    assert f"€{gross['eur'] // 100:,}" in in_terminal

    sign_in_staff(client, User.objects.create_superuser("editor"))
    time_machine.move_to(NOW, tick=False)
    page = strip_markup(read_page(client.get(f"/admin/campaigns/campaign/{campaign.pk}/progress/")))
    assert f"{counted} of 1,000 new members" in page
    assert f"€{gross['eur'] // 100:,}" in page
    assert f"{net / 100:,.2f}".removesuffix(".00") in page


def test_cells_are_numbers_and_dates_and_charts_are_native() -> None:
    campaign = make_generated(generate_sales(30))
    book = openpyxl.load_workbook(
        io.BytesIO(FILES["xlsx"].write(gather(campaign, now=NOW.isoformat())))
    )
    charts = {sheet.title: len(sheet._charts) for sheet in book}
    assert charts["Outlook"] == charts["Days"] == 1
    assert charts["Sources"] > 3
    first = datetime(2026, 10, 20)  # noqa: DTZ001 (spreadsheets know no zones)
    [day] = [row for row in book["Days"].iter_rows() if row[0].value == first]
    assert day[0].number_format == "yyyy-mm-dd"
    assert day[5].number_format == '#,##0.00 "EUR"'
    patterns = {cell.number_format for row in book["Money"].iter_rows() for cell in row}
    assert '#,##0 "JPY"' in patterns
    [share] = [row for row in book["Standing"].iter_rows() if row[0].value == "Share of the goal"]
    assert share[1].number_format == "0.0%"


def test_the_same_days_are_in_every_file() -> None:
    campaign = make_generated(generate_sales(30))
    choice = Choice(date(2026, 10, 25), date(2026, 10, 31), PREVIOUS)
    files = write_all(campaign, now=NOW.isoformat(), choice=choice)
    data = check_json(files["json"])
    assert (data["from"], data["to"]) == ("2026-10-25", "2026-10-31")
    assert (data["compared"]["from"], data["compared"]["to"]) == ("2026-10-18", "2026-10-24")
    assert len(list(csv.reader(io.StringIO(files["csv"].decode())))) == 8
    sheet = read_workbook(files["xlsx"])["Days"]
    start = sheet.index(["Numbers day by day"]) + 2
    assert len(sheet[start:-1]) == 7
    words = "Days shown: 25 October 2026 to 31 October 2026"
    assert words in read_pdf(files["pdf"])
    assert words in strip_markup(files["html"].decode())


def test_the_html_is_one_file_without_scripts_and_addresses() -> None:
    campaign = make_generated(generate_sales(10))
    html = FILES["html"].write(gather(campaign, now=NOW.isoformat())).decode()
    assert "<script" not in html
    assert "src=" not in html
    assert "<link" not in html
    assert "@import" not in html
    assert "href=" not in html
    assert html.count("<svg") >= 8


def test_files_have_no_chart_that_shows_nothing() -> None:
    campaign = make_campaign()
    for now in ("2026-10-01 12:00", "2026-11-01 12:00"):
        files = write_all(campaign, now=now)
        book = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))
        drawn = {sheet.title for sheet in book if sheet._charts}
        assert drawn <= {"Outlook"}  # an even pace is something
        assert "No gifts yet." not in re.findall(r"<text[^>]*>([^<]*)", files["html"].decode())
    sell(campaign, "2026-11-01 10:00")
    book = openpyxl.load_workbook(
        io.BytesIO(FILES["xlsx"].write(gather(campaign, now="2026-11-01 12:00")))
    )
    assert len(book["Days"]._charts) == 1


def test_links_reminders_and_newsletters_are_in_every_file() -> None:
    campaign = make_generated(generate_sales(20))
    Checkout.objects.filter(campaign=campaign, device="phone").update(friend="abc")
    letter = make_newsletter("morning")
    times = {"requested_at": at("2026-10-28 12:00"), "confirmed_at": at("2026-10-28 13:00")}
    make_subscription(letter, "ada@example.org", status="confirmed", campaign=campaign, **times)
    files = write_all(campaign, now=NOW.isoformat())
    data = check_json(files["json"])
    assert data["newsletters"]["confirmed"] == 1
    sheet = read_workbook(files["xlsx"])["Sources"]
    assert find_row(sheet, letter.name) == [1, 1, 0]
    joined = data["sharing"]["joined"]
    assert find_row(sheet, "Joined through links that members shared") == [joined]
    for text in (read_pdf(files["pdf"]), strip_markup(files["html"].decode())):
        assert "Joined through links that members shared" in text
        assert "From newsletter to member" in text


@pytest.mark.thorough
def test_every_chart_is_a_picture() -> None:
    contents = gather(make_generated(generate_sales(10)), now=NOW.isoformat())
    names = [chart.name for chart in contents.charts]
    assert names[:5] == ["curve", "days", "hours", "gifts", "newsletters"]
    assert "amounts-jpy" in names
    for chart in contents.charts:
        png, svg = CHARTS["png"].draw(chart), CHARTS["svg"].draw(chart).decode()
        assert struct.unpack(">I", png[16:20]) == (1920,)
        assert svg.startswith("<svg xmlns=")
        assert "var(" not in svg
    assert contents.find_chart("curves") is None


def test_the_same_report_gives_the_same_pdf() -> None:
    campaign = make_generated(generate_sales(5))
    first, second = (FILES["pdf"].write(gather(campaign, now=NOW.isoformat())) for _ in range(2))
    assert first == second
    assert first.startswith(b"%PDF")


def test_files_are_in_the_chosen_language() -> None:
    campaign = make_campaign()
    files = write_all(campaign, now="2026-11-10 12:00", language="uk")
    assert '<html lang="uk">' in files["html"].decode()
    assert "листопада" in read_pdf(files["pdf"])


# Bad input


def sell(campaign: Campaign, paid_at: str, **changes: Any) -> Payment:
    payment = make_payment(make_member(), campaign, paid_at, **changes)
    recount_campaign(campaign)
    return payment


def check_files(campaign: Campaign, *, now: str) -> dict[str, bytes]:
    files = write_all(campaign, now=now)
    check_json(files["json"])
    assert read_workbook(files["xlsx"])["Days"]
    assert read_pdf(files["pdf"])
    for chart in gather(campaign, now=now).charts:
        assert CHARTS["png"].draw(chart).startswith(b"\x89PNG")
    return files


@pytest.mark.thorough
def test_a_campaign_without_a_payment_or_a_goal_has_files() -> None:
    campaign = make_campaign()
    text = read_pdf(check_files(campaign, now="2026-11-10 12:00")["pdf"])
    assert "0 of 1,000 new members" in text
    assert "No payments yet." in text
    check_files(campaign, now="2026-10-01 12:00")  # before it began
    campaign.goals.all().delete()
    assert "no goal yet" in read_pdf(check_files(campaign, now="2026-11-10 12:00")["pdf"])


@pytest.mark.thorough
def test_a_single_payment_has_files() -> None:
    campaign = make_campaign()
    sell(campaign, "2026-11-01 10:00")
    assert "1 of 1,000 new members" in read_pdf(
        check_files(campaign, now="2026-11-01 12:00")["pdf"]
    )


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("length", "days"), [(timedelta(hours=3), 1), (timedelta(days=1095), 1096)]
)
def test_very_short_and_very_long_campaigns_have_files(length: timedelta, days: int) -> None:
    starts_at = at("2026-11-01 10:00")
    campaign = make_campaign(starts_at=starts_at, ends_at=starts_at + length)
    sell(campaign, "2026-11-01 11:00")
    files = check_files(campaign, now=(starts_at + length).isoformat())
    assert len(list(csv.reader(io.StringIO(files["csv"].decode())))) == days + 1
    assert len(files["pdf"]) < 1_000_000


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("currency", "minor", "written", "amount"),
    [("jpy", 7000, "¥7,000", "7000"), ("kwd", 1234, "KWD\xa01.234", "1.234")],
)
def test_currencies_without_and_with_three_decimals_have_files(
    currency: str, minor: int, written: str, amount: str
) -> None:
    campaign = make_campaign(currency=currency)
    sell(campaign, "2026-11-02 10:00", currency=currency, amount_minor=minor)
    files = check_files(campaign, now="2026-11-03 12:00")
    assert " ".join(written.split()) in read_pdf(files["pdf"])
    rows = list(csv.DictReader(io.StringIO(files["csv"].decode("utf-8-sig"))))
    assert rows[-1]["raised_total"] == amount
    assert find_row(read_workbook(files["xlsx"])["Money"], currency.upper())[1] == float(amount)


def test_a_name_with_a_formula_is_made_harmless() -> None:
    campaign = make_campaign(slug="-2")
    campaign.copies.update(name='=HYPERLINK("http://x.example")')
    sell(campaign, "2026-11-02 10:00")
    files = check_files(campaign, now="2026-11-03 12:00")
    book = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell for cell in cells if cell.data_type == "f"] == []
    assert "'=HYPERLINK" in str([cell.value for cell in cells if cell.value])
    assert "\n'-2," in files["csv"].decode().replace("\r", "")


def test_markup_and_characters_without_a_font_do_no_harm() -> None:
    campaign = make_campaign()
    campaign.copies.update(name="<script>alert(1)</script> #strong[x] 🎂𓀀 " + "x" * 35)
    files = check_files(campaign, now="2026-11-03 12:00")
    assert "<script" not in files["html"].decode()
    assert "#strong[x]" in read_pdf(files["pdf"])


@pytest.mark.parametrize("language", ["pt-br", "zh-hans"])
def test_reports_are_written_in_languages_with_a_country_or_script(language: str) -> None:
    contents = gather(make_generated(generate_sales(20)), now=NOW.isoformat(), language=language)
    assert "<svg" in contents.sections.hours.svg
    for each in FILES.values():
        assert each.write(contents)
