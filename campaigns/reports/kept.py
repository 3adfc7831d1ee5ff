"""Figures that take long to measure, so that pages show those of a minute ago.

Figures of a report are kept in this process, for up to a minute. Those of the home page are kept in
the database, and a job measures them again every minute (`campaigns/reports/home.py`): nobody waits
for them. What is quick is measured each time.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any, TypeVar

from django.core.cache import cache

from campaigns.models import KeptFigure

# Kept only if it took this long, and in this process for so many times as long.
SLOW_SECONDS = 0.25
KEPT_TIMES = 40
LONGEST_SECONDS = 60
# The job measures figures again after this time. If it hasn't for long, pages do without it.
MEASURED_EVERY = timedelta(seconds=55)
OLDEST = timedelta(minutes=10)

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


def find_kept(keys: Iterable[str], *, at: datetime) -> dict[str, Any]:
    """Return the values of those figures that the database keeps, by their keys."""
    kept = KeptFigure.objects.filter(key__in=keys, measured_at__gt=at - OLDEST)
    return dict(kept.values_list("key", "value"))


def measure_and_keep(
    key: str,
    measure: Callable[[], Figure],
    *,
    at: datetime,
    as_json: Callable[[Figure], Any] = lambda figure: figure,
) -> Figure:
    """Measure a figure; keep it in the database if that took long, as `as_json` writes it."""
    began = perf_counter()
    figure = measure()
    if perf_counter() - began > SLOW_SECONDS:
        KeptFigure.objects.update_or_create(
            key=key, defaults={"value": as_json(figure), "measured_at": at}
        )
    return figure


def forget_older(key: str, *, than: datetime) -> None:
    KeptFigure.objects.filter(key=key, measured_at__lt=than).delete()


def list_due_figures(*, at: datetime) -> list[str]:
    """Return the keys of the figures in the database that are to be measured again."""
    due = KeptFigure.objects.filter(measured_at__lte=at - MEASURED_EVERY)
    return list(due.values_list("key", flat=True))
