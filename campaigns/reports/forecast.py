"""The forecast: how many will count at the end, as a range and a chance, never as one number.

The counts of a day are overdispersed (Poisson-gamma, variance φ times the mean). The log of a day's
mean is a level, an opening surge that fades, a closing surge, a trend and a weekday. The closing
surge isn't in the data before the end, so what we expect of it beforehand keeps the range wide.

The range is calibrated on earlier campaigns by split conformal prediction
(https://arxiv.org/abs/1905.03222): it is stretched until 8 in 10 of them would have ended in it.

`outlook.py` loads this module by its name when it needs a forecast, because numpy takes 13 MB.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from campaigns.reports.courses import LEAST_DAYS, Course, Forecast

Array = NDArray[np.float64]

DRAWS, DRAWS_OF_EARLIER = 4000, 1000
LEAST_DRAWS, MOST_CELLS = 400, 400_000  # a campaign of years has fewer draws, of many days each
LEAST_CAMPAIGNS = 4
# How much wider the range is than its own error until there are enough earlier campaigns.
UNCALIBRATED = 2.0
BAND = (0.1, 0.5, 0.9)
WIDEST = 3  # it is too early to tell while the upper end is this many times the lower one

_SEED = 20261101  # the same counts give the same forecast
_OPENING_DAYS, _CLOSING_DAYS = 2.0, 1.5  # how fast the two surges fade
# What we expect of level (around the log of the mean), opening, closing, trend and weekdays.
_EXPECTED = np.array([0, 1.5, 0.9, 0, *[0] * 7])
_SPREADS = np.array([3, 0.8, 0.6, 0.5, *[0.25] * 7])
_ROUNDS, _LONGEST_STEP = 6, 2.0
_LEAST_DISPERSION = 1.001
_DRIFT = 0.12  # standard deviation of the log level's daily change
_RECENT = 5  # days whose error shifts the days ahead by half of it


def make_forecast(
    course: Course, *, target: int, earlier: Sequence[Course] = ()
) -> Forecast | None:
    """Return the forecast of a running campaign; None if it is too early to tell, or over.

    `earlier` are campaigns that have ended, with all of their days.
    """
    done = len(course.people)
    if done < LEAST_DAYS or done >= course.length:
        return None
    scores = score_campaigns(earlier, elapsed=done / course.length)
    is_calibrated = len(scores) >= LEAST_CAMPAIGNS
    factor = find_factor(scores) if is_calibrated else UNCALIBRATED
    ends = draw_ends(course, factor=factor)
    low, median, high = np.quantile(ends, BAND, axis=0)
    if high[-1] >= WIDEST * low[-1]:
        return None
    return Forecast(
        low=[round(value) for value in low],
        median=[round(value) for value in median],
        high=[round(value) for value in high],
        chance=float((ends[:, -1] >= target).mean()),
        calibrated_on=len(scores) if is_calibrated else 0,
        held_for=sum(score <= factor for score in scores) if is_calibrated else 0,
    )


def draw_ends(course: Course, *, factor: float) -> Array:
    """Return possible counts (rows) at the end of today and of each day ahead (columns).

    `factor` stretches what is still to come away from its median, on a logarithmic scale.
    """
    started = sum(course.people) + sum(course.gifts)
    begun = started + course.people_today + course.gifts_today
    share = 1 - course.stopped / begun if begun else 1.0
    ahead = _stretch(_draw_all(course).cumsum(axis=1), factor)
    return np.maximum(share * (started + ahead), begun - course.stopped)


def score_campaigns(earlier: Sequence[Course], *, elapsed: float) -> list[float]:
    """Return how far each earlier campaign ended from the median, in half-widths of its range.

    Each is forecast as it was when this share of it had elapsed. Those that can't be are left out.
    """
    scores = []
    for course in earlier:
        done = round(elapsed * course.length)
        came = sum(course.people[done:]) + sum(course.gifts[done:])
        if not LEAST_DAYS <= done < course.length or not came:
            continue
        past = Course(course.first_day, course.length, course.people[:done], course.gifts[:done])
        low, median, high = np.quantile(_draw_all(past, draws=DRAWS_OF_EARLIER).sum(axis=1), BAND)
        if not 0 < low < median < high:
            continue
        width = high / median if came > median else median / low
        scores.append(float(abs(np.log(came / median)) / np.log(width)))
    return scores


def find_factor(scores: Sequence[float]) -> float:
    """Return the factor by which a range must be stretched so that 8 in 10 campaigns end in it."""
    rank = -(-(len(scores) + 1) * 4 // 5)  # ⌈(n + 1) · 0.8⌉
    return sorted(scores)[min(rank, len(scores)) - 1]


def _stretch(ahead: Array, factor: float) -> Array:
    median = np.maximum(np.median(ahead, axis=0), 0.5)
    stretched: Array = median * (ahead / median) ** factor
    return stretched


def _draw_all(course: Course, *, draws: int = DRAWS) -> Array:
    """Return draws of what starts to count today and on each day ahead: people and gifts."""
    chance = np.random.default_rng(_SEED)
    days = course.length - len(course.people)
    ahead = np.zeros((min(draws, max(LEAST_DRAWS, MOST_CELLS // days)), days))
    both = ((course.people, course.people_today), (course.gifts, course.gifts_today))
    for counts, today in both:
        if any(counts):
            drawn = _draw_days(np.array(counts, float), course, chance, len(ahead))
            drawn[:, 0] = np.maximum(drawn[:, 0], today)
            ahead += drawn
        else:
            ahead[:, 0] += today
    return ahead


def _draw_days(counts: Array, course: Course, chance: np.random.Generator, number: int) -> Array:
    """Return that number of draws of the days ahead of one kind of counts."""
    done, days = len(counts), _describe_days(course)
    found, precision, dispersion = _fit(counts, days[:done])
    means = np.exp(days[:done] @ found)
    recent = np.log((counts + 0.5) / (means + 0.5))[-_RECENT:].mean() / 2
    # Draws with the covariance H⁻¹: H = LLᵀ, and L⁻ᵀz has it.
    z = chance.standard_normal((number, len(found)))
    drawn = found + np.linalg.solve(np.linalg.cholesky(precision).T, z.T).T
    ahead = course.length - done
    drift = chance.normal(0, _DRIFT, (number, ahead)).cumsum(axis=1)
    drift -= _DRIFT**2 / 2 * np.arange(1, ahead + 1)  # so that it doesn't raise the mean
    rates = np.exp(np.clip(drawn @ days[done:].T + recent + drift, -20, 20))
    counts_ahead: Array = (
        chance.poisson(chance.gamma(rates / (dispersion - 1), dispersion - 1)) * 1.0
    )
    return counts_ahead


def _describe_days(course: Course) -> Array:
    """Return a row for each day: 1, opening surge, closing surge, trend, and the seven weekdays."""
    day = np.arange(course.length)
    weekdays = np.eye(7)[(course.first_day.weekday() + day) % 7]
    last = course.length - 1
    surges = (np.exp(-day / _OPENING_DAYS), np.exp(-(last - day) / _CLOSING_DAYS))
    return np.column_stack(
        [np.ones(course.length), *surges, (day - last / 2) / course.length, weekdays]
    )


def _fit(counts: Array, days: Array) -> tuple[Array, Array, float]:
    """Return the coefficients, their precision H and the dispersion φ, by penalised Newton."""
    expected = _EXPECTED + np.log(counts.mean()) * (np.arange(len(_EXPECTED)) == 0)
    penalty = np.diag(1 / _SPREADS**2)
    found, dispersion = expected.copy(), 2.0
    for _ in range(_ROUNDS):
        means = np.exp(days @ found)
        precision = days.T @ (days * means[:, None]) / dispersion + penalty
        slope = days.T @ (counts - means) / dispersion - penalty @ (found - expected)
        found += np.clip(np.linalg.solve(precision, slope), -_LONGEST_STEP, _LONGEST_STEP)
        means = np.exp(days @ found)
        pearson = float(((counts - means) ** 2 / means).sum())
        dispersion = max((16 + pearson) / (8 + len(counts)), _LEAST_DISPERSION)
    return found, days.T @ (days * means[:, None]) / dispersion + penalty, dispersion
