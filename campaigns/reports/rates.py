"""Rates: parts of a whole, which may be nothing."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """A part of a whole. A rate over nothing is None; `reason` says why there is nothing."""

    part: int
    whole: int
    reason: str = ""

    @property
    def percent(self) -> float | None:
        """The percentage with one decimal place."""
        return round(100 * self.part / self.whole, 1) if self.whole else None
