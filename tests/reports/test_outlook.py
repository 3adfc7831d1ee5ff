"""The report page's answers: where a campaign stands, and whether it will make it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from campaigns.models import Campaign, Goal, Note
from campaigns.reports import gather_report
from campaigns.reports.outlook import write_chance
from campaigns.reports.page import NOTHING, PREVIOUS, Choice, Page, describe_page, list_earlier
from tests.support.factories import (
    at,
    make_campaign,
    make_gift,
    make_member,
    make_payment,
    make_refund,
    recount_campaign,
)

pytestmark = pytest.mark.django_db

NOW = at("2026-11-11 10:00")  # noon in Kyiv, on the eleventh day
EVERYTHING = Choice()


@pytest.fixture
def birthday() -> Campaign:
    """A campaign of 13 days in Kyiv: four people a day, two today, and one who left."""
    campaign = make_campaign(
        starts_at=at("2026-11-01 00:00+02:00"), ends_at=at("2026-11-14 00:00+02:00"), target=52
    )
    for day in range(1, 11):
        for hour in ("10:00", "11:00", "22:30", "22:45"):
            payment = make_payment(make_member(), campaign, f"2026-11-{day:02} {hour}")
    make_refund(payment, "2026-11-11 09:00")
    recount_campaign(campaign)
    return campaign


def make_last_year() -> Campaign:
    campaign = make_campaign(
        slug="last-year",
        starts_at=at("2025-11-01 00:00+02:00"),
        ends_at=at("2025-11-21 00:00+02:00"),
        target=10,
    )
    for day in range(1, 21):
        make_payment(make_member(), campaign, f"2025-11-{day:02} 10:00")
    recount_campaign(campaign)
    return campaign


def show(campaign: Campaign, choice: Choice = EVERYTHING, *, now: str = "") -> Page:
    moment = at(now) if now else NOW
    figures = gather_report(campaign, at=moment)
    earlier = list_earlier(campaign, figures.primary, at=moment, language="en")
    return describe_page(campaign, figures, choice, language="en", earlier=earlier)


def test_lately_are_today_yesterday_and_the_same_day_last_week(birthday: Campaign) -> None:
    # 22:30 in UTC is half past midnight in Kyiv.
    found = [(sums.name, sums.joined, sums.stopped) for sums in show(birthday).lately]
    assert found == [
        ("Today", 2, 1),
        ("Yesterday", 4, 0),
        ("Same day last week", 4, 0),
        ("In all", 40, 1),
    ]
    assert show(birthday).lately[0].raised_minor == 6000  # €120 less €60


def test_a_campaign_that_is_over_has_no_today(birthday: Campaign) -> None:
    assert [sums.name for sums in show(birthday, now="2026-12-05 10:00").lately] == ["In all"]


def test_the_curve_has_pace_goal_today_and_forecast(birthday: Campaign) -> None:
    outlook = show(birthday).outlook
    assert outlook is not None
    curve = outlook.curve
    assert curve.main.values == [2, 6, 10, 14, 18, 22, 26, 30, 34, 38, 39]
    assert (curve.today, curve.target, len(curve.days)) == (10, 52, 13)
    assert curve.pace is not None
    assert curve.pace.values[-1] == 52
    assert (outlook.expected, outlook.ahead) == (42, -3)  # 10.5 of 13 days
    assert curve.fan is not None
    assert curve.fan.first == 11
    assert outlook.low == curve.fan.low[-1] >= 39
    assert outlook.verdict.startswith("The chance of reaching the goal is ")
    assert "9 real campaigns" in outlook.explanation


@pytest.mark.parametrize(
    ("now", "target", "verdict"),
    [
        ("2026-10-20 10:00", 60, "The campaign hasn’t started yet."),
        ("2026-11-02 10:00", 60, "It’s too early to tell."),
        ("2026-11-11 10:00", 5, "Yes, the goal was reached on 2\xa0November 2026."),
        ("2026-12-05 10:00", 60, "No. The campaign ended short of its goal."),
    ],
)
def test_every_state_has_its_answer(
    birthday: Campaign, now: str, target: int, verdict: str
) -> None:
    birthday.goals.update(target=target)
    outlook = show(birthday, now=now).outlook
    assert outlook is not None
    assert outlook.verdict == verdict


def test_earlier_campaigns_are_laid_over_the_curve_by_day_of_campaign(birthday: Campaign) -> None:
    make_last_year()
    overlaid = show(birthday).outlook
    assert overlaid is not None
    assert [line.values for line in overlaid.curve.earlier] == [[*range(1, 14)]]
    alone = show(birthday, Choice(compare=NOTHING)).outlook
    assert alone is not None
    assert alone.curve.earlier == []


def test_days_are_compared_with_those_before_or_of_an_earlier_campaign(birthday: Campaign) -> None:
    make_last_year()
    days = Choice(first=date(2026, 11, 6), last=date(2026, 11, 8))
    page = show(birthday, days)
    assert [(sums.name, sums.joined) for sums in page.periods] == [
        ("Selected days", 12),
        ("Same days of Third birthday", 3),
    ]
    before = show(birthday, replace(days, compare=PREVIOUS))
    assert [(sums.name, sums.joined) for sums in before.periods][1] == ("3 days before", 12)
    assert show(birthday, replace(days, compare=NOTHING)).periods == []
    outside = show(birthday, Choice(first=date(2030, 1, 1)))
    assert (outside.days, outside.periods) == ([], [])


def test_notes_are_drawn_on_their_day_of_the_campaigns_zone(birthday: Campaign) -> None:
    for when, text in (("2026-11-04 23:00", "Newsletter sent"), ("2026-09-01 10:00", "Plan made")):
        Note.objects.create(campaign=birthday, at=at(when), text=text)
    page = show(birthday)
    assert page.outlook is not None
    assert [(mark.at, mark.text) for mark in page.outlook.curve.notes] == [(4, "Newsletter sent")]
    assert [note.text for note in page.notes] == ["Plan made", "Newsletter sent"]


def test_a_goal_of_gifts_has_a_curve_of_gifts(birthday: Campaign) -> None:
    for day in ("2026-11-02", "2026-11-05"):
        gift = make_gift(make_member(), birthday, f"{day} 10:00")
    make_refund(gift.payment, "2026-11-07 10:00")
    recount_campaign(birthday)
    birthday.goals.update(kind=Goal.Kind.GIFTS)
    outlook = show(birthday).outlook
    assert outlook is not None
    assert outlook.curve.main.values == [0, 1, 1, 1, 2, 2, 1, 1, 1, 1, 1]


def test_a_goal_of_money_is_forecast_in_money(birthday: Campaign) -> None:
    birthday.goals.update(kind=Goal.Kind.MONEY, target=360_000)
    outlook = show(birthday).outlook
    assert outlook is not None
    assert outlook.curve.main.values[-1] == 39 * 6000
    assert outlook.low is not None
    assert outlook.low >= 39 * 6000
    assert "€3,600" in outlook.curve.sentence


def test_a_campaign_of_three_hours_is_a_point(birthday: Campaign) -> None:
    Campaign.objects.update(starts_at=NOW - timedelta(hours=2), ends_at=NOW + timedelta(hours=1))
    birthday.refresh_from_db()
    make_last_year()
    outlook = show(birthday).outlook
    assert outlook is not None
    assert (len(outlook.curve.days), outlook.curve.earlier, outlook.curve.pace) == (1, [], None)


@pytest.mark.parametrize(
    ("chance", "words"),
    [
        (0.0, "less than 1 in 20"),
        (0.07, "about 1 in 10"),
        (0.18, "about 2 in 10"),
        (0.94, "about 9 in 10"),
        (1.0, "more than 19 in 20"),
    ],
)
def test_a_chance_is_said_in_words(chance: float, words: str) -> None:
    assert write_chance(chance) == words
