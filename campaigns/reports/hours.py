from dataclasses import dataclass

from django.utils.translation import gettext_noop

from campaigns.reports.days import Movements
from campaigns.reports.periods import Period

__doc__ = DEFINITION = gettext_noop(
    "People and gifts by the weekday and the hour at which they started to count, in the "
    "campaign’s time zone, including those that stopped counting later."
)


@dataclass(frozen=True)
class Hours:
    """Seven rows from Monday to Sunday, each with 24 counts."""

    rows: tuple[tuple[int, ...], ...]

    @property
    def total(self) -> int:
        return sum(map(sum, self.rows))

    @property
    def busiest(self) -> tuple[int, int] | None:
        """The weekday (0 is Monday) and hour with the highest count; None if all are 0."""
        if not self.total:
            return None
        return max(
            ((day, hour) for day in range(7) for hour in range(24)),
            key=lambda place: self.rows[place[0]][place[1]],
        )


def count_hours(period: Period, movements: Movements) -> Hours:
    """Return how many people and gifts started to count in each hour of the week."""
    rows = [[0] * 24 for _day in range(7)]
    for (day, hour), number in movements.by_hour.items():
        if period.is_whole or period.first <= day < period.end:
            rows[day.weekday()][hour] += number
    return Hours(tuple(map(tuple, rows)))
