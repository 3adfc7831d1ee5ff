"""Rows in bulk: by COPY on PostgreSQL, which takes a third of the time of INSERT."""

from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import AutoField, ForeignKey, JSONField, Model
from django.db.models.expressions import DatabaseDefault

# The types that PostgreSQL takes from any column but JSON as they are.
PLAIN = frozenset({bool, datetime, int, str, type(None), UUID})


def save_rows(rows: Sequence[Any]) -> None:
    """Save new rows of one model, and set their primary keys.

    No field of it may set itself when it is saved, as `auto_now` does.
    """
    if not rows:
        return
    model: type[Model] = type(rows[0])
    if connection.vendor == "postgresql":
        _copy(model, rows)
    else:
        model._default_manager.bulk_create(rows)


def _copy(model: type[Model], rows: Sequence[Any]) -> None:
    meta, quote = model._meta, connection.ops.quote_name
    if isinstance(meta.pk, AutoField):
        _number(rows, meta.db_table, str(meta.pk.column))
    _take_keys(model, rows)
    fields = [
        field
        for field in meta.concrete_fields
        if not isinstance(getattr(rows[0], field.attname), DatabaseDefault)
    ]
    # Asking each field to prepare each value takes longer than the database needs.
    plain = [frozenset() if isinstance(field, JSONField) else PLAIN for field in fields]
    read = itemgetter(*(field.attname for field in fields))
    columns = ", ".join(quote(str(field.column)) for field in fields)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {quote(meta.db_table)} ({columns}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(
                [
                    value if type(value) in types else field.get_db_prep_save(value, connection)
                    for value, types, field in zip(read(vars(row)), plain, fields, strict=True)
                ]
            )
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def _take_keys(model: type[Model], rows: Sequence[Any]) -> None:
    """Take the primary keys of related rows, which were saved after they were assigned."""
    columns = {
        field.name: field.attname
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey)
    }
    for row in rows:
        for name, parent in row._state.fields_cache.items():
            if name in columns and parent is not None:
                vars(row)[columns[name]] = parent.pk


def _number(rows: Sequence[Any], table: str, column: str) -> None:
    """Take the primary keys from the table's sequence."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [connection.ops.quote_name(table), column, len(rows)],
        )
        for row, (number,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = number
