"""Figures that took long: shown again for a while instead of measured again."""

from collections.abc import Callable
from time import perf_counter
from typing import TypeVar

from django.core.cache import cache

# Kept only if it took this long, and then for so many times as long.
SLOW_SECONDS = 0.25
KEPT_TIMES = 40
LONGEST_SECONDS = 60

Figure = TypeVar("Figure")


def measure_or_keep(key: str, measure: Callable[[], Figure]) -> Figure:
    """Return what `measure` returns, or what it returned up to a minute ago if it is slow."""
    kept: tuple[Figure] | None = cache.get(key)
    if kept is not None:
        return kept[0]
    began = perf_counter()
    figure = measure()
    took = perf_counter() - began
    if took > SLOW_SECONDS:
        cache.set(key, (figure,), min(took * KEPT_TIMES, LONGEST_SECONDS))
    return figure
