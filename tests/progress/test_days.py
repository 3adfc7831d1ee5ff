"""The way to the number: day totals in the campaign's zone, and milestones."""

from datetime import date
from typing import Any

import pytest

from campaigns import progress
from campaigns.models import Campaign, Goal
from campaigns.progress import DayTotal, list_day_totals, list_milestones
from tests.support.factories import (
    at,
    make_campaign,
    make_gift,
    make_member,
    make_payment,
    make_refund,
    recount_campaign,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def campaign() -> Campaign:
    campaign = make_campaign(starts_at=at("2026-11-01 00:00"), ends_at=at("2026-11-05 22:00"))
    Goal.objects.create(campaign=campaign, kind=Goal.Kind.MONEY, target=50_000)
    Goal.objects.create(campaign=campaign, kind=Goal.Kind.GIFTS, target=10)
    for paid_at in ("2026-11-01 10:00", "2026-11-01 22:30", "2026-11-03 10:00"):
        payment = make_payment(make_member(), campaign, paid_at)
    make_refund(payment, "2026-11-04 10:00")
    progress.tally_gift(make_gift(make_member(), campaign, "2026-11-04 09:00"))
    recount_campaign(campaign)
    return campaign


def measure(campaign: Campaign, moment: str) -> dict[str, list[tuple[int, int, int]]]:
    goals = progress.measure_campaign(campaign, at=at(moment))
    return {
        goal.kind: [(day.day.day, day.change, day.total) for day in list_day_totals(campaign, goal)]
        for goal in goals
    }


def test_each_day_has_its_total_in_the_campaigns_zone(campaign: Campaign) -> None:
    days = measure(campaign, "2026-11-04 12:00")
    # 22:30 in London is half past midnight of the next day in Kyiv.
    assert days["new_members"] == [(1, 1, 1), (2, 1, 2), (3, 1, 3), (4, 0, 3)]
    assert days["gifts"] == [(1, 0, 0), (2, 0, 0), (3, 0, 0), (4, 1, 1)]
    assert days["money"][-1][2] == progress.sum_money_raised(campaign, at=at("2026-11-04 12:00"))


def test_there_are_no_days_before_the_start(campaign: Campaign) -> None:
    assert measure(campaign, "2026-10-30 12:00")["new_members"] == []


def test_the_last_day_shows_the_number_of_the_page(campaign: Campaign) -> None:
    make_refund(campaign.payments.earliest("paid_at"), "2026-11-20 10:00")
    recount_campaign(campaign)
    days = measure(campaign, "2026-11-21 12:00")["new_members"]
    assert days == [(1, 1, 1), (2, 1, 2), (3, 1, 3), (4, 0, 3), (5, -1, 2)]


@pytest.mark.parametrize(
    ("totals", "expected"),
    [
        ([40, 120, 260, 480], [(250, 3), (100, 2)]),
        ([300, 90], []),  # passed and lost again
        ([1000, 1600], [(1500, 2), (1000, 1), (750, 1), (500, 1), (250, 1), (100, 1)]),
    ],
)
def test_milestones_are_round_shares_of_the_target(
    totals: list[int], expected: list[tuple[int, int]]
) -> None:
    before = 0
    days: list[Any] = []
    for at_day, total in enumerate(totals, start=1):
        days.append(DayTotal(date(2026, 11, at_day), total - before, total))
        before = total
    found = list_milestones(days, target=1000)
    assert [(milestone.value, milestone.day.day) for milestone in found] == expected


def test_a_small_goal_has_each_milestone_once() -> None:
    days = [DayTotal(date(2026, 11, 1), 3, 3)]
    assert [milestone.value for milestone in list_milestones(days, target=3)] == [3, 2, 1]
