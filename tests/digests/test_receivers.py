"""When reports are due: at the receiver's hour in the newspaper's zone."""

import pytest
from django.conf import LazySettings

from campaigns.digests.receivers import find_last_moment, find_next_report, may_get_reports
from campaigns.models import ReportMail, ReportMessage
from tests.support.factories import at
from tests.support.reports import make_reader

DAILY, WEEKLY = ReportMessage.Kind.DAILY, ReportMessage.Kind.WEEKLY
# 2026-11-23 is a Monday.
CASES = [
    ("daily", "2026-11-24 04:59", "2026-11-24 05:00"),
    ("daily", "2026-11-24 05:00", "2026-11-25 05:00"),
    ("weekly", "2026-11-23 04:59", "2026-11-23 05:00"),
    ("weekly", "2026-11-23 05:00", "2026-11-30 05:00"),
    ("weekly", "2026-11-22 23:30", "2026-11-23 05:00"),
]


@pytest.fixture(autouse=True)
def kyiv(settings: LazySettings) -> None:
    settings.TIME_ZONE = "Europe/Kyiv"


@pytest.mark.parametrize(("choice", "after", "due"), CASES)
def test_the_next_report_is_due_at_the_hour_in_the_newspapers_zone(
    choice: str, after: str, due: str
) -> None:
    receiver = ReportMail(hour=7, **{choice: True})
    assert find_next_report(receiver, after=at(after)) == at(due)


def test_nothing_is_due_without_a_choice() -> None:
    receiver = ReportMail(hour=7, milestones=True)
    assert find_next_report(receiver, after=at("2026-11-24 12:00")) is None


def test_the_earlier_of_both_is_due() -> None:
    receiver = ReportMail(hour=7, daily=True, weekly=True)
    assert find_next_report(receiver, after=at("2026-11-24 12:00")) == at("2026-11-25 05:00")


@pytest.mark.parametrize(
    ("kind", "moment", "last"),
    [
        (DAILY, "2026-11-24 05:00", "2026-11-24 05:00"),
        (DAILY, "2026-11-24 04:59", "2026-11-23 05:00"),
        (WEEKLY, "2026-11-23 05:00", "2026-11-23 05:00"),
        (WEEKLY, "2026-11-29 12:00", "2026-11-23 05:00"),
        # Clocks were put back on 25 October and forward on 28 March.
        (DAILY, "2026-10-25 05:30", "2026-10-25 05:00"),
        (DAILY, "2026-10-25 04:30", "2026-10-24 04:00"),
        (DAILY, "2027-03-28 04:30", "2027-03-28 04:00"),
    ],
)
def test_the_last_moment_is_found(kind: ReportMessage.Kind, moment: str, last: str) -> None:
    assert find_last_moment(kind, 7, at=at(moment)) == at(last)


def test_an_hour_that_a_day_does_not_have_is_due_once() -> None:
    """Clocks go from 3:00 to 4:00 on 28 March 2027."""
    receiver = ReportMail(hour=3, daily=True)
    first = find_next_report(receiver, after=at("2027-03-27 12:00"))
    assert first == at("2027-03-28 01:00")
    assert find_next_report(receiver, after=first) == at("2027-03-29 00:00")


@pytest.mark.django_db
def test_only_active_users_with_the_permission_and_an_address_get_reports() -> None:
    assert may_get_reports(make_reader())
    assert not may_get_reports(make_reader("nora", email=""))
    former = make_reader("otto")
    former.groups.clear()
    assert not may_get_reports(former)
    left = make_reader("pia")
    left.is_active = False
    assert not may_get_reports(left)
