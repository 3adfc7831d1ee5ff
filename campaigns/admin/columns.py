"""Columns of lists: moments short enough for one line, and states as coloured words."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.html import format_html
from django.utils.text import capfirst

from campaigns.dates import write_short_moment

# The colours of a payment's states, for the statuses of other rows. Others are plain words.
_COLOURS = {
    **dict.fromkeys(
        ("pending", "waiting", "open", "starting", "new", "past_due", "paused"),
        "pending",
    ),
    **dict.fromkeys(("failed", "lapsed", "revoked", "unpaid"), "failed"),
    **dict.fromkeys(("ended", "expired", "ignored"), "refunded"),
}


def write_moment(moment: datetime | None) -> str:
    return "-" if moment is None else write_short_moment(moment)


def choose_column(model: type[models.Model], name: Any) -> Any:
    """Return what a list shows for a column: our own, for a moment or a status of the model."""
    if not isinstance(name, str):
        return name
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return name
    if isinstance(field, models.DateTimeField):
        return _make_moment(model, name)
    if name == "status" and getattr(field, "choices", None):
        return _make_status(model, name)
    return name


@cache
def _make_moment(model: type[models.Model], name: str) -> Callable[[Any], str]:
    def show(row: Any) -> str:
        return write_moment(getattr(row, name))

    return _describe(show, model, name)


@cache
def _make_status(model: type[models.Model], name: str) -> Callable[[Any], str]:
    def show(row: Any) -> str:
        colour = _COLOURS.get(getattr(row, name), "plain")
        words = getattr(row, f"get_{name}_display")()
        return format_html('<span class="staff-badge-{}">{}</span>', colour, words)

    return _describe(show, model, name)


def _describe(
    show: Callable[[Any], str], model: type[models.Model], name: str
) -> Callable[[Any], str]:
    """Let Django find the column's name, heading and order as it does for the field itself."""
    field: Any = model._meta.get_field(name)
    show.__name__ = name
    show.short_description = capfirst(field.verbose_name)  # type: ignore[attr-defined]
    show.admin_order_field = name  # type: ignore[attr-defined]
    return show
