"""The days that a report covers, and what they are compared with."""

from datetime import UTC, date, datetime, timedelta

import pytest

from campaigns.models import Campaign
from campaigns.reports import Compare, Period, choose_period
from campaigns.reports.periods import choose_comparison, explain_outside, whole_campaign
from tests.support.factories import at, make_campaign

pytestmark = [pytest.mark.django_db, pytest.mark.once]

NOW = at("2026-11-10 12:00")


def days(period: Period) -> tuple[str, str]:
    return period.first.isoformat(), period.end.isoformat()


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign(
        starts_at=at("2026-11-01 00:00+02:00"), ends_at=at("2026-12-01 00:00+02:00")
    )


@pytest.mark.parametrize(
    ("first", "end", "chosen"),
    [
        (date(2026, 11, 2), date(2026, 11, 5), ("2026-11-02", "2026-11-05")),
        (date(2026, 11, 5), date(2026, 11, 2), ("2026-11-02", "2026-11-05")),
        (date(2026, 11, 5), date(2026, 11, 5), ("2026-11-05", "2026-11-06")),
        (date(2026, 11, 5), None, ("2026-11-05", "2026-11-11")),
        (None, date(2026, 11, 5), ("2026-11-01", "2026-11-05")),
        (None, date(2026, 10, 5), ("2026-10-05", "2026-10-06")),
        (date(2027, 1, 1), None, ("2027-01-01", "2027-01-02")),
        (date.min, date.max, ("2016-10-24", "2036-12-08")),
        (date.max, None, ("2036-12-08", "2036-12-09")),
    ],
)
def test_dates_are_put_right(
    birthday: Campaign, first: date | None, end: date | None, chosen: tuple[str, str]
) -> None:
    assert days(choose_period(birthday, at=NOW, first=first, end=end)) == chosen


def test_without_dates_the_period_is_the_whole_campaign(birthday: Campaign) -> None:
    for now, end in (("2026-10-01", "11-02"), ("2026-11-10", "11-11"), ("2027-05-01", "12-01")):
        period = choose_period(birthday, at=at(f"{now} 12:00"))
        assert days(period) == ("2026-11-01", f"2026-{end}")
        assert period.is_whole


def test_days_outside_the_campaign_are_allowed_and_explained(birthday: Campaign) -> None:
    inside = Period(date(2026, 11, 1), date(2026, 12, 1), birthday.zone)
    assert explain_outside(birthday, inside) == ""
    some = Period(date(2026, 10, 31), date(2026, 11, 2), birthday.zone)
    assert explain_outside(birthday, some) == "1 of these days isn’t in the campaign."
    none = Period(date(2025, 1, 1), date(2025, 1, 3), birthday.zone)
    assert explain_outside(birthday, none) == "2 of these days aren’t in the campaign."


def test_a_period_starts_and_ends_at_midnight_in_its_zone() -> None:
    # Berlin goes back an hour on 25 October, Beirut goes ahead at midnight on 29 March.
    period = Period(date(2026, 10, 25), date(2026, 10, 26), "Europe/Berlin")
    assert period.ends_at - period.starts_at == timedelta(hours=25)
    spring = Period(date(2026, 3, 29), date(2026, 3, 30), "Asia/Beirut")
    assert spring.starts_at == datetime(2026, 3, 28, 22, tzinfo=UTC)
    assert spring.ends_at - spring.starts_at == timedelta(hours=23)


def test_the_period_before_is_as_long_and_seen_as_long_after_its_start(birthday: Campaign) -> None:
    period = Period(date(2026, 11, 9), date(2026, 11, 11), birthday.zone)
    before = choose_comparison(birthday, period, at=NOW, compare=Compare.PREVIOUS)
    assert before is not None
    assert days(before.period) == ("2026-11-07", "2026-11-09")
    assert before.at == NOW - timedelta(days=2)


def test_days_before_the_campaign_are_nothing_to_compare_with(birthday: Campaign) -> None:
    for period in (
        whole_campaign(birthday, at=NOW),
        Period(date(2026, 11, 1), date(2026, 11, 3), birthday.zone),
    ):
        assert choose_comparison(birthday, period, at=NOW, compare=Compare.PREVIOUS) is None


def test_the_same_days_of_an_earlier_campaign_are_counted_from_its_start(
    birthday: Campaign,
) -> None:
    period = choose_period(birthday, at=NOW)
    kind = Compare.CAMPAIGN
    assert choose_comparison(birthday, period, at=NOW, compare=kind) is None
    assert choose_comparison(birthday, period, at=NOW, compare=Compare.NONE) is None
    starts = {"spring": "2026-03-20 00:00+01:00", "older": "2025-03-20 00:00+01:00"}
    spring, older = (
        make_campaign(
            slug=slug,
            zone="Europe/Berlin",
            starts_at=at(moment),
            ends_at=at(moment) + timedelta(days=5),
        )
        for slug, moment in starts.items()
    )
    newest = choose_comparison(birthday, period, at=NOW, compare=kind)
    chosen = choose_comparison(birthday, period, at=NOW, compare=kind, earlier=older)
    assert newest is not None
    assert chosen is not None
    assert (newest.campaign, days(newest.period)) == (spring, ("2026-03-20", "2026-03-30"))
    assert newest.at == newest.period.starts_at + timedelta(days=9, hours=14)
    assert (chosen.campaign, days(chosen.period)) == (older, ("2025-03-20", "2025-03-30"))


@pytest.mark.parametrize("length", [timedelta(hours=3), timedelta(days=1100)])
def test_a_campaign_of_any_length_has_a_period(length: timedelta) -> None:
    starts_at = at("2026-11-01 10:00")
    campaign = make_campaign(starts_at=starts_at, ends_at=starts_at + length)
    period = whole_campaign(campaign, at=starts_at + length)
    assert period.length == max(length.days + 1, 1)
