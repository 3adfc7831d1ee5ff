"""The forecast: its reference result, its calibration, and when it is too early to tell."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from campaigns.reports.courses import Course
from campaigns.reports.forecast import (
    BAND,
    draw_ends,
    find_factor,
    make_forecast,
    score_campaigns,
)
from tests.bench.forecast import generate_campaigns, measure, measure_newsrooms

pytestmark = pytest.mark.once

MONDAY = date(2026, 11, 2)
COUNTS = (120, 70, 50, 40, 35, 20, 22, 30, 31, 28, 25, 22, 18, 20, 25, 24, 22, 26, 19, 15, 21)
THREE_WEEKS = Course(MONDAY, 30, COUNTS, (0,) * len(COUNTS))


def test_the_reference_result_is_met_within_one_percent() -> None:
    ends = draw_ends(THREE_WEEKS, factor=1)[:, -1]
    assert np.quantile(ends, BAND) == pytest.approx([833, 909, 1048], rel=0.01)
    assert (ends >= 1000).mean() == pytest.approx(0.18, abs=0.01)


def test_the_same_counts_give_the_same_forecast() -> None:
    assert make_forecast(THREE_WEEKS, target=1000) == make_forecast(THREE_WEEKS, target=1000)


def test_the_fan_starts_at_the_count_of_today_and_opens_to_the_end() -> None:
    forecast = make_forecast(replace(THREE_WEEKS, people_today=60), target=1000)
    assert forecast is not None
    assert len(forecast.low) == len(forecast.median) == len(forecast.high) == 9
    assert forecast.low[0] == sum(COUNTS) + 60
    widths = [high - low for low, high in zip(forecast.low, forecast.high, strict=True)]
    assert widths == sorted(widths)
    assert forecast.low[-1] < forecast.median[-1] < forecast.high[-1]


def test_gifts_are_forecast_beside_people() -> None:
    with_gifts = replace(THREE_WEEKS, gifts=(10,) * len(COUNTS))
    median = np.median(draw_ends(with_gifts, factor=1)[:, -1])
    # Ten a day for nine more days, and the surge that is expected at the end.
    assert 909 + 210 + 80 < median < 909 + 210 + 170


def test_a_campaign_that_loses_a_tenth_is_expected_to_go_on_losing() -> None:
    ends = draw_ends(replace(THREE_WEEKS, stopped=68), factor=1)[:, -1]
    assert np.median(ends) == pytest.approx(909 * 0.9, rel=0.02)


def test_a_factor_stretches_what_is_still_to_come_around_its_median() -> None:
    low, median, high = np.quantile(draw_ends(THREE_WEEKS, factor=2)[:, -1] - 683, BAND)
    assert median == pytest.approx(226, rel=0.03)
    assert high / median == pytest.approx((365 / 226) ** 2, rel=0.05)
    assert median / low == pytest.approx((226 / 150) ** 2, rel=0.05)


@pytest.mark.parametrize(
    ("course", "why"),
    [
        (Course(MONDAY, 30, COUNTS[:2], (0, 0)), "two full days"),
        (Course(MONDAY, 30, (0, 0, 0, 1), (0,) * 4), "hardly any counts"),
        (Course(MONDAY, 30, (0,) * 10, (0,) * 10), "no counts at all"),
        (Course(MONDAY, 21, COUNTS, (0,) * 21), "over"),
        (Course(MONDAY, 1, (), ()), "a campaign of three hours"),
    ],
)
def test_there_is_no_forecast_when_it_is_too_early_or_over(course: Course, why: str) -> None:
    assert make_forecast(course, target=1000) is None, why


def test_a_campaign_of_years_is_forecast_or_not_without_an_error() -> None:
    long = Course(MONDAY, 1096, (5,) * 1080, (1,) * 1080)
    forecast = make_forecast(long, target=6000)
    assert forecast is not None
    assert forecast.chance == 1.0


def test_the_factor_is_the_smallest_that_would_have_held_for_eight_in_ten() -> None:
    assert find_factor([0.5, 2.0, 1.0, 1.5]) == 2.0
    assert find_factor([number / 10 for number in range(1, 10)]) == 0.8


def test_four_earlier_campaigns_calibrate_the_range() -> None:
    earlier = list(generate_campaigns(4, seed=3))
    calibrated = make_forecast(THREE_WEEKS, target=1000, earlier=earlier)
    assert calibrated is not None
    assert calibrated.calibrated_on == 4
    too_few = make_forecast(THREE_WEEKS, target=1000, earlier=earlier[:3])
    assert too_few is not None
    assert too_few.calibrated_on == 0


def test_an_earlier_campaign_without_sales_is_left_out() -> None:
    assert score_campaigns([Course(MONDAY, 30, (0,) * 30, (0,) * 30)], elapsed=0.5) == []


def test_the_median_is_near_the_end_of_generated_campaigns() -> None:
    """The bench has the figures of 300 campaigns; this is a smaller version of it."""
    results = [
        measure(course, elapsed=0.75, factor=1.4)
        for seed in range(100, 112)
        for course in generate_campaigns(2, seed=seed)
    ]
    assert 0.7 <= np.mean([held for held, _error in results]) <= 0.98
    assert np.median([error for _held, error in results]) <= 0.08


@pytest.mark.thorough
@pytest.mark.parametrize(("elapsed", "most"), [(0.25, 0.20), (0.5, 0.12), (0.75, 0.08)])
def test_the_range_holds_for_eight_in_ten_of_300_campaigns(elapsed: float, most: float) -> None:
    results = measure_newsrooms(30, elapsed=elapsed)
    assert len(results.calibrated) == 300
    assert 0.7 <= np.mean(results.calibrated) <= 0.9
    assert np.median(results.errors) <= most
