"""Columns of lists and facts of rows: short moments, coloured states, other rows by title."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_lazy

from campaigns.dates import write_short_moment
from campaigns.models import Member
from campaigns.reports.titles import name_for, name_row

# The colours of a payment's states, for the statuses of other rows. Others are plain words.
_COLOURS = {
    **dict.fromkeys(
        ("pending", "waiting", "open", "starting", "new", "past_due", "paused"),
        "pending",
    ),
    **dict.fromkeys(("failed", "lapsed", "revoked", "unpaid"), "failed"),
    **dict.fromkeys(("ended", "expired", "ignored"), "refunded"),
}

# What the navigation calls a kind of row, where its field has the name that engineers use.
_HEADINGS = {"checkout": gettext_lazy("Purchase")}


def write_moment(moment: datetime | None) -> str:
    return "-" if moment is None else write_short_moment(moment)


def write_answer(is_true: bool) -> str:
    """Return "yes" or "no" as a word; Django's icons are red and green without a reason."""
    return gettext("yes") if is_true else gettext("no")


def choose_column(model: type[models.Model], name: Any) -> Any:
    """Return what a list shows for a column; our own for a moment, an answer, a status, a row."""
    if not isinstance(name, str):
        return name
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return name
    for kind, make in _MAKERS.items():
        if isinstance(field, kind):
            return make(model, name)
    if name == "status" and getattr(field, "choices", None):
        return _make_status(model, name)
    return name


def choose_related(model: type[models.Model], name: Any) -> Any:
    """Return what shows another row by its title: without people, as they have columns."""
    return _make_related(model, name) if _is_related(model, name) else name


@cache
def _make_related(model: type[models.Model], name: str) -> Callable[[Any], str]:
    def show(row: Any) -> str:
        related = getattr(row, name)
        is_member = isinstance(related, Member)
        return "-" if related is None else name_row(related, sees_people=is_member)

    return describe_column(show, model, name)


def link_related(model: type[models.Model], name: Any, request: HttpRequest) -> Any:
    """Return what links to another row by its title, if this user may view it."""
    if not _is_related(model, name):
        return name

    def show(row: Any) -> str:
        related = getattr(row, name)
        if related is None:
            return "-"
        words, url = name_for(request, related), _find_page(related, request)
        return format_html('<a href="{}">{}</a>', url, words) if url else words

    return describe_column(show, model, name)


def _is_related(model: type[models.Model], name: Any) -> bool:
    try:
        return isinstance(name, str) and isinstance(model._meta.get_field(name), models.ForeignKey)
    except FieldDoesNotExist:
        return False


def _find_page(row: models.Model, request: HttpRequest) -> str:
    of = f"{row._meta.app_label}.{{}}_{row._meta.model_name}".format
    if not any(request.user.has_perm(of(deed)) for deed in ("view", "change")):
        return ""
    try:
        page = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
        return reverse(page, args=[row.pk])
    except NoReverseMatch:
        return ""


@cache
def _make_moment(model: type[models.Model], name: str) -> Callable[[Any], str]:
    def show(row: Any) -> str:
        return write_moment(getattr(row, name))

    return describe_column(show, model, name)


@cache
def _make_answer(model: type[models.Model], name: str) -> Callable[[Any], str]:
    def show(row: Any) -> str:
        return write_answer(getattr(row, name))

    return describe_column(show, model, name)


@cache
def _make_status(model: type[models.Model], name: str) -> Callable[[Any], str]:
    def show(row: Any) -> str:
        colour = _COLOURS.get(getattr(row, name), "plain")
        words = getattr(row, f"get_{name}_display")()
        return format_html('<span class="staff-badge-{}">{}</span>', colour, words)

    return describe_column(show, model, name)


def describe_column(
    show: Callable[[Any], Any], model: type[models.Model], name: str
) -> Callable[[Any], Any]:
    """Let Django find the column's name, heading and order as it does for the field itself."""
    field: Any = model._meta.get_field(name)
    show.__name__ = name
    show.short_description = capfirst(_HEADINGS.get(name, field.verbose_name))  # type: ignore[attr-defined]
    show.admin_order_field = name  # type: ignore[attr-defined]
    return show


_MAKERS: dict[type[Any], Callable[[type[models.Model], str], Any]] = {
    models.DateTimeField: _make_moment,
    models.BooleanField: _make_answer,
    models.ForeignKey: choose_related,
}
