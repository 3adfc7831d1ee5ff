"""The two days a year that have 23 or 25 hours: windows to the second, and each row on its day."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from campaigns import progress
from campaigns.models import Campaign
from campaigns.reports import Figures, formats, gather_figures
from tests.support.factories import (
    make_campaign,
    make_member,
    make_payment,
    make_refund,
    recount_campaign,
)

pytestmark = pytest.mark.django_db

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
# Zone, day, its hours, and the first hour that is there twice or was left out.
CHANGES = [
    ("Europe/Kyiv", date(2026, 10, 25), 25, 3),
    ("Europe/Kyiv", date(2027, 3, 28), 23, 3),
    ("America/New_York", date(2026, 11, 1), 25, 1),
    ("America/New_York", date(2027, 3, 14), 23, 2),
]
LONG = [each for each in CHANGES if each[2] == 25]


def midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def open_campaign(zone: str, starts_at: datetime, ends_at: datetime) -> Campaign:
    return make_campaign(zone=zone, starts_at=starts_at, ends_at=ends_at)


def pay(campaign: Campaign, moment: datetime) -> None:
    make_payment(make_member(), campaign, moment.isoformat())


def look(campaign: Campaign, at: datetime) -> Figures:
    recount_campaign(campaign)
    return gather_figures(campaign, at=at)


@pytest.mark.parametrize(("zone", "day", "hours", "hour"), CHANGES)
def test_every_hour_of_the_day_is_of_that_day_and_no_other(
    zone: str, day: date, hours: int, hour: int
) -> None:
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    begin, end = midnight(day, zone), midnight(after, zone)
    assert end - begin == hours * HOUR
    campaign = open_campaign(zone, midnight(before, zone), midnight(after, zone) + 24 * HOUR)
    for number in range(-1, hours + 1):
        pay(campaign, begin + number * HOUR + HOUR / 2)
    figures = look(campaign, end + 2 * HOUR)
    assert [(each.day, each.people) for each in figures.days] == [
        (before, 1),
        (day, hours),
        (after, 1),
    ]
    rows = list(csv.DictReader(io.StringIO(formats.as_csv(figures))))
    assert {row["day"]: row["people"] for row in rows}[day.isoformat()] == str(hours)
    [line] = [each for each in formats.as_text(figures).splitlines() if each.startswith(f"  {day}")]
    assert line.split()[1] == str(hours)


@pytest.mark.parametrize(("zone", "day", "hours", "hour"), CHANGES)
def test_a_day_that_is_the_whole_window_holds_its_own_seconds_alone(
    zone: str, day: date, hours: int, hour: int
) -> None:
    begin, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    campaign = open_campaign(zone, begin, end)
    for moment in (begin - SECOND, begin, end - SECOND, end):
        pay(campaign, moment)
    figures = look(campaign, end)
    assert [(each.day, each.people) for each in figures.days] == [(day, 2)]
    assert [each.gross_minor for each in figures.money] == [12000]


@pytest.mark.parametrize("fold", [0, 1])
@pytest.mark.parametrize(("zone", "day", "hours", "hour"), LONG)
def test_a_window_may_end_in_either_of_the_two_same_hours(
    zone: str, day: date, hours: int, hour: int, *, fold: int
) -> None:
    there = ZoneInfo(zone)
    first, second = (
        datetime(day.year, day.month, day.day, hour, 30, tzinfo=there, fold=each).astimezone(UTC)
        for each in (0, 1)
    )
    assert second - first == HOUR
    campaign = open_campaign(zone, midnight(day, zone), (first, second)[fold])
    for moment in (first - SECOND, first, second - SECOND, second):
        pay(campaign, moment)
    [goal] = progress.measure_campaign(campaign, at=second + HOUR)
    assert goal.counted == 0  # nobody was counted yet
    figures = look(campaign, second + HOUR)
    assert figures.goals[0].counted == (1, 3)[fold]
    assert [(each.day, each.people) for each in figures.days] == [(day, (1, 3)[fold])]


@pytest.mark.parametrize(("zone", "day", "hours", "hour"), LONG)
def test_what_is_known_at_the_first_of_two_same_hours_knows_nothing_of_the_second(
    zone: str, day: date, hours: int, hour: int
) -> None:
    there = ZoneInfo(zone)
    first = datetime(day.year, day.month, day.day, hour, 30, tzinfo=there)
    second = first.replace(fold=1).astimezone(UTC)
    campaign = open_campaign(zone, midnight(day, zone), midnight(day, zone) + 48 * HOUR)
    payment = make_payment(make_member(), campaign, first.astimezone(UTC).isoformat())
    make_refund(payment, second.isoformat())
    recount_campaign(campaign)
    for moment, counted, left in ((second - SECOND, 1, 6000), (second, 0, 0)):
        [goal] = progress.measure_campaign(campaign, at=moment)
        [money] = progress.sum_payments(campaign, at=moment)
        assert (goal.counted, money.net_minor) == (counted, left)
