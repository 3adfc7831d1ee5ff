"""Changes of the history as staff read them: names instead of codes, amounts as money."""

import json
from collections.abc import Callable
from datetime import UTC
from typing import Any, NamedTuple

from auditlog.models import LogEntry
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import number_format
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext

from campaigns.dates import write_short_day, write_short_moment
from campaigns.models import Goal
from campaigns.reports.titles import name_row, write_money

LONGEST = 600  # characters of a value


class Change(NamedTuple):
    """One field before and after. Either is empty if there is no value."""

    field: str
    before: str
    after: str


def list_changes(entry: LogEntry) -> list[Change]:
    """Return the fields that changed, as staff read them."""
    model = entry.content_type.model_class()
    changes = []
    for name, values in (entry.changes or {}).items():
        if isinstance(values, dict):  # several related rows were added or removed: roles
            names = ", ".join(values["objects"])
            is_added = values["operation"] == "add"
            changes.append(Change(gettext("Roles"), *(("", names) if is_added else (names, ""))))
        elif model is not None and len(values) == 2:
            before, after = (_write(entry, model, name, value) for value in values)
            if before != after:
                changes.append(Change(_name_field(model, name), before, after))
    return changes


def _name_field(model: type[models.Model], name: str) -> str:
    try:
        return str(capfirst(model._meta.get_field(name).verbose_name))  # type: ignore[union-attr]
    except FieldDoesNotExist:  # of an earlier version
        return str(capfirst(name.replace("_", " ")))


def _write(entry: LogEntry, model: type[models.Model], name: str, value: Any) -> str:
    if value in {None, "None", ""}:
        return ""
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        return str(value)
    text = _write_value(entry, field, str(value).replace("\r\n", "\n"))
    return Truncator(text).chars(LONGEST)


def _write_value(entry: LogEntry, field: Any, value: str) -> str:
    if field.choices:
        return str({str(key): words for key, words in field.flatchoices}.get(value, value))
    for kind, write in _WRITERS.items():
        if isinstance(field, kind):
            return write(entry, field, value)
    return value.upper() if field.name == "currency" else value


def _write_answer(entry: LogEntry, field: Any, text: str) -> str:
    return gettext("Yes") if text == "True" else gettext("No")


def _write_row(entry: LogEntry, field: Any, text: str) -> str:
    row = field.related_model._default_manager.filter(pk=text).first()
    return name_row(row) if row is not None else text


def _write_moment(entry: LogEntry, field: Any, text: str) -> str:
    moment = parse_datetime(text)
    if moment is None:
        return text
    return write_short_moment(moment.replace(tzinfo=UTC))  # it is stored without its zone


def _write_day(entry: LogEntry, field: Any, text: str) -> str:
    day = parse_date(text)
    return write_short_day(day) if day is not None else text


def _write_list(entry: LogEntry, field: Any, text: str) -> str:
    try:
        found = json.loads(text)
    except ValueError:
        return text
    values = found if isinstance(found, list) else [found]
    return ", ".join(_write_number(entry, field, str(value)) for value in values)


def _write_number(entry: LogEntry, field: Any, text: str) -> str:
    """Write money of the row's currency as money, and other numbers with their thousands."""
    if not text.lstrip("-").isdecimal():
        return text
    currency = _find_currency(entry, field.name)
    if currency:
        return write_money(int(text), currency)
    return str(number_format(int(text), force_grouping=True))


def _find_currency(entry: LogEntry, name: str) -> str:
    """Return the currency of a number of the row; empty if it is no money, or the row is gone."""
    model: Any = entry.content_type.model_class()
    if not (name.endswith("_minor") or model is Goal):
        return ""
    row: Any = model._default_manager.filter(pk=entry.object_pk).first()
    if model is Goal:
        is_money = row is not None and row.kind == Goal.Kind.MONEY
        return row.campaign.currency if is_money else ""
    owner = getattr(row, "payment", row)
    return getattr(owner, "currency", "")


# A time is also a day for Django, so it comes first.
_WRITERS: dict[type[Any], Callable[[LogEntry, Any, str], str]] = {
    models.BooleanField: _write_answer,
    models.DateTimeField: _write_moment,
    models.DateField: _write_day,
    models.ForeignKey: _write_row,
    models.JSONField: _write_list,
    models.IntegerField: _write_number,
}
