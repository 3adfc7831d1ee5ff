"""The report page's answers: where a campaign stands, and whether it will make it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from campaigns.models import Campaign, Goal, Note, Payment
from campaigns.reports.contents import gather_contents
from campaigns.reports.headline import write_headline
from campaigns.reports.outlook import Outlook, write_chance
from campaigns.reports.page import NOTHING, PREVIOUS, Choice, Page
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
    return gather_contents(campaign, choice, at=moment, language="en").page


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


def test_a_count_that_changed_after_the_last_day_is_explained(birthday: Campaign) -> None:
    words = "It ends with the last day: later refunds and disputes aren’t in it."
    outlook = show(birthday, now="2026-12-05 10:00").outlook
    assert outlook is not None
    assert outlook.curve.sentence == "The curve is at 39; the goal is 52."
    make_refund(Payment.objects.earliest("paid_at"), "2026-11-20 09:00")
    recount_campaign(birthday)
    outlook = show(birthday, now="2026-12-05 10:00").outlook
    assert outlook is not None
    assert outlook.curve.sentence == f"The curve is at 39; the goal is 52. {words}"


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
    assert outside.notice == "1 of these days isn’t in the campaign."


def test_the_first_days_have_none_before_them_to_compare_with(birthday: Campaign) -> None:
    first = show(birthday, Choice(last=date(2026, 11, 5), compare=PREVIOUS))
    assert first.periods == []
    assert first.notice == "There are no days before these in the campaign."
    assert show(birthday).notice == ""


def test_a_campaign_that_still_runs_can_be_compared_with(birthday: Campaign) -> None:
    """Two campaigns overlap: the other one is laid over the curve, and forecasts nothing."""
    make_last_year()
    other = make_campaign(
        slug="other",
        starts_at=at("2026-10-25 00:00+02:00"),
        ends_at=at("2026-12-25 00:00+02:00"),
    )
    for hour in ("10:00", "11:00"):
        make_payment(make_member(), other, f"2026-10-26 {hour}")
    recount_campaign(other)
    page = show(birthday, Choice(compare="other"))
    assert page.outlook is not None
    assert [line.values[:3] for line in page.outlook.curve.earlier] == [[0, 2, 2]]
    assert [sums.joined for sums in page.periods] == [40, 2]
    assert page.periods[1].url.startswith(f"/admin/campaigns/campaign/{other.pk}/progress/?")
    latest = show(birthday)
    assert latest.periods[1].joined == 11  # of the one that has ended


def test_the_compared_days_end_at_the_same_time_of_day(birthday: Campaign) -> None:
    """It is noon: what joined in the afternoon of last year's eleventh day is left out."""
    last_year = make_last_year()
    make_payment(make_member(), last_year, "2025-11-11 15:00")
    recount_campaign(last_year)
    assert show(birthday).periods[1].joined == 11
    assert show(birthday, now="2026-11-11 18:00").periods[1].joined == 12


def test_last_week_is_shown_until_this_time_of_day(birthday: Campaign) -> None:
    """On the 4th, four joined in Kyiv: two after midnight and two from noon on."""
    lately = {sums.name: sums for sums in show(birthday, now="2026-11-11 09:30").lately}
    assert lately["Same day last week"].joined == 4
    assert lately["Same day last week"].joined_by_now == 2
    assert lately["Today"].joined_by_now is None


# A starting number and a next target


def look(campaign: Campaign, *, now: str = "") -> Outlook:
    outlook = show(campaign, now=now).outlook
    assert outlook is not None
    return outlook


def test_a_starting_number_is_in_the_number_and_not_in_the_curve(birthday: Campaign) -> None:
    plain = look(birthday)
    birthday.goals.update(target=12_052, starts_from=12_000)
    outlook = look(birthday)
    assert outlook.curve.target == 52
    assert (outlook.expected, outlook.ahead) == (plain.expected, plain.ahead)
    assert outlook.forecast == plain.forecast
    assert outlook.verdict == plain.verdict
    assert "The 12,000 from before the campaign aren’t in it." in outlook.curve.sentence
    contents = gather_contents(birthday, EVERYTHING, at=NOW, language="en")
    assert contents.report.primary is not None
    line = write_headline(contents.report.primary, "en")
    assert line.words == "12,039 of 12,052 supporters"
    assert line.note == "39 in this campaign, 12,000 from before it."
    assert contents.report.pace.expected_by_now == plain.expected


def test_after_the_first_goal_the_answer_is_about_the_next_target(birthday: Campaign) -> None:
    birthday.goals.update(target=20, stretch_target=52)
    outlook = look(birthday)
    reached = "Yes, the goal was reached on 6\xa0November 2026."
    assert outlook.verdict.startswith(f"{reached} The chance of reaching the next target is ")
    assert outlook.curve.target == 52
    ended = look(birthday, now="2026-12-05 10:00")
    assert ended.verdict == f"{reached} The next target wasn’t reached."
    birthday.goals.update(stretch_target=39)
    assert look(birthday).verdict == "Yes, the goal was reached on 11\xa0November 2026."


def test_a_campaign_of_two_days_says_that_it_is_too_short(birthday: Campaign) -> None:
    Campaign.objects.update(ends_at=at("2026-11-03 00:00+02:00"))
    birthday.refresh_from_db()
    assert "too short" in look(birthday, now="2026-11-02 10:00").explanation


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
