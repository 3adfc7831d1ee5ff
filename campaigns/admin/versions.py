"""The version of a row that a form was filled in for: nobody overwrites a change unseen.

A form carries its row, and the rows that are edited below it, as a digest of each field. If the
database has others when the form is sent, the row was changed meanwhile: base.py shows the form
again with what changed and by whom, and staff decide.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from auditlog.models import LogEntry
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, Q, QuerySet
from django.forms import BaseForm
from django.forms.formsets import DELETION_FIELD_NAME
from django.http import HttpRequest, QueryDict
from django.utils.text import capfirst

# The fields of a form that carry the version it shows, and the one it is saved over.
VERSION, SAVE_OVER = "version", "save_over"
_SALT = "campaigns.admin.versions"

# Of each row, as "campaigns.goal:12": its fields, each with a digest of its value.
Rows = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Version:
    """The rows of a form as they were at `at`, in seconds since 1970."""

    at: float
    rows: Rows

    def sign(self) -> str:
        return signing.dumps({"at": self.at, "rows": self.rows}, salt=_SALT, compress=True)


def read_version(pages: admin.ModelAdmin[Any], request: HttpRequest, row: Model) -> Version:
    """Return what the database has of the fields that this user can edit on the row's page."""
    fields = flatten_fieldsets(pages.get_fieldsets(request, row))
    form = pages.get_form(request, row, change=True, fields=fields)(instance=row)
    rows = {_name_row(row): _digest_fields(form)}
    for formset_class, inline in _list_edited(pages, request, row):
        formset = formset_class(instance=row, queryset=inline.get_queryset(request))
        for each in formset.initial_forms:
            rows[_name_row(each.instance)] = _digest_fields(each)
    return Version(time.time(), rows)


def load_version(token: str | None) -> Version | None:
    """Return a version that `sign` signed, or None."""
    try:
        found = signing.loads(token or "", salt=_SALT)
    except signing.BadSignature:
        return None
    return Version(found["at"], found["rows"])


def compare_rows(then: Rows, now: Rows) -> dict[str, set[str]]:
    """Return the rows that differ, each with its fields that do: all fields if it came or went."""
    differing = {}
    for name in then.keys() | now.keys():
        old, new = then.get(name, {}), now.get(name, {})
        fields = {field for field in old.keys() | new.keys() if old.get(field) != new.get(field)}
        if fields or (name in then) != (name in now):
            differing[name] = fields
    return differing


def is_saved(pages: admin.ModelAdmin[Any], request: HttpRequest, row: Model) -> bool:
    """Return whether the database already has everything that the sent form has."""
    form = pages.get_form(request, row, change=True)(request.POST, instance=row)
    for field in form.fields.values():
        field.show_hidden_initial = False  # compared with the database, not with what was opened
    if form.has_changed():
        return False
    formsets = (
        formset_class(request.POST, instance=row, queryset=inline.get_queryset(request))
        for formset_class, inline in _list_edited(pages, request, row)
    )
    return not any(each.has_changed() for each in formsets)


def list_entries(differing: dict[str, set[str]], *, since: float) -> list[LogEntry]:
    """Return the history of these rows since then, the oldest first."""
    wanted = Q()
    for name in differing:
        model, key = _read_name(name)
        kind = ContentType.objects.get_for_model(model)
        wanted |= Q(content_type=kind, object_pk=key)
    entries = LogEntry.objects.filter(wanted, timestamp__gte=datetime.fromtimestamp(since, tz=UTC))
    return list(entries.select_related("actor", "content_type").order_by("timestamp", "pk"))


def list_unnoted(differing: dict[str, set[str]], entries: list[LogEntry]) -> list[str]:
    """Return the names of fields whose change is in none of these entries: jobs note nothing."""
    noted: dict[str, set[str]] = {}
    whole = set()
    for entry in entries:
        name = f"{entry.content_type.app_label}.{entry.content_type.model}:{entry.object_pk}"
        noted[name] = noted.get(name, set()) | set(entry.changes or {})
        if entry.action in {LogEntry.Action.CREATE, LogEntry.Action.DELETE}:
            whole.add(name)
    words = [
        _name_field(_read_name(name)[0], field)
        for name, fields in differing.items()
        if name not in whole
        for field in fields - noted.get(name, set())
    ]
    return sorted(set(words))


def keep_deleted_rows(
    pages: admin.ModelAdmin[Any], request: HttpRequest, row: Model, data: QueryDict
) -> None:
    """Make rows that a colleague deleted meanwhile new rows of the sent form: none is lost."""
    for formset_class, inline in _list_edited(pages, request, row):
        prefix, key = formset_class.get_default_prefix(), inline.model._meta.pk.name
        kept = {str(pk) for pk in inline.get_queryset(request).values_list("pk", flat=True)}
        _reorder_rows(data, prefix, key, kept)


def _reorder_rows(data: QueryDict, prefix: str, key: str, kept: set[str]) -> None:
    """Move rows whose key isn't kept behind those that exist, and leave out their keys."""
    total, initial = (data.get(f"{prefix}-{name}_FORMS", "") for name in ("TOTAL", "INITIAL"))
    if not (total.isdecimal() and initial.isdecimal() and len(total) < 5):
        return
    stored = range(min(int(initial), int(total)))
    gone = [each for each in stored if data.get(f"{prefix}-{each}-{key}") not in kept]
    if not gone:
        return
    order = [each for each in stored if each not in gone] + gone
    typed = {name: data.getlist(name) for name in data if name.startswith(f"{prefix}-")}
    for new, old in enumerate(order):
        start = f"{prefix}-{old}-"
        for name, values in typed.items():
            if name.startswith(start):
                data.setlist(f"{prefix}-{new}-{name.removeprefix(start)}", values)
        if old in gone:
            data[f"{prefix}-{new}-{key}"] = ""
    data[f"{prefix}-INITIAL_FORMS"] = str(len(stored) - len(gone))


def _list_edited(
    pages: admin.ModelAdmin[Any], request: HttpRequest, row: Model
) -> Iterator[tuple[Any, Any]]:
    """Yield the formsets of the rows that this user can edit on the page, with their inlines."""
    for formset_class, inline in pages.get_formsets_with_inlines(request, row):
        if inline.has_change_permission(request, row):
            yield formset_class, inline


def _digest_fields(form: BaseForm) -> dict[str, str]:
    return {
        name: _digest(form.get_initial_for_field(field, name))
        for name, field in form.fields.items()
        if not (field.disabled or field.widget.is_hidden or name == DELETION_FIELD_NAME)
    }


def _digest(value: Any) -> str:
    if isinstance(value, (list, tuple, set, QuerySet)):
        value = sorted(str(each.pk if isinstance(each, Model) else each) for each in value)
    # Browsers send other line breaks than files have: that alone is no change.
    text = "" if value is None else str(value).replace("\r\n", "\n")
    return blake2b(text.encode(), digest_size=6).hexdigest()


def _name_row(row: Model) -> str:
    return f"{row._meta.label_lower}:{row.pk}"


def _read_name(name: str) -> tuple[type[Model], str]:
    label, _colon, key = name.partition(":")
    return apps.get_model(label), key


def _name_field(model: type[Model], name: str) -> str:
    try:
        return str(capfirst(model._meta.get_field(name).verbose_name))  # type: ignore[union-attr]
    except FieldDoesNotExist:
        return str(capfirst(name.replace("_", " ")))
