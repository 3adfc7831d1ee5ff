"""Rows behind a report: they add up to its totals, and one kind has each column's type."""

import csv
import io
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from pytest_django import DjangoAssertNumQueries

from campaigns.models import Campaign, Member
from campaigns.reports import Period, choose_period, gather_report
from campaigns.reports.rows import ROW_KINDS, Span
from campaigns.spreadsheets import count_sheets, stream_csv, write_xlsx
from tests.support.factories import at, make_campaign, make_gift, make_member, make_payment
from tests.support.generated import NOW, generate_sales, make_generated

pytestmark = pytest.mark.django_db


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


def read_rows(
    campaign: Campaign, name: str, *, now: datetime = NOW, period: Period | None = None
) -> list[dict[str, str]]:
    span = Span(campaign, period or choose_period(campaign, at=now), now)
    text = "".join(stream_csv(ROW_KINDS[name].write(span)))
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def read_sheet(campaign: Campaign, name: str) -> list[dict[str, Any]]:
    span, kind, file = (
        Span(campaign, choose_period(campaign, at=NOW), NOW),
        ROW_KINDS[name],
        io.BytesIO(),
    )
    sheets = count_sheets(kind.count_rows(span))
    write_xlsx(kind.write(span), file, sheets=sheets, money_format=kind.choose_money_format(span))
    head, *rows = openpyxl.load_workbook(file).worksheets[0].iter_rows()
    return [dict(zip([cell.value for cell in head], row, strict=True)) for row in rows]


@pytest.mark.both_databases
def test_rows_add_up_to_the_totals_of_the_report() -> None:
    campaign = make_generated(generate_sales(60))
    for period in (None, Period(date(2026, 10, 24), date(2026, 10, 28), campaign.zone)):
        report = gather_report(campaign, at=NOW, period=period)
        rows = {name: read_rows(campaign, name, period=period) for name in ROW_KINDS}
        joined = sum(day.joined for day in report.days)
        assert len(rows["members"]) == joined
        assert sum(row["counted_until"] == "" for row in rows["members"]) == (
            report.sources.plan.counted
        )
        for total in report.money.totals:
            own = {
                name: [row for row in rows[name] if row["currency"] == total.currency]
                for name in ("payments", "refunds")
            }
            paid = sum(Decimal(row["amount"]) for row in own["payments"])
            returned = sum(Decimal(row["amount"]) for row in own["refunds"])
            places = 1 if total.currency == "jpy" else 100
            assert paid * places == total.gross_minor
            assert returned * places == total.refunded_minor + total.lost_minor
            assert len(own["payments"]) == total.payments
        assert [row["day"] for row in rows["days"]] == [str(day.day) for day in report.days]
        assert sum(int(row["people"]) + int(row["gifts"]) for row in rows["days"]) == joined
    assert {row["kind"] for row in rows["refunds"]} <= {"refund", "lost dispute"}


def test_gifts_have_their_steps_and_their_people(birthday: Campaign) -> None:
    buyer = make_member("ada@example.org")
    gift = make_gift(buyer, birthday, "2026-11-05 10:00", recipient_name="=Ben")
    [row] = read_rows(birthday, "gifts", now=at("2026-11-10 12:00"))
    assert row["gift"] == str(gift.pk)
    assert (row["buyer_email"], row["recipient_name"]) == ("ada@example.org", "'=Ben")
    assert (row["paid_at"], row["claimed_at"]) == ("2026-11-05 12:00", "")  # in Kyiv
    assert (row["amount"], row["currency"]) == ("60.00", "eur")


def test_no_row_of_payments_and_refunds_names_a_reader() -> None:
    for name in ("payments", "refunds", "days"):
        assert not ROW_KINDS[name].has_names
        assert not {"email", "name", "buyer_email", "recipient_email"} & {*ROW_KINDS[name].columns}


def test_spreadsheets_have_numbers_times_and_days(birthday: Campaign) -> None:
    make_payment(make_member(), birthday, "2026-11-02 23:30")
    span_end = at("2026-11-05 12:00")
    campaign = birthday
    kind, file = ROW_KINDS["payments"], io.BytesIO()
    span = Span(campaign, choose_period(campaign, at=span_end), span_end)
    write_xlsx(kind.write(span), file, money_format=kind.choose_money_format(span))
    _head, row = openpyxl.load_workbook(file).worksheets[0].iter_rows()
    cells = dict(zip(kind.columns, row, strict=True))
    assert cells["paid_at"].value == datetime(2026, 11, 3, 1, 30)  # noqa: DTZ001
    assert cells["paid_at"].number_format == "yyyy-mm-dd hh:mm"
    assert (cells["amount"].value, cells["amount"].number_format) == (60, "#,##0.00")
    assert cells["payout_amount"].value is None


def test_days_are_dates_and_currencies_decide_about_decimals() -> None:
    campaign = make_campaign(currency="jpy")
    day = read_sheet(campaign, "days")[0]
    assert day["day"].number_format == "yyyy-mm-dd"
    assert day["raised"].number_format == "#,##0"
    make_payment(make_member(), campaign, "2026-11-02 10:00", currency="jpy", amount_minor=7000)
    make_payment(make_member(), campaign, "2026-11-02 10:00", currency="kwd", amount_minor=1234)
    yen, dinar = read_sheet(campaign, "payments")
    assert (yen["amount"].value, dinar["amount"].value) == (7000, 1.234)
    assert dinar["amount"].number_format == "#,##0.00##"


def test_no_rows_are_a_file_with_headings() -> None:
    campaign = make_campaign()
    assert read_rows(campaign, "payments") == []
    assert read_sheet(campaign, "payments") == []


def test_more_rows_take_no_more_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    campaign = make_generated(generate_sales(40))
    for name in ROW_KINDS:
        with django_assert_max_num_queries(6):
            assert read_rows(campaign, name)


def test_erased_members_have_no_address() -> None:
    campaign = make_generated(generate_sales(4))
    for member in Member.objects.all():
        member.email = f"erased-{member.pk}@erased.invalid"
        member.save()
    assert {row["email"] for row in read_rows(campaign, "members", now=NOW + timedelta(1))} == {""}
