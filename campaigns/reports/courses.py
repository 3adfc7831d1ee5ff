"""The course of a campaign, from which a forecast is made, and the forecast itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

LEAST_DAYS = 3  # full days; before that it is too early for a forecast


@dataclass(frozen=True)
class Course:
    """A campaign day by day: how many people and gifts started to count on each full day.

    `length` is the number of days of the whole campaign, `stopped` how many of all those that
    started don't count any more.
    """

    first_day: date
    length: int
    people: Sequence[int]
    gifts: Sequence[int]
    people_today: int = 0
    gifts_today: int = 0
    stopped: int = 0


@dataclass(frozen=True)
class Forecast:
    """The count at the end of today and of each day ahead: lower end, median and upper end.

    `chance` is the chance of reaching the target, and `calibrated_on` the number of earlier
    campaigns that set the width of the range; 0 if there are too few. `held_for` is the number of
    them that would have ended in it.
    """

    low: list[int]
    median: list[int]
    high: list[int]
    chance: float
    calibrated_on: int
    held_for: int = 0
