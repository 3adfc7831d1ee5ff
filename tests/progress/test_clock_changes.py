"""Clock changes: windows stay exact, and rows are on their day, on days of 23 or 25 hours."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from campaigns import progress
from campaigns.models import Campaign
from campaigns.reports import Report, formats, gather_report
from tests.support.factories import (
    make_campaign,
    make_member,
    make_payment,
    make_refund,
    recount_campaign,
)

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
# Zone, day, number of hours, and the hour that happens twice or is skipped.
CHANGES = [
    ("Europe/Kyiv", date(2026, 10, 25), 25, 3),
    ("Europe/Kyiv", date(2027, 3, 28), 23, 3),
    ("America/New_York", date(2026, 11, 1), 25, 1),
    ("America/New_York", date(2027, 3, 14), 23, 2),
]
LONG = [change for change in CHANGES if change[2] == 25]


def midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def open_campaign(zone: str, starts_at: datetime, ends_at: datetime) -> Campaign:
    return make_campaign(zone=zone, starts_at=starts_at, ends_at=ends_at)


def pay(campaign: Campaign, moment: datetime) -> None:
    make_payment(make_member(), campaign, moment.isoformat())


def recount_and_gather(campaign: Campaign, at: datetime) -> Report:
    recount_campaign(campaign)
    return gather_report(campaign, at=at)


@pytest.mark.parametrize(("zone", "day", "hours", "hour"), CHANGES)
def test_every_hour_belongs_to_its_day(zone: str, day: date, hours: int, hour: int) -> None:
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    begin, end = midnight(day, zone), midnight(after, zone)
    assert end - begin == hours * HOUR
    campaign = open_campaign(zone, midnight(before, zone), midnight(after, zone) + 24 * HOUR)
    for number in range(-1, hours + 1):
        pay(campaign, begin + number * HOUR + HOUR / 2)
    figures = recount_and_gather(campaign, end + 2 * HOUR)
    assert [(row.day, row.people) for row in figures.days] == [
        (before, 1),
        (day, hours),
        (after, 1),
    ]
    rows = list(csv.DictReader(io.StringIO(formats.as_csv(figures))))
    assert {row["day"]: row["people"] for row in rows}[day.isoformat()] == str(hours)
    [line] = [row for row in formats.as_text(figures).splitlines() if row.startswith(f"  {day}")]
    assert line.split()[1] == str(hours)


@pytest.mark.parametrize(("zone", "day", "hours", "hour"), CHANGES)
def test_a_window_of_one_day_includes_only_that_day(
    zone: str, day: date, hours: int, hour: int
) -> None:
    begin, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    campaign = open_campaign(zone, begin, end)
    for moment in (begin - SECOND, begin, end - SECOND, end):
        pay(campaign, moment)
    figures = recount_and_gather(campaign, end)
    assert [(row.day, row.people) for row in figures.days] == [(day, 2)]
    assert [total.gross_minor for total in figures.money.totals] == [12000]


@pytest.mark.parametrize("fold", [0, 1])
@pytest.mark.parametrize(("zone", "day", "hours", "hour"), LONG)
def test_a_window_can_end_in_either_of_two_identical_hours(
    zone: str, day: date, hours: int, hour: int, *, fold: int
) -> None:
    local = ZoneInfo(zone)
    first, second = (
        datetime(day.year, day.month, day.day, hour, 30, tzinfo=local, fold=hour_fold).astimezone(
            UTC
        )
        for hour_fold in (0, 1)
    )
    assert second - first == HOUR
    campaign = open_campaign(zone, midnight(day, zone), (first, second)[fold])
    for moment in (first - SECOND, first, second - SECOND, second):
        pay(campaign, moment)
    [goal] = progress.measure_campaign(campaign, at=second + HOUR)
    assert goal.counted == 0  # nothing was counted yet
    figures = recount_and_gather(campaign, second + HOUR)
    assert figures.goals[0].counted == (1, 3)[fold]
    assert [(row.day, row.people) for row in figures.days] == [(day, (1, 3)[fold])]


@pytest.mark.parametrize(("zone", "day", "hours", "hour"), LONG)
def test_figures_at_the_first_of_two_identical_hours_exclude_the_second(
    zone: str, day: date, hours: int, hour: int
) -> None:
    local = ZoneInfo(zone)
    first = datetime(day.year, day.month, day.day, hour, 30, tzinfo=local)
    second = first.replace(fold=1).astimezone(UTC)
    campaign = open_campaign(zone, midnight(day, zone), midnight(day, zone) + 48 * HOUR)
    payment = make_payment(make_member(), campaign, first.astimezone(UTC).isoformat())
    make_refund(payment, second.isoformat())
    recount_campaign(campaign)
    for moment, counted, net in ((second - SECOND, 1, 6000), (second, 0, 0)):
        [goal] = progress.measure_campaign(campaign, at=moment)
        [money] = progress.sum_payments(campaign, at=moment)
        assert (goal.counted, money.net_minor) == (counted, net)
